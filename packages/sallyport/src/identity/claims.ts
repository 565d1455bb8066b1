// A principal as the claims of the identity that the gateway hands on, and back.

import { CREDENTIAL_KINDS, type Principal } from '../guard/principal.ts'
import type { JsonObject } from '../tokens/json.ts'
import { isName } from '../tokens/jwt.ts'

/** RFC 8725, section 3.11: what the header says this token is, so that it is never taken for another kind. */
export const IDENTITY_TYPE = 'sallyport-identity+jwt'

/** What is said of a principal; times are in seconds. Scopes are those that the role still allows. */
export function claimsOf(principal: Principal): JsonObject {
  const { organisation, store, subject, credential, role, plan, scopes, signedInAt, methods } = principal
  const { kind, id, environment, class: keyClass } = credential
  return {
    sub: subject ?? organisation,
    organisation,
    ...(store !== undefined && { store }),
    ...(role !== undefined && { role }),
    ...(plan !== undefined && { plan }),
    scope: scopes.join(' '),
    credential: {
      kind,
      id,
      ...(keyClass !== undefined && { class: keyClass }),
      ...(environment !== undefined && { environment }),
    },
    ...(signedInAt !== undefined && { auth_time: Math.floor(signedInAt / 1000) }),
    ...(methods !== undefined && { amr: methods }),
  }
}

/** The principal of such claims; `undefined` where they are not of this form. */
export function principalIn(claims: JsonObject): Principal | undefined {
  const { sub, organisation, store, role, plan, scope, credential, auth_time: signedIn, amr } = claims
  if (!isName(sub) || !isName(organisation) || typeof scope !== 'string') return undefined
  if (typeof credential !== 'object' || credential === null) return undefined
  const { kind, id, class: keyClass, environment } = credential as JsonObject
  if (!isOneOf(CREDENTIAL_KINDS, kind) || !isName(id)) return undefined
  return {
    organisation,
    ...(isName(store) && { store }),
    subject: sub,
    credential: {
      kind,
      id,
      ...(isOneOf(['secret', 'publishable'] as const, keyClass) && { class: keyClass }),
      ...(isOneOf(['live', 'test'] as const, environment) && { environment }),
    },
    ...(isName(role) && { role }),
    ...(isName(plan) && { plan }),
    scopes: scope.split(' ').filter((each) => each !== ''),
    ...(typeof signedIn === 'number' && { signedInAt: signedIn * 1000 }),
    ...(Array.isArray(amr) && amr.every(isName) && { methods: amr }),
  }
}

function isOneOf<const T extends string>(words: readonly T[], value: unknown): value is T {
  return (words as readonly unknown[]).includes(value)
}
