// The refusals of `access` and their challenges: RFC 6750, section 3, and RFC 9470, section 3.

import type { Denial } from '../../guard/control.ts'
import { lines } from '../../guard/lines.ts'
import type { Requirement } from './requirement.ts'

function denial(code: Denial['code'], challenge?: string): Denial {
  return challenge === undefined
    ? { kind: 'deny', code }
    : { kind: 'deny', code, headers: lines([['WWW-Authenticate', challenge]]) }
}

/** RFC 6750, section 3.1: who shows nothing is told no error. */
export const UNAUTHENTICATED = denial('unauthenticated', 'Bearer')
/** One answer for all that is wrong with a credential. */
export const INVALID = denial('invalid_credential', 'Bearer error="invalid_token"')
export const AMBIGUOUS = denial('ambiguous_credentials')
export const FORBIDDEN = denial('forbidden')
export const UNAVAILABLE: Denial = {
  kind: 'deny',
  code: 'credentials_unavailable',
  headers: lines([['Retry-After', '1']]),
}

/** Names the scopes that would do. */
export function insufficientScope(scopes: readonly string[]): Denial {
  return denial('insufficient_scope', `Bearer error="insufficient_scope", scope="${scopes.join(' ')}"`)
}

/** Says how to sign in again. */
export function stepUp({ maxAgeSeconds, methods }: Requirement): Denial {
  const parts = ['Bearer error="insufficient_user_authentication"']
  const values = methods.filter((method) => /^[!#-[\]-~]+$/.test(method))
  if (values.length > 0) parts.push(`acr_values="${values.join(' ')}"`)
  if (maxAgeSeconds !== undefined) parts.push(`max_age="${maxAgeSeconds}"`)
  return denial('step_up_required', parts.join(', '))
}
