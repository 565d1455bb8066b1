// What an operator should know about a store before it is trusted: who logs in, what version it is, whether a commit
// reaches the disk, whether the schema is current, whether the clocks agree, whether what was written can be read.

import type pg from 'pg'
import { history, judgeHistory, readMigrations } from './migrate.ts'
import { openStore, type StoreSettings } from './open.ts'
import { faultsOfRole } from './server/role.ts'
import { judgeServer, patientClient } from './server/settings.ts'
import { quoted, tablesOf } from './transfer/tables.ts'

/** One thing that was looked at. */
export interface Finding {
  readonly check: 'open' | 'role' | 'version' | 'durability' | 'schema' | 'clock' | 'pages'
  readonly ok: boolean
  readonly says: string
}

const CLOCK_MS = 2_000

/** Looks at a store; what can't be looked at is a finding too. */
export async function diagnose(
  settings: StoreSettings,
  now: () => number = Date.now,
): Promise<readonly Finding[]> {
  if ('url' in settings) {
    const client = patientClient(settings.url)
    client.on('error', () => {})
    try {
      await client.connect()
    } catch {
      return [{ check: 'open', ok: false, says: 'the server can’t be reached, or does not let this role in' }]
    }
    try {
      const faults = await faultsOfRole(client)
      return [
        {
          check: 'role',
          ok: faults.length === 0,
          says: `the login role ${faults.join(' and ') || 'is bound by row-level security'}`,
        },
        ...(await checks(client, now)),
      ]
    } finally {
      await client.end().catch(() => {})
    }
  }
  try {
    const store = await openStore(settings)
    try {
      return await store.asOwner(async (client) => [...(await checks(client, now)), await pages(client)])
    } finally {
      await store.close()
    }
  } catch (error) {
    return [{ check: 'open', ok: false, says: (error as Error).message }]
  }
}

async function checks(client: pg.ClientBase, now: () => number): Promise<readonly Finding[]> {
  const said = async (check: Finding['check'], good: string, work: () => Promise<void>): Promise<Finding> => {
    try {
      await work()
      return { check, ok: true, says: good }
    } catch (error) {
      return { check, ok: false, says: (error as Error).message }
    }
  }
  const asked = now()
  const { rows } = await client.query<{ fsync: string; pages: string; commit: string; now: Date }>(
    `select current_setting('fsync') as fsync, current_setting('full_page_writes') as pages,
       current_setting('synchronous_commit') as commit, clock_timestamp() as now`,
  )
  const answered = now()
  const settings = rows[0]!
  const durable = settings.fsync === 'on' && settings.pages === 'on' && settings.commit !== 'off'
  const away = Math.max(asked - settings.now.getTime(), settings.now.getTime() - answered, 0)
  return [
    await said('version', 'PostgreSQL 15 or newer', () => judgeServer(client)),
    {
      check: 'durability',
      ok: durable,
      says: durable
        ? 'a commit is on the disk when it is acknowledged'
        : `acknowledged commits can be lost: fsync ${settings.fsync}, full_page_writes ${settings.pages}, synchronous_commit ${settings.commit}`,
    },
    await said('schema', 'the schema is current', async () =>
      judgeHistory(await history(client), readMigrations(), 'complete'),
    ),
    {
      check: 'clock',
      ok: away <= CLOCK_MS,
      says:
        away <= CLOCK_MS
          ? 'the clocks agree'
          : `the clock here and the store’s are ${Math.round(away / 1_000)} s apart; waits of lockouts and ends of keys differ by that`,
    },
  ]
}

// Every page has a checksum, which is looked at when it is read. A server has tools of its own for this (pg_amcheck), and
// more than we would want to read.
async function pages(client: pg.ClientBase): Promise<Finding> {
  const damaged: string[] = []
  for (const { name } of await tablesOf(client))
    try {
      await client.query(`select sum(length(t::text)) from ${quoted(name)} t`)
    } catch {
      damaged.push(name)
    }
  return {
    check: 'pages',
    ok: damaged.length === 0,
    says:
      damaged.length === 0
        ? 'every row can be read'
        : `rows of ${damaged.join(', ')} can’t be read: what is on the disk is not what was written; restore the store from an export: sallyport store import`,
  }
}
