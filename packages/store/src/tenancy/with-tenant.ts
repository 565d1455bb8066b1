// Runs work as a tenant: in one transaction of one connection, which knows whose rows it may see.

import {
  beginOf,
  type DrizzleDatabase,
  type KyselyDatabase,
  type PgClient,
  type PgPool,
  type PostgresJs,
  type PrismaClient,
} from './drivers.ts'
import {
  BOUND_SQL,
  judgeBound,
  missingTenant,
  openingOf,
  type TenancyOptions,
  type TenantPrincipal,
} from './tenant.ts'
import { until } from './until.ts'

type Caller = TenantPrincipal | undefined

/**
 * Runs `work` as the principal's tenant: row-level policies that compare with `app.tenant` (and `app.store`) let it see
 * the rows of that organisation (and store) alone, whatever its queries ask for. Without a principal it sees no row,
 * and `options.audit` hears of it.
 *
 * What `work` is given ends with the transaction. Wait for every query inside `work`.
 *
 * @param db a `pg` Pool or Client, a postgres.js function, or a Kysely, Drizzle or Prisma database
 * @throws TenancyFault, or what a query threw; the transaction is rolled back in both cases
 *
 * @example
 * ```ts
 * const orders = await withTenant(pool, principal, async (client) => {
 *   const { rows } = await client.query('select id, total from orders order by id')
 *   return rows
 * })
 * ```
 */
export function withTenant<Client extends PgClient, T>(
  db: PgPool<Client>,
  principal: Caller,
  work: (client: Pick<Client, 'query'>) => Promise<T>,
  options?: TenancyOptions,
): Promise<T>
export function withTenant<Handle extends object, T>(
  db: KyselyDatabase<Handle>,
  principal: Caller,
  work: (transaction: Handle) => Promise<T>,
  options?: TenancyOptions,
): Promise<T>
export function withTenant<Handle extends object, T>(
  db: DrizzleDatabase<Handle>,
  principal: Caller,
  work: (transaction: Handle) => Promise<T>,
  options?: TenancyOptions,
): Promise<T>
export function withTenant<Handle extends object, T>(
  db: PostgresJs<Handle>,
  principal: Caller,
  work: (sql: Handle) => Promise<T>,
  options?: TenancyOptions,
): Promise<T>
export function withTenant<Handle extends object, T>(
  db: PrismaClient<Handle>,
  principal: Caller,
  work: (transaction: Handle) => Promise<T>,
  options?: TenancyOptions,
): Promise<T>
export function withTenant<Client extends PgClient, T>(
  db: Client,
  principal: Caller,
  work: (client: Pick<Client, 'query'>) => Promise<T>,
  options?: TenancyOptions,
): Promise<T>
export async function withTenant<T>(
  db: object,
  principal: Caller,
  work: (handle: never) => Promise<T>,
  options: TenancyOptions = {},
): Promise<T> {
  const begin = beginOf(db)
  const opening = openingOf(principal, options)
  tellMissing(principal, options)
  return begin(opening, async (transaction) => {
    await assureBound(db, options.role ?? '', transaction.run)
    const { handle, end } = until(transaction.handle)
    try {
      return await work(handle as never)
    } finally {
      end()
    }
  })
}

/**
 * One query as a tenant, one statement, on a `pg` Pool: on one with `pipeline: true` the transaction around it costs no round trip.
 *
 * @throws as `withTenant`
 *
 * @example
 * ```ts
 * const { rows } = await queryAsTenant(pool, principal, { text: 'select * from orders where id = $1', values: [id] })
 * ```
 */
export async function queryAsTenant<Row = Record<string, unknown>>(
  pool: PgPool<PgClient>,
  principal: Caller,
  query: string | PgQuery,
  options: TenancyOptions = {},
): Promise<PgResult<Row>> {
  const opening = openingOf(principal, options)
  tellMissing(principal, options)
  return beginOf(pool)(opening, async ({ handle, run, ending }) => {
    await assureBound(pool, options.role ?? '', run)
    // The simple protocol would run several statements of one text, and one of them could be the commit.
    const alone = { ...(typeof query === 'string' ? { text: query } : query), queryMode: 'extended' }
    const answer = (handle as { query(query: PgQuery): Promise<PgResult<Row>> }).query(alone)
    answer.catch(() => {})
    ending?.()
    return answer
  })
}

/** One query, as `pg` takes it. */
export interface PgQuery {
  readonly text: string
  readonly values?: unknown[]
  /** Of a prepared statement; not behind PgBouncer below 1.21 in transaction mode. */
  readonly name?: string
}

/** What `pg` answers with. */
export interface PgResult<Row> {
  readonly rows: Row[]
  readonly rowCount: number | null
}

function tellMissing(principal: Caller, options: TenancyOptions): void {
  const missing = options.audit && missingTenant(principal, options)
  if (missing) options.audit?.record(missing)
}

// A login's attributes are looked at once for each database: they change by an operator's hand only.
const bound = new WeakMap<object, Set<string>>()

async function assureBound(
  db: object,
  role: string,
  run: (sql: string) => Promise<readonly unknown[]>,
): Promise<void> {
  const roles = bound.get(db) ?? new Set()
  if (roles.has(role)) return
  judgeBound(await run(BOUND_SQL))
  // Roles are the application's own words; should they ever be a caller's, they are not kept without end.
  if (roles.size < 16) roles.add(role)
  bound.set(db, roles)
}
