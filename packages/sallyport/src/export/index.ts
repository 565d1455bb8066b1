// The policy as configuration of other programs, for what they can keep of it.

import type { PolicyDocument } from '../guard/policy.ts'
import type { ResolvedPolicy } from '../guard/resolve.ts'
import { apache } from './apache.ts'
import { caddy } from './caddy.ts'
import { haproxy } from './haproxy.ts'
import { nginx } from './nginx.ts'
import { type Export, exportPlan, type Plan } from './plan.ts'
import { cloudflare, netlify, nextjs, vercel } from './static-hosts.ts'

export type { Export } from './plan.ts'

const WRITERS = {
  nginx,
  caddy,
  haproxy,
  apache,
  nextjs,
  vercel,
  netlify,
  cloudflare,
} as const satisfies Readonly<Record<string, (plan: Plan) => Export>>

/** The platforms. */
export type Platform = keyof typeof WRITERS
export const PLATFORMS = Object.keys(WRITERS) as readonly Platform[]

/** Writes a policy for a platform. @throws PolicyError where the policy is wrong */
export async function exportPolicy(
  policy: PolicyDocument | ResolvedPolicy,
  platform: Platform,
): Promise<Export> {
  return WRITERS[platform](await exportPlan(policy))
}
