// Who may work on keys, and how far what he makes may reach: never further than he does himself at that moment. Pure, so
// that it can be held against any principal and any wish.

import type { InputError } from '../../../guard/control.ts'
import type { Principal } from '../../../guard/principal.ts'
import { cidrSet, parseCidr } from '../../../policy/cidr.ts'
import type { ManagedKey, WantedKey } from '../../../ports/key-administrator.ts'
import type { FullSelfService } from '../setting.ts'
import type { KeyWish } from './wish.ts'

/** Why somebody may not. */
export type Refusal = { readonly code: 'forbidden' } | { readonly code: 'insufficient_scope'; scope: string }

/** Who reads: whoever has the scope, and a session in one of the roles. */
export function mayRead(principal: Principal, service: FullSelfService): Refusal | undefined {
  const { credential, scopes } = principal
  if (credential.class === 'publishable') return { code: 'forbidden' }
  if (scopes.includes(service.readScope) || isSessionOf(principal, service)) return undefined
  return { code: 'insufficient_scope', scope: service.readScope }
}

/**
 * Who changes: a person in one of the roles. A token or a key is handed on to programs, so it needs the scope as well; one
 * that has no person behind it needs the scope alone.
 */
export function mayWrite(principal: Principal, service: FullSelfService): Refusal | undefined {
  const { credential, role, scopes } = principal
  if (credential.class === 'publishable') return { code: 'forbidden' }
  if (role !== undefined && !service.roles.includes(role)) return { code: 'forbidden' }
  if (scopes.includes(service.writeScope) || isSessionOf(principal, service)) return undefined
  return { code: 'insufficient_scope', scope: service.writeScope }
}

function isSessionOf({ credential, role }: Principal, { roles }: FullSelfService): boolean {
  return credential.kind === 'session' && role !== undefined && roles.includes(role)
}

/** What bounds a key that somebody makes. */
export interface Bounds {
  readonly scopes: readonly string[]
  readonly store?: string
  readonly plan?: string
  /** Of a key: its own world. */
  readonly environment?: 'live' | 'test'
  /** Of a key that is bound to networks: these. */
  readonly networks: readonly string[]
  /** Milliseconds since the epoch. */
  readonly latest: number
  /** The key that is shown, where one is. */
  readonly own: ManagedKey | undefined
}

/**
 * The bounds of a caller.
 *
 * @param own the record of the key that it shows
 * @param latest when the policy ends every key that is made now; milliseconds since the epoch
 */
export function boundsOf(principal: Principal, own: ManagedKey | undefined, latest: number): Bounds {
  const { store, plan, scopes } = principal
  return {
    // The record is newer than what the caller came in by.
    scopes: own === undefined ? scopes : scopes.filter((scope) => own.scopes.includes(scope)),
    ...(store === undefined ? {} : { store }),
    ...(plan === undefined ? {} : { plan }),
    ...(own === undefined ? {} : { environment: own.environment }),
    networks: own?.networks ?? [],
    latest: Math.min(latest, own?.expiresAt ?? Number.POSITIVE_INFINITY),
    own,
  }
}

/** What was wished, with everything filled in, or what of it reaches too far. */
export function granted(
  wish: KeyWish,
  bounds: Bounds,
): { readonly wanted: WantedKey } | { readonly errors: readonly InputError[] } {
  const { scopes = [], networks = bounds.networks, expiresAt = bounds.latest } = wish
  const { origins = [], kind = 'secret' } = wish
  const environment = wish.environment ?? bounds.environment ?? 'live'
  const store = wish.store ?? bounds.store
  const plan = wish.plan ?? bounds.plan
  const within = networksWithin(bounds.networks)
  const errors = [
    ...scopes.flatMap((scope, at) => (bounds.scopes.includes(scope) ? [] : [`/scopes/${at}`])),
    ...(networks.length === 0 && bounds.networks.length > 0 ? ['/networks'] : []),
    ...networks.flatMap((network, at) => (within(network) ? [] : [`/networks/${at}`])),
    ...(expiresAt > bounds.latest ? ['/expires'] : []),
    ...(bounds.environment !== undefined && environment !== bounds.environment ? ['/environment'] : []),
    ...(bounds.store !== undefined && store !== bounds.store ? ['/store'] : []),
    // Plans have no order: of another one nobody can say that it is not more.
    ...(plan !== bounds.plan ? ['/plan'] : []),
  ]
  if (errors.length > 0) return { errors: errors.map((pointer) => ({ pointer, code: 'exceeds_rights' })) }
  const wanted: WantedKey = {
    name: wish.name,
    kind,
    environment,
    scopes,
    origins,
    networks,
    expiresAt,
    ...(store === undefined ? {} : { store }),
    ...(plan === undefined ? {} : { plan }),
  }
  return { wanted }
}

/**
 * What of a key reaches further than whoever asks for its text. A person is held to his scopes: plans, networks and dates
 * bound keys, and are no rights of people.
 */
export function beyond(key: ManagedKey, { scopes, networks, own }: Bounds): readonly InputError[] {
  const tooMuch = key.scopes.every((scope) => scopes.includes(scope)) ? [] : ['scopes']
  if (own !== undefined) {
    const within = networksWithin(networks)
    if (networks.length > 0 && !(key.networks.length > 0 && key.networks.every(within)))
      tooMuch.push('networks')
    if (key.environment !== own.environment) tooMuch.push('environment')
    if (key.plan !== own.plan) tooMuch.push('plan')
    const [ends, limit] = [key, own].map(({ expiresAt = Number.POSITIVE_INFINITY }) => expiresAt)
    if (ends! > limit!) tooMuch.push('expires')
  }
  return tooMuch.map((name) => ({ parameter: name, code: 'exceeds_rights' }))
}

function networksWithin(bounds: readonly string[]): (network: string) => boolean {
  if (bounds.length === 0) return () => true
  const set = cidrSet(bounds.map(parseCidr).filter((range) => range !== undefined))
  return (network) => {
    const range = parseCidr(network)
    return range !== undefined && set.covers(range)
  }
}
