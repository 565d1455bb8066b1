// The records of keys as a ring asks for them: one look-up by digest, the sequence of revocations, last uses.

import type { KeyDigest, KeyRecord, KeyRecords } from 'sallyport/keys'
import type { Database } from '../database.ts'
import type { RowOf } from '../statement.ts'
import { keyByDigest, keyRevoke, keysUsed, revocationHead, revocationNews } from '../statements/keys.ts'
import { principalById } from '../statements/organisations.ts'
import { type Pepper, pepperedDigest, sameDigest } from './peppers.ts'

/** What is done beside. */
export interface KeyRecordsOptions {
  /** Told when somebody else has seen a key; it is revoked already where it is a secret one. */
  readonly onExposed?: (record: KeyRecord, source: string) => void
}

const PAGE = 1_000

/** The records of a store. */
export function keyRecords(
  database: Database,
  peppers: readonly Pepper[],
  options: KeyRecordsOptions = {},
): KeyRecords {
  async function find(digest: KeyDigest): Promise<KeyRecord | undefined> {
    const bytes = Buffer.from(digest, 'latin1')
    const candidates = peppers.map((pepper) => ({
      version: pepper.version,
      digest: pepperedDigest(pepper, bytes),
    }))
    const [row] = await database.query(keyByDigest, [candidates.map((each) => each.digest)])
    if (row === undefined) return undefined
    // The index compares byte by byte and so tells, by its time, something of a digest under a pepper that nobody has; this
    // comparison tells nothing.
    const own = candidates.find(({ version }) => version === row.pepper_version)
    if (own === undefined || !sameDigest(own.digest, row.digest)) return undefined
    const owner = row.owner_id
    if (owner === null) return recordOf(row)
    const [principal] = await database.queryAs(row.organisation_id, principalById, [owner])
    return recordOf(row, { id: owner, principal })
  }

  return {
    find,
    async revocations(after) {
      if (after === undefined) {
        const [head] = await database.query(revocationHead, [])
        return { seq: head!.seq, ended: [], isCut: false }
      }
      const rows = await database.query(revocationNews, [after, PAGE])
      const ended = rows.flatMap(({ seq, subject_kind: kind, subject_id: id }) =>
        seq === null ? [] : [{ kind: kind as 'key', id: id! }],
      )
      const isCut = ended.length === PAGE
      return { seq: rows.at(-1)!.seq ?? rows[0]!.head, ended, isCut }
    },
    async used(uses) {
      await database.query(keysUsed, [[...uses.keys()], [...uses.values()].map((at) => new Date(at))])
    },
    async exposed(digest, source) {
      const record = await find(digest)
      if (record === undefined) return
      // A publishable key stands in pages: everybody has seen it.
      if (record.kind === 'publishable') return
      await database.query(keyRevoke, [record.organisation, record.id, `exposed: ${source.slice(0, 100)}`])
      options.onExposed?.(record, source)
    },
  }
}

interface Owner {
  readonly id: string
  readonly principal: RowOf<typeof principalById> | undefined
}

function recordOf(row: RowOf<typeof keyByDigest>, owner?: Owner): KeyRecord {
  // An owner that is disabled, or gone, ends its keys.
  const ended = [
    row.revoked_at?.getTime(),
    owner &&
      (owner.principal === undefined ? row.created_at.getTime() : owner.principal.disabled_at?.getTime()),
  ].filter((at) => at !== undefined)
  const time = <Name extends string>(name: Name, at: Date | null) =>
    at === null ? {} : ({ [name]: at.getTime() } as Record<Name, number>)
  return {
    id: row.id,
    kind: row.kind as KeyRecord['kind'],
    environment: row.environment as KeyRecord['environment'],
    organisation: row.organisation_id,
    ...(row.store_id === null ? {} : { store: row.store_id }),
    owner: owner?.id ?? row.organisation_id,
    name: row.name,
    display: row.display,
    plan: row.plan ?? row.organisation_plan,
    // What the organisation's plan differs in says nothing of another plan.
    ...(row.plan !== null || row.organisation_overrides === null
      ? {}
      : { planOverrides: row.organisation_overrides as NonNullable<KeyRecord['planOverrides']> }),
    scopes: row.scopes,
    ...(owner === undefined
      ? {}
      : {
          ownerScopes: owner.principal?.scopes ?? [],
          ...(owner.principal && { ownerRole: owner.principal.role }),
        }),
    origins: row.origins,
    cidrs: row.cidrs,
    createdAt: row.created_at.getTime(),
    ...time('expiresAt', row.expires_at),
    generation: row.generation,
    ...time('generationReplacedAt', row.ends_at === null ? null : row.replaced_at),
    ...time('generationEndsAt', row.ends_at),
    ...(ended.length === 0 ? {} : { revokedAt: Math.min(...ended) }),
    ...time('organisationDisabledAt', row.organisation_disabled_at),
  }
}
