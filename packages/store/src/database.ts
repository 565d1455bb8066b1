// Queries and transactions on either engine: typed statements, the envelope of a tenant, bounded repeats of what another
// transaction got in the way of, and a breaker, so that a database that is down costs each caller little.

import pg from 'pg'
import { faultOf, isConnectionLost, StoreFault } from './fault.ts'
import type { ParametersOf, RowOf, Statement } from './statement.ts'

/** Runs typed statements. */
export interface Queries {
  query<S extends Statement>(statement: S, parameters: ParametersOf<S>): Promise<readonly RowOf<S>[]>
}

/** How a transaction runs. */
export interface TransactionOptions {
  /** The tenant whose rows are seen; without one no tenant's rows are. */
  readonly tenant?: string
  readonly serializable?: boolean
  /** Refuses to write. */
  readonly readOnly?: boolean
}

/** The records, on whichever engine. */
export interface Database extends Queries {
  /** False while the database can't be reached. */
  readonly ready: boolean
  /**
   * Runs `work` in one transaction; it may run up to four times where other transactions get in the way (SQLSTATE 40001,
   * 40P01, 55P03), so it must do nothing but query.
   *
   * @throws StoreFault, or the database's own error
   */
  transaction<T>(options: TransactionOptions, work: (queries: Queries) => Promise<T>): Promise<T>
  /** One statement as a tenant: the transaction around it costs no round trip of its own. A read whose connection is lost
   * is asked once more; a write never is, since it may have happened. So does `query`. */
  queryAs<S extends Statement>(
    tenant: string,
    statement: S,
    parameters: ParametersOf<S>,
  ): Promise<readonly RowOf<S>[]>
}

/** How a database is reached. */
export interface DatabaseSettings {
  /** Names of prepared statements don't survive PgBouncer's transaction mode below 1.21. */
  readonly preparedStatements: boolean
  /** Fills with random bytes: the jitter of repeats. */
  readonly random: (bytes: Uint8Array) => Uint8Array
  /** Milliseconds; monotonic. */
  readonly now: () => number
  readonly wait: (milliseconds: number) => Promise<void>
  readonly readOnly: 'full' | 'replica'
  /** Settings of the server that each transaction sets for itself, because the connection could not. */
  readonly perTransaction?: Readonly<Record<string, number>>
  /** Called when a query met what is not what was written. */
  readonly onDamage: () => void
  /** Called when the database can't be reached any more, and when it can again. */
  readonly onReach: (isReached: boolean) => void
}

/** The role that every transaction takes: no superuser, no owner, bound by row-level security. */
export const APP_ROLE = 'sallyport_app'
// How often a transaction is repeated: one that lost to another, and one that waited for a lock too long (where locks are
// waited for more shortly than a server looks for deadlocks, both of a deadlock end like that, in the same moment).
const REPEATS: Readonly<Record<string, number>> = { '40001': 3, '40P01': 3, '55P03': 2 }
const FAILURES = 5
const OPEN_MS = 250
const WAITING = 1_000

/** bigint as a number; everything else as `pg` has it. */
export const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    oid === 20 ? Number : pg.types.getTypeParser(oid, format as 'text')) as typeof pg.types.getTypeParser,
}

