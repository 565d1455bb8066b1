// Encrypts the fields of a column anew with the newest key, batch by batch, while the application goes on. A row says by
// its own first bytes with which key it is encrypted, so that a run that was cut off is simply begun again.

import { FieldFault } from './fault.ts'
import type { FieldKeys } from './keys.ts'
import { headerOf, openField, sealField } from './sealed.ts'

/** Which column. */
export interface SealedColumn {
  /** Of type bytea; with its schema where that is not on the search path. */
  readonly table: string
  readonly column: string
  /** The column of the primary key that was part of the place. */
  readonly row: string
}

/** A connection: one of `pg`. */
export interface FieldClient {
  query<Row>(text: string, values?: unknown[]): Promise<{ readonly rows: Row[] }>
}

const BATCH = 500
const NAME = /^[A-Za-z_][\w$]{0,62}$/

/**
 * How many fields each key has encrypted, by its number; 0 stands for values that are no encrypted fields.
 *
 * @throws FieldFault where rows are hidden from this role
 */
export async function countByKey(
  client: FieldClient,
  column: SealedColumn,
): Promise<ReadonlyMap<number, number>> {
  const { table, name } = namesOf(column)
  await judgeSight(client, table)
  const { rows } = await client.query<{ id: string; n: string }>(
    `select case when substring(${name} from 1 for 1) = '\\x01' and length(${name}) >= 33
       then ('x' || encode(substring(${name} from 2 for 4), 'hex'))::bit(32)::int8 & 4294967295 else 0 end as id,
       count(*) as n
     from ${table} where ${name} is not null group by 1 order by 1`,
  )
  return new Map(rows.map(({ id, n }) => [Number(id), Number(n)]))
}

/**
 * Encrypts all with the newest key.
 *
 * @param onBatch called after each batch with how many are done in this run
 * @returns how many were encrypted anew
 * @throws FieldFault where a value does not open, or rows are hidden from this role; what was done is kept
 */
export async function rotateColumn(
  client: FieldClient,
  column: SealedColumn,
  keys: FieldKeys,
  onBatch: (done: number) => void = () => {},
): Promise<number> {
  const names = namesOf(column)
  await judgeSight(client, names.table)
  let done = 0
  for (;;) {
    const before = done
    // By place in the table, so that no batch looks again at what earlier ones have passed.
    for (let after: string | undefined = '(0,0)'; after !== undefined; ) {
      const batch: Batch = await rotateBatch(client, column, names, keys, after)
      done += batch.rotated
      after = batch.last
      if (batch.rotated > 0) onBatch(done)
    }
    // Rows that others held, or wrote with an older key meanwhile, are met in another pass.
    if (done === before) return done
  }
}

interface Batch {
  readonly rotated: number
  /** The last place that was looked at; undefined at the end. */
  readonly last: string | undefined
}

interface Names {
  readonly table: string
  readonly name: string
  readonly row: string
  /** Without its schema. */
  readonly bare: string
}

async function rotateBatch(
  client: FieldClient,
  { column }: SealedColumn,
  { table, name, row, bare }: Names,
  keys: FieldKeys,
  after: string,
): Promise<Batch> {
  await client.query('begin')
  try {
    const { rows } = await client.query<{ place: string; row: string; sealed: Buffer }>(
      `select ctid::text as place, ${row}::text as row, ${name} as sealed from ${table}
       where ctid > $1::tid and substring(${name} from 1 for 5) <> $2 limit ${BATCH} for update skip locked`,
      [after, headerOf(keys.newest)],
    )
    const anew = rows.map(({ row, sealed }) => {
      const place = { table: bare, column, row }
      const plain = openField(keys, sealed, place)
      try {
        return sealField(keys, plain, place)
      } finally {
        plain.fill(0)
      }
    })
    // The rows are locked, so they are still where they were.
    if (rows.length > 0)
      await client.query(
        `update ${table} set ${name} = anew.sealed
         from unnest($1::tid[], $2::bytea[]) as anew (place, sealed) where ${table}.ctid = anew.place`,
        [rows.map(({ place }) => place), anew],
      )
    await client.query('commit')
    return { rotated: rows.length, last: rows.length === BATCH ? furthest(rows) : undefined }
  } catch (error) {
    await client.query('rollback').catch(() => {})
    throw error
  }
}

function furthest(rows: readonly { readonly place: string }[]): string {
  const numbers = (place: string) => place.slice(1, -1).split(',').map(Number) as [number, number]
  return rows
    .map(({ place }) => place)
    .reduce((best, place) => {
      const [[a, b], [c, d]] = [numbers(best), numbers(place)]
      return c > a || (c === a && d > b) ? place : best
    })
}

// Rows that row-level security hides would keep the old key unseen, and then it would be dropped.
async function judgeSight(client: FieldClient, table: string): Promise<void> {
  const { rows } = await client.query<{ active: boolean }>('select row_security_active($1) as active', [
    table,
  ])
  if (rows[0]?.active)
    throw new FieldFault(
      `row-level security hides rows of ${table} from this role, and their fields would keep the old key; log in as a role with BYPASSRLS for this`,
    )
}

function namesOf({ table, column, row }: SealedColumn): Names {
  const parts = table.split('.')
  const all = [...parts, column, row]
  if (parts.length > 2 || !all.every((each) => NAME.test(each)))
    throw new FieldFault(
      'expected a table, a column and the column of its key, such as accounts, totp and id',
    )
  const quoted = (name: string) => `"${name}"`
  return { table: parts.map(quoted).join('.'), name: quoted(column), row: quoted(row), bare: parts.at(-1)! }
}
