// Opens the records: embedded in a folder or on a PostgreSQL server, one interface for both.

import { setTimeout as wait } from 'node:timers/promises'
import pg from 'pg'
import { copyFolder } from './backup/copy.ts'
import { APP_ROLE, type Database, databaseOf, types } from './database.ts'
import { type EmbeddedSettings, type EngineEvent, openEmbedded } from './embedded/engine.ts'
import { faultOf } from './fault.ts'
import { history, judgeHistory, migrate, readMigrations } from './migrate.ts'
import { judgeRole } from './server/role.ts'
import { judgeServer, patientClient, SERVER_TIMES, serverPool } from './server/settings.ts'

/** Something that happened to a store. */
export type StoreEvent = EngineEvent | 'connection-lost' | 'unreachable' | 'reachable' | 'damaged'

/** What both engines take. */
interface CommonSettings {
  /** Something an operator should know; nothing of it is secret. */
  readonly onEvent?: (event: StoreEvent) => void
  /** Random bytes for the jitter of repeated transactions; the platform's where left out. */
  readonly random?: (bytes: Uint8Array) => Uint8Array
  /** Milliseconds a caller waits for its turn before it hears `busy`: 500 on a server, 2,500 on the one session embedded. */
  readonly waitMs?: number
}

/** Which store to open. */
export type StoreSettings = CommonSettings &
  (
    | EmbeddedSettings
    | {
        /** Of a role that owns nothing and is bound by row-level security. */
        readonly url: string
        /** Of the tables' owner: migrations run through it. Without it the schema must be current. */
        readonly ownerUrl?: string
        readonly connections?: number
        /**
         * False behind a PgBouncer below 1.21 in transaction mode. The times after which the server ends a statement are
         * then set in each transaction; for single statements set them with `alter role api set statement_timeout`.
         */
        readonly preparedStatements?: boolean
      }
  )

/** An open store. */
export interface Store extends Database {
  readonly engine: 'embedded' | 'server'
  /** False while there is a problem. */
  readonly ready: boolean
  /** What an operator should know, in a sentence: it can't be reached, ends again and again, or was found damaged. */
  readonly problem: string | undefined
  /** Runs something on one connection of the owner, for as long as it takes. */
  asOwner<T>(work: (client: pg.ClientBase) => Promise<T>): Promise<T>
  /** Embedded: copies the folder as of one moment to a place that is not there yet; the copy is opened as any store. */
  readonly copyTo?: (directory: string) => Promise<void>
  close(): Promise<void>
}

const PATIENCE_MS = 600_000

/**
 * Opens a store and brings its schema up to date.
 *
 * @throws StoreFault where it must not or can't be opened; the message says what to do
 *
 * @example
 * ```ts
 * const store = await openStore({ directory: '.sallyport/store' })
 * const [head] = await store.query(revocationHead, [])
 * await store.close()
 * ```
 */
export async function openStore(settings: StoreSettings): Promise<Store> {
  return 'url' in settings ? openServer(settings) : openFolder(settings)
}

function databaseSettings(settings: StoreSettings, onDamage: () => void) {
  return {
    preparedStatements: !('preparedStatements' in settings && settings.preparedStatements === false),
    random:
      settings.random ?? ((bytes: Uint8Array) => crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>)),
    now: () => performance.now(),
    wait: async (milliseconds: number) => void (await wait(milliseconds)),
    readOnly: 'url' in settings ? ('replica' as const) : ('full' as const),
    ...('preparedStatements' in settings && settings.preparedStatements === false
      ? { perTransaction: SERVER_TIMES }
      : {}),
    onDamage,
    onReach: (isReached: boolean) => settings.onEvent?.(isReached ? 'reachable' : 'unreachable'),
  }
}

function damageOf(settings: StoreSettings) {
  let there = false
  return {
    problem: () =>
      there
        ? 'what is on the disk is not what was written; look with sallyport doctor, and restore the store from a backup or an export'
        : undefined,
    found() {
      if (!there) settings.onEvent?.('damaged')
      there = true
    },
    forget() {
      there = false
    },
  }
}

