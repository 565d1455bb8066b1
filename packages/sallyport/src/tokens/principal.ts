// Who calls, from the claims of a token: those of a JWT, or those that an introspection endpoint answers (RFC 7662).

import type { Principal } from '../guard/principal.ts'
import type { JsonObject } from './json.ts'
import { isName } from './jwt.ts'

/** Which claim says what. */
export interface ClaimNames {
  /** Whose token it is. Where no claim is named, every subject is an organisation of its own. */
  readonly organisation?: string
  readonly store?: string
  readonly role?: string
  readonly plan?: string
  /** Scopes, as a text with spaces or as a list: `scope`. */
  readonly scope?: string
}

const MAX_SCOPES = 256

/**
 * The principal of a token.
 *
 * @param digest of the token, in base64url: names it where it has no id of its own
 * @returns undefined where a claim that the policy names is missing or is no name
 */
export function principalOf(claims: JsonObject, names: ClaimNames, digest: string): Principal | undefined {
  const { sub, jti, exp, auth_time: signedIn, amr } = claims
  const organisation = claims[names.organisation ?? 'sub']
  const scopes = scopesOf(claims[names.scope ?? 'scope'])
  if (!isName(organisation) || scopes === undefined) return undefined
  const said = {
    store: nameIn(claims, names.store),
    role: nameIn(claims, names.role),
    plan: nameIn(claims, names.plan),
  }
  if (Object.values(said).includes(false)) return undefined
  const { store, role, plan } = said as { readonly [key in keyof typeof said]: string | undefined }
  return {
    organisation,
    ...(store !== undefined && { store }),
    ...(isName(sub) && { subject: sub }),
    credential: {
      kind: 'token',
      id: isName(jti) ? jti : digest.slice(0, 22),
      ...(typeof exp === 'number' && { expiresAt: exp * 1000 }),
    },
    ...(role !== undefined && { role }),
    ...(plan !== undefined && { plan }),
    scopes,
    ...(typeof signedIn === 'number' && { signedInAt: signedIn * 1000 }),
    ...(Array.isArray(amr) && amr.length <= 16 && amr.every(isName) && { methods: amr }),
  }
}

// RFC 8693, section 4.2, has a text with spaces; several issuers write a list. `undefined`: neither.
function scopesOf(value: unknown): readonly string[] | undefined {
  if (value === undefined) return []
  const list: readonly unknown[] | undefined =
    typeof value === 'string'
      ? value.split(' ').filter((each) => each !== '')
      : Array.isArray(value)
        ? value
        : undefined
  return list && list.length <= MAX_SCOPES && list.every(isName) ? list : undefined
}

// Of a list only a single entry says something: which of several roles would count, nobody could read in the policy.
function nameIn(claims: JsonObject, claim: string | undefined): string | undefined | false {
  if (claim === undefined) return undefined
  const value = claims[claim]
  const single: unknown = Array.isArray(value) ? (value.length === 1 ? value[0] : undefined) : value
  if (single === undefined) return undefined
  return isName(single) ? single : false
}
