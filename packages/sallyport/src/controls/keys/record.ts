// What a record says of a request: whether the key is good now and here, and who calls by it.

import type { Exchange } from '../../guard/exchange.ts'
import { type Lines, lines } from '../../guard/lines.ts'
import type { Principal } from '../../guard/principal.ts'
import type { KeyShape } from '../../keys/format.ts'
import { parseAddress } from '../../policy/address.ts'
import { type CidrSet, cidrSet, parseCidr } from '../../policy/cidr.ts'
import type { KeyRecord } from '../../ports/keys.ts'
import type { FullKeysSetting } from './setting.ts'

/** Why a key is no good; for the log alone, since the caller hears the same of all. */
export type KeyFault =
  | 'malformed'
  | 'wrong environment'
  | 'unknown'
  | 'revoked'
  | 'expired'
  | 'replaced'
  | 'organisation disabled'

/** Why a record is no good now. A moment that is reached has passed. */
export function faultOf(record: KeyRecord, shape: KeyShape, now: number): KeyFault | undefined {
  // What the text says was checked before: a record that says otherwise is not the key's.
  if (record.kind !== shape.kind || record.environment !== shape.environment) return 'unknown'
  if (record.revokedAt !== undefined) return 'revoked'
  if (record.organisationDisabledAt !== undefined) return 'organisation disabled'
  if (record.expiresAt !== undefined && record.expiresAt <= now) return 'expired'
  if (record.generationEndsAt !== undefined && record.generationEndsAt <= now) return 'replaced'
  return undefined
}

const networks = new WeakMap<KeyRecord, CidrSet>()

/** Whether the caller is in a network of the key's; where the host hides the address, it is in none. */
export function isInNetworks(record: KeyRecord, exchange: Exchange): boolean {
  if (record.cidrs.length === 0) return true
  const { address: text } = exchange.client
  const address = text === undefined ? undefined : parseAddress(text)
  if (address === undefined) return false
  let set = networks.get(record)
  if (set === undefined) {
    set = cidrSet(record.cidrs.map(parseCidr).filter((range) => range !== undefined))
    networks.set(record, set)
  }
  return set.has(address)
}

/** Who calls: what the key allows, its owner may still do and, for a publishable key, the route opens to it. */
export function principalOf(record: KeyRecord, { publishable }: FullKeysSetting): Principal {
  const { store, owner, ownerScopes, ownerRole, planOverrides, expiresAt } = record
  let { scopes } = record
  if (ownerScopes !== undefined) scopes = scopes.filter((scope) => ownerScopes.includes(scope))
  if (record.kind === 'publishable')
    scopes = scopes.filter((scope) => publishable?.scopes.includes(scope) === true)
  return {
    organisation: record.organisation,
    ...(store === undefined ? {} : { store }),
    subject: owner,
    credential: {
      kind: 'key',
      id: record.id,
      class: record.kind,
      environment: record.environment,
      generation: record.generation,
      ...(expiresAt === undefined ? {} : { expiresAt }),
    },
    ...(ownerRole === undefined ? {} : { role: ownerRole }),
    plan: record.plan,
    ...(planOverrides === undefined ? {} : { planOverrides }),
    scopes,
  }
}

/**
 * What the holder of a replaced key is told: since when it is (Deprecation, RFC 9745, section 2) and when it ends
 * (Sunset, RFC 8594, section 3). `undefined` for the newest generation.
 */
export function replacedLines({ generationReplacedAt, generationEndsAt }: KeyRecord): Lines | undefined {
  if (generationEndsAt === undefined) return undefined
  return lines([
    ...(generationReplacedAt === undefined
      ? []
      : ([['Deprecation', `@${Math.floor(generationReplacedAt / 1000)}`]] as const)),
    ['Sunset', new Date(generationEndsAt).toUTCString()],
  ])
}
