// What people do with keys: make, list, rotate, revoke, look for those that expire or that nobody uses. A key is given out
// once, when it is made; after that only its digest is known.

import { randomUUID } from 'node:crypto'
import type { AuditEvent, AuditSink, PlanOverrides } from 'sallyport'
import { digestOf, faultOfKey, type KeyEnvironment, type KeyFormat, type KeyKind } from 'sallyport/keys'
import type { Database } from '../database.ts'
import type { RowOf } from '../statement.ts'
import {
  keyById,
  keyInsert,
  keyList,
  keyRevoke,
  keyRotate,
  keysExpiring,
  keysUnused,
} from '../statements/keys.ts'
import {
  organisationById,
  organisationByName,
  organisationInsert,
  organisationPlan,
  principalById,
} from '../statements/organisations.ts'
import { KeyFault, type NewKey } from './new-key.ts'
import { type Pepper, pepperedDigest } from './peppers.ts'

/** A key as it may be shown. */
export type ShownKey = RowOf<typeof keyList>
type Organisation = RowOf<typeof organisationById>

/** How keys are made and told of. */
export interface KeyAdministrationOptions {
  /** How new keys look; whoever makes none needs none. */
  readonly format?: KeyFormat
  /** The newest first. */
  readonly peppers: readonly Pepper[]
  /** Fills an array with random bytes. */
  readonly random: (bytes: Uint8Array) => Uint8Array
  readonly clock: () => number
  readonly audit?: AuditSink
  /** Told when a key ended or changed: to poke a ring of this process. */
  readonly onChange?: () => void
}

/** Seven days. */
const LONGEST_OVERLAP_SECONDS = 604_800
const DAY_MS = 86_400_000

// The name that PostgreSQL gives to the column's own constraint.
const REQUEST_CONSTRAINT = 'api_key_generations_request_key'

function refuseRepeated(error: { readonly code?: string; readonly constraint?: string }): never {
  if (error.code !== '23505' || error.constraint !== REQUEST_CONSTRAINT) throw error
  throw new KeyFault('repeated', 'this request was carried out before')
}

/** What can be done with the keys of a store. */
export type KeyAdministration = ReturnType<typeof keyAdministration>

/**
 * Opens the administration of keys. Its functions throw KeyFault for what can't be done and StoreFault for a store that
 * is away.
 */
