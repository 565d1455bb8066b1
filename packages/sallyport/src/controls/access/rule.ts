// What the guard needs of `access`: its setting, and how it enforces it.

import type { CellInfo } from '../../guard/cell.ts'
import type { Rule } from '../../guard/control.ts'
import { readGivenKeys } from '../../identity/signing-keys.ts'
import type { Services } from '../../ports/services.ts'
import { accessContradictions } from './contradictions.ts'
import { ACCESS_ID, compileAccess } from './enforce.ts'
import { requirementOf, strictAccess } from './requirement.ts'
import { ACCOUNT_PATH, LIMITS_PATH } from './self-service.ts'
import {
  ACCESS_WHOLE,
  type AccessSetting,
  accessDefaults,
  accessSchema,
  IDENTITY_KEYS_PATH,
} from './setting.ts'

/** What is asked for and was not given, in a sentence. */
function missing(setting: AccessSetting, cell: CellInfo, services: Services): string | undefined {
  const { tokens = [], sessions, identity } = setting
  if (identity?.key !== undefined && readGivenKeys(services.secret?.(identity.key) ?? '') === undefined)
    return `give services.secret that knows ${JSON.stringify(identity.key)}: an Ed25519 private key as JWK (access.identity.key)`
  if (requirementOf(setting, cell).level === 'open') return undefined
  for (const { introspection, service } of tokens) {
    if (service && !services.tokens)
      return 'give services.tokens, which knows the tokens of the program itself'
    const name = introspection?.secret
    if (name !== undefined && services.secret?.(name) === undefined)
      return `give services.secret that knows ${JSON.stringify(name)}, by which the issuer is asked (access.tokens)`
  }
  if (sessions && !services.sessions) return 'give services.sessions, which says who is signed in'
  return undefined
}

/** The routes that a policy gains: the keys of the identity are for everybody to read, the rest for known callers. */
function routes(base: object): { readonly [pattern: string]: object } {
  const { access } = base as { readonly access?: AccessSetting }
  if (!access || access.mode === 'off') return {}
  const keys = {
    data: 'public',
    credentials: 'none',
    cache: { mode: 'enforce', owner: 'policy', maxAgeSeconds: 300 },
  }
  const own = {
    data: 'private',
    access: { authenticated: true, scopes: [], anyScope: [], roles: [], kinds: [] },
  }
  return {
    ...(access.identity ? { [`GET ${IDENTITY_KEYS_PATH}`]: keys } : {}),
    ...(access.selfService ? { [`GET ${ACCOUNT_PATH}`]: own, [`GET ${LIMITS_PATH}`]: own } : {}),
  }
}

export const accessRule = {
  name: 'access',
  id: ACCESS_ID,
  schema: accessSchema,
  wholePolicy: ACCESS_WHOLE,
  defaults: accessDefaults,
  contradictions: accessContradictions,
  strict: strictAccess,
  routes,
  missing,
  // Who shows nothing is no event.
  tells: {
    ambiguous_credentials: 'access.denied',
    forbidden: 'access.denied',
    insufficient_scope: 'access.scope_missing',
    invalid_credential: 'access.denied',
    step_up_required: 'access.denied',
  },
  compile: compileAccess,
} as const satisfies Rule<AccessSetting>
