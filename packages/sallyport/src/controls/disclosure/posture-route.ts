// The routes of the posture page: read without credentials, and documents with a style of their own, which no policy
// for data would allow. They are part of every policy that publishes the page.

import type { RoutePolicy } from '../../guard/policy.ts'
import { POSTURE_JSON_PATH, POSTURE_PATH, REVIEWER_PATH } from './setting.ts'
import { STYLE_SOURCE } from './style-digest.ts'

/** The routes that a policy gains by publishing its page. */
export function postureRoutes(base: RoutePolicy): { readonly [pattern: string]: RoutePolicy } {
  const { posture, mode } = base.disclosure ?? {}
  if (!posture || mode === 'off') return {}
  const headers = {
    contentSecurityPolicy: {
      'default-src': ["'none'"],
      'style-src': [STYLE_SOURCE],
      'base-uri': ["'none'"],
      'form-action': ["'none'"],
      'frame-ancestors': ["'none'"],
    },
    ...(base.headers?.contentSecurityPolicyReportOnly
      ? { contentSecurityPolicyReportOnly: false as const }
      : {}),
  } as const
  const cache = { mode: 'enforce', owner: 'policy' } as const
  return {
    ...(posture === 'public'
      ? {
          [POSTURE_PATH]: { data: 'public', credentials: 'none', cache, headers },
          [POSTURE_JSON_PATH]: { data: 'public', credentials: 'none', cache },
        }
      : {}),
    // What a signed link shows is for its holder: no shared cache may keep it.
    [`${REVIEWER_PATH}/*`]: { data: 'private', credentials: 'none', cache, headers },
  }
}