export function keyAdministration(database: Database, options: KeyAdministrationOptions) {
  const { peppers, random, clock } = options
  const [pepper] = peppers
  if (pepper === undefined) throw new RangeError('Keys are made with a pepper; give at least one.')

  const tell = (
    action: AuditEvent['action'],
    organisation: string,
    target: string,
    actor: string,
    details = {},
  ) =>
    options.audit?.record({
      action,
      outcome: 'success',
      organisation,
      actor,
      target,
      control: 'SP-KEYS-01',
      details,
    })

  const makes = (): KeyFormat => {
    if (options.format === undefined) throw new RangeError('Keys are made in a format; give one.')
    return options.format
  }

  async function digestFor(key: string): Promise<Uint8Array> {
    return pepperedDigest(pepper!, Buffer.from(await digestOf(key), 'latin1'))
  }

  async function show(organisation: string, id: string): Promise<RowOf<typeof keyById>> {
    const [row] = await database.query(keyById, [organisation, id])
    if (row === undefined) throw new KeyFault('unknown', `the organisation has no key ${JSON.stringify(id)}`)
    return row
  }

  return {
    show,

    /** Makes an organisation and gives its id. */
    async createOrganisation(
      name: string,
      plan: string,
      actor: string,
      overrides?: PlanOverrides,
    ): Promise<string> {
      if (!/^[^\p{Cc}]{1,100}$/u.test(name))
        throw new KeyFault('wrong', 'the name of an organisation is one line of 1 to 100 characters')
      const id = randomUUID()
      await database.query(organisationInsert, [id, name, plan, overrides ?? null])
      tell('organisation.created', id, id, actor, { plan })
      return id
    },

    /** Finds an organisation by its id, or by its name where only one has it. */
    async organisation(nameOrId: string): Promise<Organisation | undefined> {
      const [byId] = await database.query(organisationById, [nameOrId])
      if (byId !== undefined) return byId
      const [byName, another] = await database.query(organisationByName, [nameOrId])
      if (another !== undefined)
        throw new KeyFault(
          'wrong',
          `several organisations are named ${JSON.stringify(nameOrId)}; give the id`,
        )
      return byName
    },

    /**
     * Gives an organisation another plan, and what it differs in from that plan; every node learns it within two seconds.
     * Keys with a plan of their own keep it.
     */
    async setPlan(
      organisation: string,
      plan: string,
      overrides: PlanOverrides | undefined,
      actor: string,
    ): Promise<void> {
      const [row] = await database.query(organisationPlan, [organisation, plan, overrides ?? null])
      if (row === undefined)
        throw new KeyFault('unknown', `there is no organisation ${JSON.stringify(organisation)}`)
      const own = (overrides?.buckets ?? []).map(({ name, limit = 'plan' }) => `${name}=${limit}`).join(',')
      tell('organisation.plan_changed', organisation, organisation, actor, {
        plan,
        limits: own.slice(0, 256),
      })
      options.onChange?.()
    },

    /** Makes a key; its text is in the answer and nowhere else. */
    async create(wanted: NewKey): Promise<{ readonly key: string; readonly id: string }> {
      const { organisation, name, kind, environment, scopes = [], origins = [], cidrs = [] } = wanted
      const fault = faultOfKey({ name, kind, scopes, origins, cidrs })
      if (fault !== undefined) throw new KeyFault('wrong', fault)
      if (wanted.expiresAt !== undefined && wanted.expiresAt <= clock())
        throw new KeyFault('wrong', 'the key would be expired already; give a later time')
      if (wanted.owner !== undefined) {
        const [owner] = await database.queryAs(organisation, principalById, [wanted.owner])
        if (owner === undefined || owner.disabled_at !== null)
          throw new KeyFault('unknown', `nobody of the organisation is ${JSON.stringify(wanted.owner)}`)
      }
      const format = makes()
      const key = format.make({ kind, environment }, random)
      const id = randomUUID()
      const row = [
        id,
        organisation,
        wanted.store ?? null,
        name,
        kind,
        environment,
        format.display(key),
        wanted.plan ?? null,
        scopes,
        origins,
        cidrs,
        wanted.createdBy,
        wanted.expiresAt === undefined ? null : new Date(wanted.expiresAt),
        await digestFor(key),
        pepper.version,
        wanted.owner ?? null,
        wanted.request ?? null,
      ] as const
      await database.query(keyInsert, row).catch(refuseRepeated)
      tell('key.created', organisation, id, wanted.createdBy, { kind, environment })
      return { key, id }
    },

    /** A page of an organisation's keys, the newest first; it goes on behind `after`. */
    list: (organisation: string, limit = 100, after?: Pick<ShownKey, 'id' | 'created_at'>) =>
      database.query(keyList, [
        organisation,
        after?.created_at ?? new Date(clock() + DAY_MS),
        after?.id ?? '',
        limit,
      ]),

    /**
     * Gives a key its next generation. The one before ends at once, or after an overlap of up to seven days, and never
     * later than it would have expired.
     */
    async rotate(
      organisation: string,
      id: string,
      actor: string,
      {
        overlapSeconds = 0,
        expiresAt,
        request,
      }: {
        readonly overlapSeconds?: number
        readonly expiresAt?: number
        readonly request?: Uint8Array
      } = {},
    ): Promise<{ readonly key: string; readonly generation: number; readonly beforeEndsAt: number }> {
      if (
        !(
          Number.isInteger(overlapSeconds) &&
          overlapSeconds >= 0 &&
          overlapSeconds <= LONGEST_OVERLAP_SECONDS
        )
      )
        throw new KeyFault('wrong', 'the overlap is at most 7d, in whole seconds')
      const format = makes()
      const { kind, environment } = await show(organisation, id)
      const key = format.make({ kind: kind as KeyKind, environment: environment as KeyEnvironment }, random)
      const digest = await digestFor(key)
      const [row] = await database
        .query(keyRotate, [
          id,
          digest,
          pepper.version,
          format.display(key),
          overlapSeconds,
          expiresAt === undefined ? null : new Date(expiresAt),
          request ?? null,
        ])
        .catch(refuseRepeated)
        .catch((error: { readonly code?: string }) => {
          // Two rotations at once: the number of the next generation is taken.
          if (error.code !== '23505') throw error
          throw new KeyFault(
            'ended',
            'somebody else has just rotated this key; look at it before you try again',
          )
        })
      if (row === undefined) throw new KeyFault('ended', 'the key is revoked or expired; make a new one')
      tell('key.rotated', organisation, id, actor, { generation: row.generation, overlapSeconds })
      options.onChange?.()
      return { key, generation: row.generation, beforeEndsAt: row.before_ends_at.getTime() }
    },

    /** Revokes a key; false where it was revoked before. */
    async revoke(organisation: string, id: string, actor: string, reason: string): Promise<boolean> {
      await show(organisation, id)
      const [row] = await database.query(keyRevoke, [organisation, id, reason.slice(0, 200)])
      if (row === undefined) return false
      tell('key.revoked', organisation, id, actor, { reason: reason.slice(0, 200) })
      options.onChange?.()
      return true
    },

    /** Living keys that expire within so many seconds, the next first. */
    expiring: (seconds: number, limit = 100) =>
      database.query(keysExpiring, [new Date(clock()), new Date(clock() + seconds * 1000), limit]),

    /** Living keys that nobody used for so many days. */
    unused: (days: number, limit = 100) =>
      database.query(keysUnused, [new Date(clock() - days * DAY_MS), limit]),
  }
}
