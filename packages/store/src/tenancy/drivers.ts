// The drivers, by what their public interfaces have in common; none is imported. Each runs work in one transaction of
// one connection.

import { AsyncLocalStorage } from 'node:async_hooks'
import { TenancyFault } from './fault.ts'
import { FORGET_SETS, type Opening } from './tenant.ts'
import { isGiven } from './until.ts'

/** A `pg` client: `Client` or `PoolClient`. */
export interface PgClient {
  query(text: string): Promise<{ readonly command: string | null; readonly rows: unknown[] }>
  on(event: 'error', listener: (error: Error) => void): unknown
  removeListener(event: 'error', listener: (error: Error) => void): unknown
  readonly pipeline?: boolean
}
/** A `pg` Pool. */
export interface PgPool<Client extends PgClient> {
  connect(): Promise<Client & { release(broken?: Error | boolean): void }>
  connect(
    callback: (
      error: Error | undefined,
      client: (Client & { release(broken?: Error | boolean): void }) | undefined,
      done: (broken?: Error | boolean) => void,
    ) => void,
  ): void
  readonly totalCount: number
}
/** postgres.js: what `postgres()` returns. */
export interface PostgresJs<Handle extends object> {
  begin(work: (sql: Handle) => unknown): Promise<unknown>
  begin(options: string, work: (sql: Handle) => unknown): Promise<unknown>
}
/** Kysely on PostgreSQL. */
export interface KyselyDatabase<Handle extends object> {
  readonly isTransaction: boolean
  transaction(): { execute<T>(work: (transaction: Handle) => Promise<T>): Promise<T> }
}
/** Drizzle on PostgreSQL. */
export interface DrizzleDatabase<Handle extends object> {
  execute(text: string): PromiseLike<unknown>
  transaction<T>(work: (transaction: Handle) => Promise<T>): Promise<T>
}
/** A Prisma client. */
export interface PrismaClient<Handle extends object> {
  $transaction<T>(work: (transaction: Handle) => Promise<T>): Promise<T>
}

/** A transaction that has begun. */
interface Transaction {
  /** What the caller's function gets. */
  readonly handle: object
  /** Runs one statement without parameters; its rows. */
  run(sql: string): Promise<readonly unknown[]>
  /** Sends the commit behind what was sent already; nothing may be sent after it. Absent where it must be waited for. */
  readonly ending?: () => void
}

/** Runs work in a transaction that begins with `opening`. */
export type Begin = <T>(opening: Opening, work: (transaction: Transaction) => Promise<T>) => Promise<T>

/**
 * Recognises a driver.
 *
 * @throws TenancyFault `driver`
 */
export function beginOf(db: object): Begin {
  if (isGiven(db)) throw new TenancyFault('driver', 'this is a tenant’s transaction already; use it as it is')
  const has = (...names: readonly string[]) =>
    names.every((name) => typeof (db as Record<string, unknown>)[name] === 'function')
  if (has('connect', 'query'))
    return 'totalCount' in db ? beginPool(db as PgPool<PgClient>) : beginClient(db as PgClient)
  if (typeof db === 'function' && has('begin', 'unsafe'))
    return beginPostgresJs(db as unknown as PostgresJs<object>)
  if (
    has('transaction', 'selectFrom', 'executeQuery') &&
    (db as KyselyDatabase<object>).isTransaction === false
  )
    return beginKysely(db as KyselyDatabase<object>)
  // A transaction of Drizzle's can be rolled back; a savepoint in it would leave its tenant to what comes after.
  if (has('transaction', 'execute', 'select') && !has('rollback'))
    return beginDrizzle(db as DrizzleDatabase<object>)
  // A transaction of Prisma's has no connection of its own to open.
  if (has('$transaction', '$executeRawUnsafe', '$connect')) return beginPrisma(db as PrismaClient<object>)
  throw new TenancyFault(
    'driver',
    'expected a pg Pool or Client, a postgres.js function, a Kysely, Drizzle or Prisma database outside of any transaction',
  )
}

function rowsOf(result: unknown): readonly unknown[] {
  return Array.isArray(result) ? result : ((result as { readonly rows?: unknown[] } | undefined)?.rows ?? [])
}

function beginPool(pool: PgPool<PgClient>): Begin {
  return async (opening, work) => {
    // The callback runs while the pool lets go of the client, so that no moment is without a listener.
    const { client, watch } = await new Promise<{
      client: PgClient & { release(broken?: Error | boolean): void }
      watch: Watch
    }>((resolve, reject) => {
      pool.connect((error, client) => {
        if (client) resolve({ client, watch: watchLoss(client) })
        else reject(error)
      })
    })
    // A connection whose transaction could not be ended belongs to nobody.
    let broken = true
    try {
      return await inTransaction(client, watch, opening, work, () => {
        broken = false
      })
    } finally {
      client.release(watch.lost() ?? broken)
      watch.end()
    }
  }
}

/** Hears that a connection was lost. */
interface Watch {
  lost(): Error | undefined
  end(): void
}

