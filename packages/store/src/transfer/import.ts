// Fills an empty store from an export, all or nothing, after the whole export was verified.

import type { KeyObject } from 'node:crypto'
import type pg from 'pg'
import { StoreFault } from '../fault.ts'
import { readMigrations } from '../migrate.ts'
import type { Store } from '../open.ts'
import { type RowLine, rowOf, verifyExport } from './format.ts'
import { quoted, type Table, tablesOf } from './tables.ts'

/** What an import needs. */
export interface ImportSettings {
  /** Gives the lines from the start, each time it is called: they are read twice. */
  readonly lines: () => AsyncIterable<string>
  /** Ed25519: of the key that signed the export. */
  readonly publicKey: KeyObject
  /** What else is done with it, or not at all: in the same transaction, as the owner. */
  readonly finish?: (client: pg.ClientBase) => Promise<void>
}

// Rows that go in together, and their characters.
const BATCH = 200
const BATCH_LENGTH = 2 ** 20

/**
 * Imports into a store that holds nothing yet.
 *
 * @returns how many rows
 * @throws StoreFault `refused` where the export can't be trusted, is of a newer version, or the store is not empty
 */
export async function importStore(store: Store, settings: ImportSettings): Promise<number> {
  const { migrations } = await verifyExport(settings.lines(), settings.publicKey)
  const ours = readMigrations().map(({ sha256 }) => sha256)
  if (migrations.some((sha256, index) => sha256 !== ours[index]))
    throw new StoreFault(
      'refused',
      'the export was written by a newer or another version of Sallyport; import it with that version',
    )
  return store.asOwner(async (client) => {
    await client.query('begin')
    try {
      const rows = await fill(client, settings)
      await settings.finish?.(client)
      await client.query('commit')
      return rows
    } catch (error) {
      await client.query('rollback').catch(() => {})
      throw error
    }
  })
}

async function fill(client: pg.ClientBase, settings: ImportSettings): Promise<number> {
  const tables = new Map((await tablesOf(client)).map((table) => [table.name, table]))
  for (const { name, key } of tables.values()) {
    const { rowCount } = await client.query(`select from ${quoted(name)} limit 1`)
    // A table of one row has it from the migrations, and the export has it too.
    if (key[0] === 'one_row') await client.query(`delete from ${quoted(name)}`)
    else if (rowCount !== 0)
      throw new StoreFault('refused', `the store holds records already (${name}); import into a new one`)
  }
  let rows = 0
  let batch: RowLine[] = []
  let length = 0
  const flush = async (): Promise<void> => {
    const [first] = batch
    if (first) await insert(client, tables.get(first.table), batch)
    rows += batch.length
    batch = []
    length = 0
  }
  for await (const line of settings.lines()) {
    const found = rowOf(line)
    if (!found) continue
    const [first] = batch
    const isSame = first?.table === found.table && first.row['tenant_id'] === found.row['tenant_id']
    if (!isSame || batch.length === BATCH || length + line.length > BATCH_LENGTH) await flush()
    batch.push(found)
    length += line.length
  }
  await flush()
  return rows
}

/** Rows of one table, and of one tenant where it has tenants. */
async function insert(
  client: pg.ClientBase,
  table: Table | undefined,
  batch: readonly RowLine[],
): Promise<void> {
  if (!table) throw new StoreFault('refused', 'the export names a table that this version does not have')
  const { row } = batch[0]!
  if (table.tenant)
    await client.query(`select set_config('app.tenant', $1, true)`, [String(row['tenant_id'])])
  // Only the columns that the export has: newer ones take their defaults.
  const columns = Object.keys(row).map(quoted).join(', ')
  await client.query(
    `insert into ${quoted(table.name)} (${columns}) overriding system value
     select ${columns} from jsonb_populate_recordset(null::${quoted(table.name)}, $1)`,
    [JSON.stringify(batch.map((each) => each.row))],
  )
}
