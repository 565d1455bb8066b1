// Works on keys for callers: `keyAdministration`, held to one organisation or store, with the log awaited before a text is
// given out.

import { createHash } from 'node:crypto'
import type {
  AuditEvent,
  GivenKey,
  KeyActor,
  KeyAdministrator,
  KeyHome,
  KeyObstacle,
  ManagedKey,
} from 'sallyport'
import { keyFormat } from 'sallyport/keys'
import type { AuditLog } from '../audit/contract.ts'
import type { Database } from '../database.ts'
import type { RowOf } from '../statement.ts'
import { keyById, keyByRequest, keyPage } from '../statements/keys.ts'
import { organisationById, principalById, storeList } from '../statements/organisations.ts'
import { type KeyAdministration, keyAdministration } from './key-administration.ts'
import { KeyFault } from './new-key.ts'
import type { Pepper } from './peppers.ts'

/** What it works with. */
export interface KeyAdministratorOptions {
  /** The newest first. */
  readonly peppers: readonly Pepper[]
  /** What is not in it is not given out. */
  readonly log: Pick<AuditLog, 'append' | 'state'>
  /** Settles when this process refuses what has ended: `settled` of a ring. */
  readonly settled?: () => Promise<void>
  /** Fills an array with random bytes; `crypto.getRandomValues`. */
  readonly random?: (bytes: Uint8Array) => Uint8Array
  /** Milliseconds since the epoch; `Date.now`. */
  readonly clock?: () => number
}

/** Makes it. */
export function keyAdministrator(database: Database, options: KeyAdministratorOptions): KeyAdministrator {
  const { peppers, log, settled = async () => {} } = options
  const clock = options.clock ?? Date.now
  const random = options.random ?? ((bytes) => crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>))

  /** Does something that changes keys; what it tells is in the log when this settles. */
  async function logged<T>(
    actor: KeyActor,
    vendor: string | undefined,
    work: (administration: KeyAdministration) => Promise<T>,
  ): Promise<T> {
    // A log that could not write a moment ago most likely can't now: nothing is begun that could not be told.
    if (log.state.fault !== undefined) throw new Error('the audit log can’t be written')
    const told: AuditEvent[] = []
    const result = await work(
      keyAdministration(database, {
        peppers,
        random,
        clock,
        ...(vendor === undefined ? {} : { format: keyFormat(vendor) }),
        audit: { record: (event) => void told.push(event) },
      }),
    )
    for (const event of told) await log.append(asDoneBy(event, actor))
    return result
  }

  async function find({ organisation, store }: KeyHome, id: string): Promise<ManagedKey | undefined> {
    const [row] = await database.query(keyById, [organisation, id])
    return row === undefined || (store !== undefined && row.store_id !== store) ? undefined : managed(row)
  }

  /** Whose rights bound what somebody makes: his own, where the records know him. */
  async function ownerFor(
    organisation: string,
    { subject }: KeyActor,
  ): Promise<{ readonly owner?: string } | 'owner'> {
    if (subject === undefined || subject === organisation) return {}
    const [principal] = await database.queryAs(organisation, principalById, [subject])
    if (principal === undefined) return {}
    return principal.disabled_at === null ? { owner: subject } : 'owner'
  }

  async function hasStore(organisation: string, id: string): Promise<boolean> {
    const stores = await database.queryAs(organisation, storeList, [])
    return stores.some((each) => each.id === id)
  }

  async function givenOut(home: KeyHome, id: string, key: string): Promise<GivenKey> {
    const record = await find(home, id)
    if (record === undefined) throw new Error('the key that was made is not there')
    return { key, record }
  }

  /** What a fault of the records says to a caller. @throws every other error */
  async function obstacleOf(error: unknown, home: KeyHome, request?: Uint8Array): Promise<KeyObstacle> {
    if (!(error instanceof KeyFault) || error.code === 'wrong') throw error
    if (error.code === 'unknown') return 'unknown'
    if (error.code === 'ended' || request === undefined) return 'ended'
    const [row] = await database.query(keyByRequest, [home.organisation, request])
    return row === undefined ? 'ended' : { repeated: row.id }
  }

  return {
    async list({ organisation, store }, limit, after) {
      const rows = await database.query(keyPage, [organisation, store ?? null, after ?? null, limit])
      return rows.map(managed)
    },

    find,

    async create(home, wanted, { actor, vendor, requestName }) {
      const { organisation } = home
      const owner = await ownerFor(organisation, actor)
      if (owner === 'owner') return owner
      const { networks, plan, store, ...rest } = wanted
      if (store !== undefined && store !== home.store && !(await hasStore(organisation, store)))
        return 'store'
      const request = requestOf(organisation, actor, 'create', requestName)
      const [row] = plan === undefined ? [] : await database.query(organisationById, [organisation])
      try {
        const { key, id } = await logged(actor, vendor, (administration) =>
          administration.create({
            ...rest,
            ...owner,
            organisation,
            ...(store === undefined ? {} : { store }),
            cidrs: networks,
            // A plan that the organisation has changes with it.
            ...(plan === undefined || plan === row?.plan ? {} : { plan }),
            createdBy: makerOf(actor),
            ...(request && { request }),
          }),
        )
        return await givenOut(home, id, key)
      } catch (error) {
        return obstacleOf(error, home, request)
      }
    },

    async rotate(home, id, how, { actor, vendor, requestName }) {
      const request = requestOf(home.organisation, actor, `rotate ${id}`, requestName)
      if ((await find(home, id)) === undefined) return 'unknown'
      try {
        const { key, beforeEndsAt } = await logged(actor, vendor, (administration) =>
          administration.rotate(home.organisation, id, makerOf(actor), {
            ...how,
            ...(request && { request }),
          }),
        )
        await settled()
        return { ...(await givenOut(home, id, key)), beforeEndsAt }
      } catch (error) {
        return obstacleOf(error, home, request)
      }
    },

    async revoke(home, id, { actor }) {
      if ((await find(home, id)) === undefined) return 'unknown'
      await logged(actor, undefined, (administration) =>
        administration.revoke(home.organisation, id, makerOf(actor), 'by its organisation'),
      )
      await settled()
      return (await find(home, id)) ?? 'unknown'
    },
  }
}

