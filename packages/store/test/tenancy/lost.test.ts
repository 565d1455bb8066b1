// A connection that dies while a tenant's transaction runs on it, and a tenant that a query tries to leave behind.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import pg from 'pg'
import { queryAsTenant, withTenant } from '../../src/tenancy/index.ts'
import { postgresMissing, startPostgres } from '../fixtures/postgres.ts'
import { drivers } from './drivers.ts'
import { APP, runAs, SHOP, SHOP_TENANCY, shopRows } from './fixtures.ts'

const ACME = { organisation: 'acme' }
const SUICIDE = 'select pg_terminate_backend(pg_backend_pid())'

describe('a tenant’s connection', { skip: postgresMissing }, () => {
  let server: Awaited<ReturnType<typeof startPostgres>>
  let url = ''
  let admin = ''
  before(async () => {
    server = await startPostgres()
    const made = await server.database()
    url = made.url
    admin = server.url('postgres', made.name)
    await runAs(made.ownerUrl, `${SHOP}${SHOP_TENANCY} grant ${APP} to api`)
    await runAs(admin, shopRows('acme') + shopRows('globex'))
  })
  after(() => server.end())

  for (const pipeline of [false, true]) {
    const pooled = pipeline ? 'a pool that pipelines' : 'a pool'
    const open = (): { pool: pg.Pool; made: pg.PoolClient[] } => {
      const made: pg.PoolClient[] = []
      const pool = new pg.Pool({ connectionString: url, max: 1, pipeline })
      pool.on('connect', (client) => made.push(client))
      return { pool, made }
    }
    const serves = async (pool: pg.Pool, made: readonly pg.PoolClient[]): Promise<void> => {
      const { rows } = await queryAsTenant(pool, ACME, 'select distinct organisation_id from orders')
      assert.deepEqual(rows, [{ organisation_id: 'acme' }])
      assert.equal(made.length, 2)
      assert.equal(pool.totalCount, 1)
      // The pool's own listener, for idle clients.
      assert.equal(made[1]?.listenerCount('error'), 1)
    }

    it(`H2 on ${pooled}, lost while idle in the transaction: the call rejects, the next is served`, async () => {
      const { pool, made } = open()
      try {
        await assert.rejects(
          withTenant(pool, ACME, async (client) => {
            const { rows } = await client.query('select pg_backend_pid() as pid')
            const gone = new Promise((resolve) => made[0]!.once('end', resolve))
            await runAs(admin, `select pg_terminate_backend(${rows[0].pid})`)
            await gone
            return 'done without the database'
          }),
          { code: '57P01' },
        )
        await serves(pool, made)
      } finally {
        await pool.end()
      }
    })

    it(`H2 on ${pooled}, lost in a query: the call rejects, the next is served`, async () => {
      for (const ask of [
        (pool: pg.Pool) => withTenant(pool, ACME, (client) => client.query(SUICIDE)),
        (pool: pg.Pool) => queryAsTenant(pool, ACME, SUICIDE),
        (pool: pg.Pool) =>
          withTenant(pool, ACME, (client) =>
            Promise.all([client.query('select 1'), client.query(SUICIDE), client.query('select 2')]),
          ),
      ]) {
        const { pool, made } = open()
        try {
          await assert.rejects(ask(pool))
          await serves(pool, made)
        } finally {
          await pool.end()
        }
      }
    })

    it(`H2 on ${pooled}, one query is one statement`, async () => {
      const { pool } = open()
      try {
        for (const query of [
          "select 1; commit; select set_config('app.tenant', 'globex', false); select * from orders",
          { text: 'select 1; select 2', values: [] },
        ])
          await assert.rejects(queryAsTenant(pool, ACME, query), { code: '42601' })
      } finally {
        await pool.end()
      }
    })

    it(`H2 on ${pooled}, a tenant that one query sets for the session is not left on the connection`, async () => {
      const { pool } = open()
      try {
        await queryAsTenant(pool, ACME, "select set_config('app.tenant', 'globex', false)")
        const { rows } = await pool.query("select current_setting('app.tenant', true) as tenant")
        assert.deepEqual(rows, [{ tenant: '' }])
        await assert.rejects(
          withTenant(pool, ACME, async (client) => {
            await client.query("commit; select set_config('app.tenant', 'globex', false)")
            throw new Error('of the application')
          }),
          /of the application/,
        )
        assert.deepEqual((await pool.query('select count(*)::int4 from orders')).rows, [{ count: 0 }])
      } finally {
        await pool.end()
      }
    })
  }

  it('the migration runs for an owner that may make no roles, where the role is there', async () => {
    const made = await server.database()
    await runAs(
      server.url('postgres', made.name),
      `alter role ${new URL(made.ownerUrl.replace('@/', '@x/')).username} nocreaterole`,
    )
    await runAs(made.ownerUrl, SHOP + SHOP_TENANCY)
  })

  it('H2 a Client that is lost rejects the call, and nobody listens to it afterwards', async () => {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    await assert.rejects(withTenant(client, ACME, (one) => one.query(SUICIDE)))
    assert.equal(client.listenerCount('error'), 0)
    await client.end()
  })

  for (const driver of drivers)
    it(`H2 ${driver.name}: a tenant set for the session is gone after the transaction`, async () => {
      const db = driver.open(url)
      try {
        const tenant = "select current_setting('app.tenant', true) as tenant"
        await db.as(ACME, (ask) => ask("select set_config('app.tenant', 'globex', false)"))
        // Without a principal the tenant would be set anew: what is left is seen after a commit only.
        assert.deepEqual(
          await db
            .as(ACME, async (ask) => {
              await ask('commit')
              return ask(tenant)
            })
            .catch((error: unknown) => error),
          [{ tenant: '' }],
        )
      } finally {
        await db.close()
      }
    })
})
