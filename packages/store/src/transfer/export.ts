// Writes everything a store holds, as of one moment, row by row: the backup, and the way from one engine to the other.

import type { KeyObject } from 'node:crypto'
import type pg from 'pg'
import { history } from '../migrate.ts'
import type { Store } from '../open.ts'
import { footerOf, type Header, lineHash } from './format.ts'
import { quoted, type Table, tablesOf } from './tables.ts'

/** What an export needs. */
export interface ExportSettings {
  /** Takes one line, without its end; the next is made when this has resolved. */
  readonly write: (line: string) => Promise<void> | void
  /** Ed25519. */
  readonly privateKey: KeyObject
  readonly now: Date
}

const PAGE = 500

/**
 * Exports a store.
 *
 * @returns how many rows
 */
export async function exportStore(store: Store, settings: ExportSettings): Promise<number> {
  return store.asOwner(async (client) => {
    // One moment for all tables.
    await client.query('begin isolation level repeatable read read only')
    try {
      return await write(client, settings)
    } finally {
      await client.query('rollback').catch(() => {})
    }
  })
}

async function write(client: pg.ClientBase, settings: ExportSettings): Promise<number> {
  // A row is written the same wherever it is read, whatever the server is set to.
  await client.query(
    `select set_config('TimeZone', 'UTC', true), set_config('bytea_output', 'hex', true),
       set_config('extra_float_digits', '1', true), set_config('IntervalStyle', 'postgres', true)`,
  )
  const hash = lineHash()
  const put = async (value: unknown): Promise<void> => {
    const line = JSON.stringify(value)
    hash.add(line)
    await settings.write(line)
  }
  const header: Header = {
    format: 'sallyport-store/1',
    migrations: (await history(client)).map(({ sha256 }) => sha256),
    exportedAt: settings.now.toISOString(),
  }
  await put(header)
  let rows = 0
  const { rows: tenants } = await client.query<{ id: string }>('select id from organisations order by id')
  // Row-level security binds the tables' owner too, so a tenant's rows are read as that tenant.
  for (const table of await tablesOf(client))
    for (const tenant of table.tenant ? tenants.map(({ id }) => id) : [undefined])
      for await (const row of rowsOf(client, table, tenant)) {
        await put({ table: table.name, row })
        rows += 1
      }
  await settings.write(footerOf(rows, hash.digest(), settings.privateKey))
  return rows
}

async function* rowsOf(
  client: pg.ClientBase,
  table: Table,
  tenant: string | undefined,
): AsyncGenerator<unknown> {
  if (tenant !== undefined) await client.query(`select set_config('app.tenant', $1, true)`, [tenant])
  const order = table.key.length > 0 ? `order by ${table.key.join(', ')}` : ''
  await client.query(
    `declare exported no scroll cursor for select to_jsonb(t) as row from ${quoted(table.name)} t
     ${tenant === undefined ? '' : `where tenant_id = current_setting('app.tenant')`} ${order}`,
  )
  for (;;) {
    const page = await client.query<{ row: unknown }>(`fetch ${PAGE} from exported`)
    for (const { row } of page.rows) yield row
    if (page.rows.length < PAGE) break
  }
  await client.query('close exported')
}
