// The drivers that `withTenant` takes, each as one that runs plain SQL.

import { sql as drizzleSql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/node-postgres'
import { drizzle as drizzlePostgresJs } from 'drizzle-orm/postgres-js'
import { Kysely, sql as kyselySql, PostgresDialect } from 'kysely'
import pg from 'pg'
import postgres from 'postgres'
import { type TenancyOptions, type TenantPrincipal, withTenant } from '../../src/tenancy/index.ts'

/** Runs one statement. */
export type Ask = (text: string) => Promise<readonly Record<string, unknown>[]>

/** One driver. */
export interface Driver {
  readonly name: string
  open(url: string): {
    as<T>(
      principal: TenantPrincipal | undefined,
      work: (ask: Ask) => Promise<T>,
      options?: TenancyOptions,
    ): Promise<T>
    close(): Promise<unknown>
  }
}

/** All of them. */
export const drivers: readonly Driver[] = [
  ...[false, true].map(
    (pipeline): Driver => ({
      name: `pg, a Pool${pipeline ? ' that pipelines' : ''}`,
      open(connectionString) {
        const pool = new pg.Pool({ connectionString, max: 1, pipeline })
        return {
          as: (principal, work, options) =>
            withTenant(
              pool,
              principal,
              (client) => work(async (text) => (await client.query(text)).rows),
              options,
            ),
          close: () => pool.end(),
        }
      },
    }),
  ),
  {
    name: 'pg, a Client',
    open(connectionString) {
      const client = new pg.Client({ connectionString })
      const connected = client.connect()
      return {
        async as(principal, work, options) {
          await connected
          return withTenant(
            client,
            principal,
            (one) => work(async (text) => (await one.query(text)).rows),
            options,
          )
        },
        close: () => client.end(),
      }
    },
  },
  {
    name: 'postgres.js',
    open(url) {
      const sql = postgresJs(url)
      return {
        as: (principal, work, options) =>
          withTenant(
            sql,
            principal,
            (one) => work(async (text) => [...(await one.unsafe<Record<string, unknown>[]>(text))]),
            options,
          ),
        close: () => sql.end(),
      }
    },
  },
  {
    name: 'Kysely',
    open(connectionString) {
      const db = new Kysely<Record<string, never>>({
        dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString, max: 1 }) }),
      })
      return {
        as: (principal, work, options) =>
          withTenant(
            db,
            principal,
            (one) =>
              work(async (text) => (await kyselySql.raw<Record<string, unknown>>(text).execute(one)).rows),
            options,
          ),
        close: () => db.destroy(),
      }
    },
  },
  {
    name: 'Drizzle on pg',
    open(connectionString) {
      const pool = new pg.Pool({ connectionString, max: 1 })
      const db = drizzle(pool)
      return {
        as: (principal, work, options) =>
          withTenant(
            db,
            principal,
            (one) => work(async (text) => (await one.execute(drizzleSql.raw(text))).rows),
            options,
          ),
        close: () => pool.end(),
      }
    },
  },
  {
    name: 'Drizzle on postgres.js',
    open(url) {
      const client = postgresJs(url)
      const db = drizzlePostgresJs(client)
      return {
        as: (principal, work, options) =>
          withTenant(
            db,
            principal,
            (one) => work(async (text) => [...(await one.execute(drizzleSql.raw(text)))]),
            options,
          ),
        close: () => client.end(),
      }
    },
  },
  {
    name: 'Prisma’s contract',
    open(url) {
      const prisma = prismaContract(url)
      return {
        as: (principal, work, options) =>
          withTenant(
            prisma,
            principal,
            (one) => work(async (text) => one.$queryRawUnsafe<Record<string, unknown>[]>(text)),
            options,
          ),
        close: () => prisma.$disconnect(),
      }
    },
  },
]

// What Prisma documents of its interactive transactions, on one connection; see docs/tenancy.md for the real one.
export function prismaContract(connectionString: string) {
  const pool = new pg.Pool({ connectionString, max: 1 })
  const raw = (client: pg.ClientBase) => ({
    $executeRawUnsafe: async (text: string) => (await client.query(text)).rowCount ?? 0,
    $queryRawUnsafe: async <T = unknown>(text: string): Promise<T> => (await client.query(text)).rows as T,
  })
  return {
    ...raw(pool as unknown as pg.ClientBase),
    $connect: async () => {},
    $disconnect: () => pool.end(),
    async $transaction<T>(work: (transaction: ReturnType<typeof raw>) => Promise<T>): Promise<T> {
      const client = await pool.connect()
      try {
        await client.query('begin')
        const value = await work(raw(client))
        await client.query('commit')
        return value
      } catch (error) {
        await client.query('rollback')
        throw error
      } finally {
        client.release()
      }
    },
  }
}

/** postgres.js on one connection of a URL with a socket. */
export function postgresJs(url: string) {
  const { username, pathname, searchParams } = new URL(url.replace('@/', '@localhost/'))
  return postgres({
    username,
    database: pathname.slice(1),
    path: `${searchParams.get('host')}/.s.PGSQL.5432`,
    max: 1,
    onnotice: () => {},
  })
}
