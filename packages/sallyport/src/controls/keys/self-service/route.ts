// The routes of `/v1/keys`: for every known caller, since who may do what there hangs on more than a route can say.

import type { RoutePolicy } from '../../../guard/policy.ts'
import { fullSelfService } from '../setting.ts'
import { KEYS_PATH } from './paths.ts'
import { KEYS_MAX_BYTES } from './wish.ts'

/** The routes that a policy gains where callers work on keys. */
export function selfServiceRoutes(base: RoutePolicy): { readonly [pattern: string]: RoutePolicy } {
  if (base.keys === undefined || fullSelfService(base.keys) === undefined) return {}
  return {
    [`${KEYS_PATH}/*`]: {
      data: 'private',
      cache: { mode: 'enforce', owner: 'policy' },
      request: { maxBodyBytes: KEYS_MAX_BYTES },
      access: { authenticated: true, scopes: [], anyScope: [], roles: [], kinds: [] },
    },
  }
}
