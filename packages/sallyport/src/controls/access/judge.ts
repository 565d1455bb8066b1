// What a known caller may do in a cell: the credential's rights within those of its role, against what is required.

import type { Principal } from '../../guard/principal.ts'
import type { Requirement } from './requirement.ts'
import type { AccessSetting } from './setting.ts'

/** What stands in the way; `undefined` where nothing does. */
export type Objection =
  | { readonly code: 'forbidden' }
  | { readonly code: 'insufficient_scope'; readonly scopes: readonly string[] }
  | { readonly code: 'step_up_required' }
  | undefined

/**
 * Cuts a principal's scopes down to those of its role. Where the catalogue has roles, one that it does not know has no
 * scope at all.
 */
export function rightsWithin({ catalogue = {} }: AccessSetting): (principal: Principal) => Principal {
  const roles = new Map(
    Object.entries(catalogue.roles ?? {}).map(([role, scopes]) => [role, new Set(scopes)]),
  )
  if (roles.size === 0) return (principal) => principal
  // A ring of keys or a verifier hands the same principal out again and again.
  const known = new WeakMap<Principal, Principal>()
  return function cutDown(principal) {
    const before = known.get(principal)
    if (before) return before
    const cut = { ...principal, scopes: scopesWithin(principal, roles) }
    known.set(principal, cut)
    return cut
  }
}

function scopesWithin(
  { role, scopes, credential }: Principal,
  roles: ReadonlyMap<string, ReadonlySet<string>>,
): readonly string[] {
  // A key of the organisation itself, or a token of a service, has no person whose role could bound it.
  if (role === undefined) return scopes
  const allowed = roles.get(role)
  if (!allowed) return []
  if (credential.kind === 'session' && scopes.length === 0) return [...allowed]
  return scopes.filter((scope) => allowed.has(scope))
}

/** Holds a caller against a requirement. */
export function objectionTo(principal: Principal, required: Requirement, nowMs: number): Objection {
  const { kinds, roles, scopes, anyScope } = required
  if (kinds.length > 0 && !kinds.includes(principal.credential.kind)) return { code: 'forbidden' }
  if (roles.length > 0 && (principal.role === undefined || !roles.includes(principal.role)))
    return { code: 'forbidden' }
  for (const scope of scopes)
    if (!principal.scopes.includes(scope)) return { code: 'insufficient_scope', scopes }
  if (anyScope.length > 0 && !anyScope.some((scope) => principal.scopes.includes(scope)))
    return { code: 'insufficient_scope', scopes: anyScope.slice(0, 1) }
  return signInObjection(principal, required, nowMs)
}

function signInObjection(
  principal: Principal,
  { maxAgeSeconds, methods }: Requirement,
  nowMs: number,
): Objection {
  if (maxAgeSeconds === undefined && methods.length === 0) return undefined
  // Nobody signs in with a key.
  if (principal.credential.kind === 'key') return { code: 'forbidden' }
  const { signedInAt, methods: used = [] } = principal
  const isFresh =
    maxAgeSeconds === undefined || (signedInAt !== undefined && nowMs - signedInAt <= maxAgeSeconds * 1000)
  const isStrong = methods.length === 0 || methods.some((method) => used.includes(method))
  return isFresh && isStrong ? undefined : { code: 'step_up_required' }
}