/** Makes the database of a pool. */
export function databaseOf(pool: pg.Pool, settings: DatabaseSettings): Database {
  // All settings end with the transaction: nothing can leak to whom a pooler gives the connection next.
  const envelope = `select set_config('role', '${APP_ROLE}', true), set_config('app.tenant', $1, true)${Object.entries(
    settings.perTransaction ?? {},
  )
    .map(([name, value]) => `, set_config('${name}', '${value}', true)`)
    .join('')}`
  let failures = 0
  let openUntil = 0

  const named = (error: unknown): unknown => {
    const fault = faultOf(error, settings.readOnly)
    if (fault instanceof StoreFault && fault.code === 'damaged') settings.onDamage()
    return fault
  }

  // Waiting clients are bounded and a database that is down is not asked by everyone: both answer at once.
  const acquire = async (): Promise<pg.PoolClient> => {
    if (settings.now() < openUntil) throw new StoreFault('unavailable', 'the store can’t be reached')
    if (pool.waitingCount >= WAITING)
      throw new StoreFault('busy', 'too many callers wait for the store; try again')
    try {
      const client = await pool.connect()
      if (failures >= FAILURES) settings.onReach(true)
      failures = 0
      return client
    } catch (error) {
      const fault = named(error)
      if (fault instanceof StoreFault && fault.code === 'unavailable') {
        failures += 1
        if (failures === FAILURES) settings.onReach(false)
        if (failures >= FAILURES) openUntil = settings.now() + OPEN_MS
      }
      throw fault
    }
  }

  const using = async <T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> => {
    const client = await acquire()
    let lost = false
    try {
      return await work(client)
    } catch (error) {
      lost = isConnectionLost(error)
      const fault = named(error)
      throw fault instanceof StoreFault && fault.code === 'unavailable'
        ? new ConnectionLost(fault.code, fault.message, { cause: fault.cause })
        : fault
    } finally {
      client.release(lost)
    }
  }

  const run = async <S extends Statement>(
    client: pg.PoolClient,
    wanted: S,
    parameters: ParametersOf<S>,
  ): Promise<readonly RowOf<S>[]> => {
    const { rows } = await client.query<RowOf<S> & pg.QueryResultRow>({
      ...(settings.preparedStatements ? { name: wanted.name } : {}),
      text: wanted.text,
      values: (parameters as readonly unknown[]).map((value, index) =>
        // `pg` would take a string for JSON already, and a list for an array of the database.
        value !== null && wanted.parameters[index]?.startsWith('jsonb') ? JSON.stringify(value) : value,
      ),
    })
    return rows
  }

  const enveloped = <T>(
    { tenant = '', serializable = false, readOnly = false }: TransactionOptions,
    work: (queries: Queries) => Promise<T>,
    end: 'now' | 'after',
  ): Promise<T> =>
    using(async (client) => {
      // Sent without waiting; what fails here makes the commit fail, which is where it is seen.
      const opening = Promise.all([
        client.query(
          `begin${serializable ? ' isolation level serializable' : ''}${readOnly ? ' read only' : ''}`,
        ),
        client.query({
          ...(settings.preparedStatements ? { name: 'tenant_envelope' } : {}),
          text: envelope,
          values: [tenant],
        }),
      ])
      opening.catch(() => {})
      try {
        const result = work({ query: (wanted, parameters) => run(client, wanted, parameters) })
        if (end === 'after') await result
        else result.catch(() => {})
        const closing = client.query('commit')
        closing.catch(() => {})
        const value = await result
        await opening
        // A transaction that failed inside answers COMMIT with ROLLBACK, and no error.
        if ((await closing).command !== 'COMMIT')
          throw new StoreFault('unavailable', 'the transaction was rolled back')
        return value
      } catch (error) {
        if (!isConnectionLost(error)) await client.query('rollback').catch(() => {})
        throw error
      }
    })

  const repeated = async <T>(attempt: () => Promise<T>): Promise<T> => {
    for (let repeat = 0; ; repeat += 1) {
      try {
        return await attempt()
      } catch (error) {
        const state = stateOf(error)
        if (repeat >= (REPEATS[state] ?? 0)) throw error
        const [byte = 0] = settings.random(new Uint8Array(1))
        // Both of a deadlock begin anew at once: only apart by more than a server is late does one of them come through.
        await settings.wait(state === '55P03' ? byte : 2 ** repeat * (1 + byte / 16))
      }
    }
  }

  // What was a write after all is refused by the transaction, and stays what it was: unknown.
  const onceMore = async <S extends Statement>(
    tenant: string,
    wanted: S,
    parameters: ParametersOf<S>,
    ask: () => Promise<readonly RowOf<S>[]>,
  ): Promise<readonly RowOf<S>[]> => {
    try {
      return await ask()
    } catch (error) {
      if (!(error instanceof ConnectionLost)) throw error
      const again = enveloped({ tenant, readOnly: true }, ({ query }) => query(wanted, parameters), 'now')
      return await again.catch(() => {
        throw error
      })
    }
  }

  return {
    get ready() {
      return failures < FAILURES
    },
    query: (wanted, parameters) =>
      onceMore('', wanted, parameters, () => using((client) => run(client, wanted, parameters))),
    transaction: (options, work) => repeated(() => enveloped(options, work, 'after')),
    queryAs: (tenant, wanted, parameters) =>
      onceMore(tenant, wanted, parameters, () =>
        repeated(() => enveloped({ tenant }, ({ query }) => query(wanted, parameters), 'now')),
      ),
  }
}

function stateOf(error: unknown): string {
  const { code, cause } = error as { readonly code?: string; readonly cause?: { readonly code?: string } }
  return (error instanceof StoreFault ? cause?.code : code) ?? ''
}

/** A connection that was lost after something was asked on it. */
class ConnectionLost extends StoreFault {}
