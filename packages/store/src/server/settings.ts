// A PostgreSQL server: times for everything, so that a frozen server costs one caller a second and no connection for ever.

import pg from 'pg'
import { types } from '../database.ts'
import { StoreFault } from '../fault.ts'

/** How the server is reached. */
export interface ServerSettings {
  /** `postgres://user:password@host:5432/database` */
  readonly url: string
  readonly connections?: number
  /** Milliseconds. */
  readonly waitMs?: number
  /** False behind a pooler, which refuses parameters at the start of a connection that it does not know. */
  readonly preparedStatements?: boolean
}

/** How long the server lets a statement run, wait for a lock, and a transaction idle; milliseconds. */
export const SERVER_TIMES = {
  statement_timeout: 900,
  lock_timeout: 500,
  idle_in_transaction_session_timeout: 5_000,
} as const

const OLDEST = 150_000

/** Makes the pool; nothing is connected yet. */
export function serverPool(settings: ServerSettings): pg.Pool {
  return new pg.Pool({
    connectionString: settings.url,
    max: settings.connections ?? 10,
    connectionTimeoutMillis: settings.waitMs ?? 500,
    query_timeout: 1_000,
    ...(settings.preparedStatements === false ? {} : SERVER_TIMES),
    application_name: 'sallyport',
    pipeline: true,
    types,
  })
}

/** One connection for work that takes its time: migrations, exports. */
export function patientClient(url: string): pg.Client {
  return new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: 2_000,
    application_name: 'sallyport',
    types,
  })
}

/**
 * Refuses a server that is too old.
 *
 * @throws StoreFault `refused`
 */
export async function judgeServer(client: pg.ClientBase | pg.Pool): Promise<void> {
  const { rows } = await client.query<{ server_version_num: string; server_version: string }>(
    `select current_setting('server_version_num') as server_version_num, current_setting('server_version') as server_version`,
  )
  const [version] = rows
  if (Number(version?.server_version_num) < OLDEST)
    throw new StoreFault(
      'refused',
      `the store's server is PostgreSQL ${version?.server_version}; version 15 or newer is needed`,
    )
}
