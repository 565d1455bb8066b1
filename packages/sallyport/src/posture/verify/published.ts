// Whether the posture that a deployment publishes is that of the policy it is verified by: another digest is another
// policy, whatever its answers look like today.

import { POSTURE_JSON_PATH } from '../../controls/disclosure/setting.ts'
import type { Finding, ProbeRequest } from '../../guard/control.ts'
import type { WireResult } from '../wire/send.ts'

/** What a finding of it is about. */
export const PUBLISHED = { class: '200', cell: POSTURE_JSON_PATH, curl: '' } as const

/** What the published digest comes to; `undefined` where the answer publishes none. */
export function judgePublished(
  request: ProbeRequest,
  result: WireResult,
  policyDigest: string,
): readonly Finding[] | undefined {
  if ('raw' in request || request.method !== 'GET' || request.path !== POSTURE_JSON_PATH) return undefined
  if (result.kind !== 'answer' || result.status !== 200 || result.bodyState !== 'whole') return undefined
  let published: unknown
  try {
    published = JSON.parse(result.body)
  } catch {
    return undefined
  }
  const { format, policyDigest: digest } = (published ?? {}) as Record<string, unknown>
  if (format !== 'sallyport-posture/1' || typeof digest !== 'string') return undefined
  if (digest === policyDigest) return []
  return [
    {
      id: 'drift.posture',
      detail: `the published posture is of the policy ${digest.slice(0, 80)}, not of ${policyDigest}`,
      mend: 'deploy this policy, or verify with the one that is deployed',
    },
  ]
}