// A client that loses its connection tells so by an event; one that nobody listens to ends the process. The pool listens
// to idle clients only.
function watchLoss(client: PgClient): Watch {
  let lost: Error | undefined
  const listener = (error: Error): void => {
    lost ??= error
  }
  client.on('error', listener)
  return { lost: () => lost, end: () => void client.removeListener('error', listener) }
}

// Transactions on one client follow each other: two at once would be one, with the tenant of the second. One inside
// another would wait for itself for ever.
const turns = new WeakMap<PgClient, Promise<unknown>>()
const inside = new AsyncLocalStorage<PgClient>()

function beginClient(client: PgClient): Begin {
  return async (opening, work) => {
    if (inside.getStore() === client)
      throw new TenancyFault(
        'driver',
        'a tenant’s transaction runs on this client already; use what it gave you',
      )
    const turn = (turns.get(client) ?? Promise.resolve()).then(() =>
      inside.run(client, async () => {
        const watch = watchLoss(client)
        try {
          return await inTransaction(client, watch, opening, work, () => {})
        } finally {
          watch.end()
        }
      }),
    )
    turns.set(
      client,
      turn.catch(() => {}),
    )
    return turn
  }
}

async function inTransaction<T>(
  client: PgClient,
  watch: Watch,
  opening: Opening,
  work: (transaction: Transaction) => Promise<T>,
  clean: () => void,
): Promise<T> {
  // One message: what fails in it makes all that follows fail, the commit included.
  const opened = client.query(`begin; ${opening.sets}`)
  opened.catch(() => {})
  const pipelined = client.pipeline === true
  let closing: ReturnType<PgClient['query']> | undefined
  const close = () => {
    closing ??= client.query(`commit; ${FORGET_SETS}`)
    closing.catch(() => {})
    return closing
  }
  try {
    if (!pipelined) await opened
    const value = await work({
      handle: client,
      run: async (sql) => (await client.query(sql)).rows,
      ...(pipelined ? { ending: () => void close() } : {}),
    })
    await opened
    // A transaction that failed inside answers COMMIT with ROLLBACK, and no error.
    const command = await close().then(commandOf, (error: unknown) => {
      throw watch.lost() ?? error
    })
    clean()
    if (command !== 'COMMIT')
      throw new TenancyFault('rolled-back', 'a query inside failed, so the transaction was rolled back')
    return value
  } catch (error) {
    await client.query(`rollback; ${FORGET_SETS}`).then(clean, () => {})
    throw error
  }
}

// Of several statements in one message `pg` gives a list of results.
function commandOf(
  result: { readonly command: string | null } | readonly { readonly command: string | null }[],
) {
  return 'command' in result ? result.command : result[0]?.command
}

function beginPostgresJs(sql: PostgresJs<object>): Begin {
  return async <T>(opening: Opening, work: (transaction: Transaction) => Promise<T>) => {
    const result = await sql.begin(async (handle) => {
      const { unsafe } = handle as {
        unsafe(text: string): Promise<unknown> & { execute(): Promise<unknown> }
      }
      const opened = unsafe(opening.sets).execute()
      opened.catch(() => {})
      const value = await work({ handle, run: async (text) => rowsOf(await unsafe(text)) })
      await opened
      const forgotten = unsafe(opening.forget).execute()
      forgotten.catch(() => {})
      // A list of promises would be waited for by the driver, and a list copied.
      return { value }
    })
    return (result as { readonly value: T }).value
  }
}

function beginKysely(db: KyselyDatabase<object>): Begin {
  return (opening, work) =>
    db.transaction().execute(async (handle) => {
      const run = async (sql: string) =>
        rowsOf(
          await (handle as { executeQuery(query: object): Promise<unknown> }).executeQuery({
            sql,
            parameters: [],
            query: { kind: 'RawNode', sqlFragments: [sql], parameters: [] },
            queryId: { queryId: 'tenancy' },
          }),
        )
      await run(opening.select)
      const value = await work({ handle, run })
      await run(opening.forget)
      return value
    })
}

function beginDrizzle(db: DrizzleDatabase<object>): Begin {
  return (opening, work) =>
    db.transaction(async (handle) => {
      const run = async (sql: string) => rowsOf(await (handle as DrizzleDatabase<object>).execute(sql))
      await run(opening.select)
      const value = await work({ handle, run })
      await run(opening.forget)
      return value
    })
}

function beginPrisma(db: PrismaClient<object>): Begin {
  return (opening, work) =>
    db.$transaction(async (handle) => {
      const raw = handle as {
        $executeRawUnsafe(sql: string): PromiseLike<unknown>
        $queryRawUnsafe(sql: string): PromiseLike<unknown>
      }
      await raw.$executeRawUnsafe(opening.select)
      const value = await work({ handle, run: async (sql) => rowsOf(await raw.$queryRawUnsafe(sql)) })
      await raw.$executeRawUnsafe(opening.forget)
      return value
    })
}