async function openFolder(settings: CommonSettings & EmbeddedSettings): Promise<Store> {
  const damage = damageOf(settings)
  const engine = await openEmbedded({
    ...settings,
    onEvent(event) {
      // What was found may have been a volume that went away and came back; if not, it is found again.
      if (event === 'reopened') damage.forget()
      settings.onEvent?.(event)
    },
  })
  let migrated = false
  const pool = watched(
    new pg.Pool({
      // The first migration makes the role.
      stream: () => engine.connect(migrated ? APP_ROLE : undefined),
      // One session is all the database has; it is given from caller to caller.
      max: 1,
      idleTimeoutMillis: 0,
      // Longer than the longest query: whoever waits behind one that is ended is still served.
      connectionTimeoutMillis: settings.waitMs ?? 2_500,
      user: 'postgres',
      database: 'postgres',
      pipeline: true,
      types,
    }),
    settings,
  )
  const asOwner = async <T>(work: (client: pg.ClientBase) => Promise<T>): Promise<T> => {
    const client = await pool.connect()
    try {
      return await engine.patiently(PATIENCE_MS, async () => {
        await client.query('reset role')
        return await work(client)
      })
    } catch (error) {
      throw faultOf(error, 'full')
    } finally {
      // The connection ends with the owner's work: the next one begins with the application's role again.
      client.release(true)
    }
  }
  try {
    await asOwner((client) => migrate(client, readMigrations()))
    migrated = true
  } catch (error) {
    await pool.end()
    await engine.close()
    throw faultOf(error, 'full')
  }
  const database = databaseOf(pool, databaseSettings(settings, damage.found))
  const problem = () =>
    damage.problem() ??
    engine.problem ??
    (database.ready ? undefined : 'the embedded database does not answer')
  return {
    query: database.query,
    queryAs: database.queryAs,
    transaction: database.transaction,
    engine: 'embedded',
    get ready() {
      return problem() === undefined
    },
    get problem() {
      return problem()
    },
    asOwner,
    copyTo: (directory) => asOwner((client) => copyFolder(client, settings.directory, directory)),
    async close() {
      await pool.end()
      await engine.close()
    },
  }
}

async function openServer(settings: Extract<StoreSettings, { readonly url: string }>): Promise<Store> {
  const { ownerUrl } = settings
  const asOwner = async <T>(work: (client: pg.ClientBase) => Promise<T>): Promise<T> => {
    const client = patientClient(ownerUrl ?? settings.url)
    client.on('error', () => {})
    try {
      await client.connect()
      return await work(client)
    } catch (error) {
      throw faultOf(error)
    } finally {
      await client.end().catch(() => {})
    }
  }
  if (ownerUrl !== undefined)
    await asOwner(async (client) => {
      await judgeServer(client)
      await migrate(client, readMigrations())
    })
  const pool = watched(serverPool(settings), settings)
  try {
    await judgeServer(pool)
    await judgeRole(pool)
    judgeHistory(await history(pool), readMigrations(), 'complete')
  } catch (error) {
    await pool.end()
    throw faultOf(error)
  }
  const damage = damageOf(settings)
  const database = databaseOf(pool, databaseSettings(settings, damage.found))
  const problem = () =>
    damage.problem() ?? (database.ready ? undefined : 'the PostgreSQL server can’t be reached')
  return {
    query: database.query,
    queryAs: database.queryAs,
    transaction: database.transaction,
    engine: 'server',
    get ready() {
      return problem() === undefined
    },
    get problem() {
      return problem()
    },
    asOwner,
    close: () => pool.end(),
  }
}

// A connection that ends while nobody uses it is an event, not a crash; one in use rejects its queries by itself.
function watched(pool: pg.Pool, settings: StoreSettings): pg.Pool {
  pool.on('error', () => settings.onEvent?.('connection-lost'))
  pool.on('connect', (client) => client.on('error', () => {}))
  return pool
}
