// Queries that are built inside a tenant's transaction and sent when somebody waits for them: outside they are refused,
// inside they work as they do without the guard.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { sql as drizzleSql, eq } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/node-postgres'
import { bigint, integer, pgTable, text } from 'drizzle-orm/pg-core'
import { drizzle as drizzlePostgresJs } from 'drizzle-orm/postgres-js'
import { Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'
import { withTenant } from '../../src/tenancy/index.ts'
import { postgresMissing, startPostgres } from '../fixtures/postgres.ts'
import { postgresJs } from './drivers.ts'
import { APP, runAs, SHOP, SHOP_TENANCY, shopRows } from './fixtures.ts'

const ACME = { organisation: 'acme' }
const LATE = { name: 'TenancyFault', code: 'late' }
const orders = pgTable('orders', {
  organisation: text('organisation_id').notNull(),
  id: bigint({ mode: 'number' }).notNull(),
  customer: bigint('customer_id', { mode: 'number' }).notNull(),
  total: integer().notNull(),
})
interface Tables {
  orders: { organisation_id: string; id: string; customer_id: string; total: number; note: string }
  customers: { organisation_id: string; id: string; email: string; name: string }
}

describe('queries that are sent when somebody waits for them', { skip: postgresMissing }, () => {
  let server: Awaited<ReturnType<typeof startPostgres>>
  let url = ''
  before(async () => {
    server = await startPostgres()
    const made = await server.database()
    url = made.url
    await runAs(made.ownerUrl, `${SHOP}${SHOP_TENANCY} grant ${APP} to api`)
    await runAs(server.url('postgres', made.name), shopRows('acme') + shopRows('globex'))
  })
  after(() => server.end())

  it('H2 Kysely', async () => {
    const db = new Kysely<Tables>({
      dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString: url, max: 1 }) }),
    })
    try {
      const { later, rows } = await withTenant(db, ACME, async (one) => {
        const big = one.selectFrom('orders').where('total', '>', 150).selectAll()
        const rows = await one
          .with('big', () => big)
          .selectFrom('big')
          .innerJoin('customers as c', 'c.id', 'big.customer_id')
          .where('c.id', 'in', one.selectFrom('customers').select('id'))
          .select(({ fn }) => ['big.organisation_id', fn.countAll<string>().as('count')])
          .groupBy('big.organisation_id')
          .execute()
        return { later: big, rows }
      })
      assert.deepEqual(rows, [{ organisation_id: 'acme', count: '5' }])
      await assert.rejects(async () => later.execute(), LATE)
    } finally {
      await db.destroy()
    }
  })

  it('H2 Drizzle on pg and on postgres.js', async () => {
    const pool = new pg.Pool({ connectionString: url, max: 1 })
    const client = postgresJs(url)
    try {
      for (const db of [drizzle(pool), drizzlePostgresJs(client)]) {
        const { later, builder, rows } = await withTenant(
          db as ReturnType<typeof drizzle>,
          ACME,
          async (one) => {
            const big = one.select().from(orders).where(eq(orders.total, 200)).as('big')
            const rows = await one
              .select({ organisation: big.organisation, count: drizzleSql<number>`count(*)::int4` })
              .from(big)
              .groupBy(big.organisation)
            await one.insert(orders).values({ organisation: 'acme', id: 900, customer: 1, total: 1 })
            await one.delete(orders).where(eq(orders.id, 900))
            return { later: one.select().from(orders), builder: one.select(), rows }
          },
        )
        assert.deepEqual(rows, [{ organisation: 'acme', count: 1 }])
        await assert.rejects(async () => await later, LATE)
        assert.throws(() => builder.from(orders), LATE)
      }
    } finally {
      await pool.end()
      await client.end()
    }
  })

  it('H2 postgres.js', async () => {
    const sql = postgresJs(url)
    try {
      const { later, rows } = await withTenant(sql, ACME, async (one) => {
        const condition = one`total > ${150} and id in ${one([16, 17, 18])}`
        const rows =
          await one`select organisation_id, ${one('id')} from orders where ${condition} order by id`
        await one`insert into orders ${one({ organisation_id: 'acme', id: 901, customer_id: 1, total: 1 })}`
        await one`delete from orders where id = ${901}`
        let streamed = 0
        for await (const part of one`select * from orders`.cursor(7)) streamed += part.length
        assert.equal(streamed, 20)
        return { later: one`select * from orders`, rows: [...rows] }
      })
      assert.deepEqual(
        rows.map((row) => row['id']),
        ['16', '17', '18'],
      )
      await assert.rejects(async () => await later, LATE)
    } finally {
      await sql.end()
    }
  })
})
