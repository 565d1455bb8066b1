// The route on which keys that leaked are reported: everybody may, since whoever names a key has it already.

import type { RoutePolicy } from '../../guard/policy.ts'
import { KEY_LEAKS_MAX_BYTES, KEY_LEAKS_PATH } from '../../keys/leaks.ts'

/** The route that a policy gains where reports are taken. */
export function leakRoutes(base: RoutePolicy): { readonly [pattern: string]: RoutePolicy } {
  const { vendor, leakReports, mode } = base.keys ?? {}
  if (vendor === undefined || !leakReports || mode === 'off') return {}
  return {
    [`POST ${KEY_LEAKS_PATH}`]: {
      data: 'private',
      credentials: 'none',
      request: { maxBodyBytes: KEY_LEAKS_MAX_BYTES },
    },
  }
}