function asDoneBy(event: AuditEvent, { subject, credential, address, requestId }: KeyActor): AuditEvent {
  return {
    ...event,
    actor: subject ?? credential.id,
    credential: credential.id,
    ...(address === undefined ? {} : { address }),
    ...(requestId === undefined ? {} : { requestId }),
  }
}

/** Who stands beside a key as its maker: of a key the key, so that what came from one that leaked can be found. */
function makerOf({ subject, credential }: KeyActor): string {
  return credential.kind === 'key' ? credential.id : (subject ?? credential.id)
}

// JSON keeps parts apart: no two of them can be written to look like others. Names are of a person, who may come by one session
// and then by another, or of one key: else a weak key could use up the names of a strong one.
function requestOf(
  organisation: string,
  { subject, credential }: KeyActor,
  what: string,
  name: string | undefined,
): Uint8Array | undefined {
  if (name === undefined) return undefined
  const who = credential.kind === 'key' ? credential.id : (subject ?? credential.id)
  const parts = [organisation, credential.kind === 'key', who, what, name]
  return createHash('sha256').update(JSON.stringify(parts)).digest()
}

function managed(row: RowOf<typeof keyById>): ManagedKey {
  const time = <Name extends string>(name: Name, at: Date | null) =>
    at === null ? {} : ({ [name]: at.getTime() } as Record<Name, number>)
  const said = <Name extends string>(name: Name, value: string | null) =>
    value === null ? {} : ({ [name]: value } as Record<Name, string>)
  return {
    id: row.id,
    name: row.name,
    kind: row.kind as ManagedKey['kind'],
    environment: row.environment as ManagedKey['environment'],
    display: row.display,
    ...said('store', row.store_id),
    ...said('owner', row.owner_id),
    createdBy: row.created_by,
    ...said('plan', row.plan),
    scopes: row.scopes,
    origins: row.origins,
    networks: row.cidrs,
    createdAt: row.created_at.getTime(),
    ...time('expiresAt', row.expires_at),
    ...time('lastUsedAt', row.last_used_at),
    ...time('revokedAt', row.revoked_at),
    ...said('revokedReason', row.revoked_reason),
    generation: row.generation,
  }
}
