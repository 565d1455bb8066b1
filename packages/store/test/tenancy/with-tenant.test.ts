// `withTenant` with the real drivers on a real PostgreSQL: whose rows are seen, what is told where nobody is, and what
// a query that comes too late meets.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { drizzle } from 'drizzle-orm/node-postgres'
import { Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'
import type { AuditEvent } from 'sallyport'
import {
  queryAsTenant,
  type TenancyOptions,
  type TenantPrincipal,
  withTenant,
} from '../../src/tenancy/index.ts'
import { type PostgresServer, postgresMissing, startPostgres } from '../fixtures/postgres.ts'
import { type Ask, type Driver, drivers, prismaContract } from './drivers.ts'
import { APP, runAs, SHOP, SHOP_TENANCY, shopRows } from './fixtures.ts'

const ACME: TenantPrincipal = { organisation: 'acme', store: 'berlin', subject: 'ann' }
const GLOBEX: TenantPrincipal = { organisation: 'globex' }
describe('withTenant on a PostgreSQL server', { skip: postgresMissing }, () => {
  let server: PostgresServer
  let url = ''
  let name = ''
  before(async () => {
    server = await startPostgres()
    const made = await server.database()
    url = made.url
    name = made.name
    await runAs(made.ownerUrl, SHOP + SHOP_TENANCY)
    await runAs(made.ownerUrl, `grant ${APP} to api`)
    await runAs(server.url('postgres', name), shopRows('acme') + shopRows('globex'))
  })
  after(() => server.end())

  for (const driver of drivers)
    describe(driver.name, () => {
      let db: ReturnType<Driver['open']>
      before(() => {
        db = driver.open(url)
      })
      after(() => db.close())
      const seen = (principal: TenantPrincipal | undefined, options?: TenancyOptions) =>
        db.as(principal, (ask) => ask('select distinct organisation_id from orders'), options)

      it('H2 each organisation sees its own rows, one after the other on one connection', async () => {
        for (let round = 0; round < 10; round += 1) {
          assert.deepEqual(await seen(ACME), [{ organisation_id: 'acme' }])
          assert.deepEqual(await seen(GLOBEX, { role: APP }), [{ organisation_id: 'globex' }])
        }
      })

      it('H2 without a tenant no row is seen, and the audit log hears of it', async () => {
        const told: AuditEvent[] = []
        const audit = { record: (event: AuditEvent) => void told.push(event) }
        assert.deepEqual(await seen(undefined, { audit, requestId: 'r1' }), [])
        assert.deepEqual(await seen({ organisation: '', subject: 'ann' }, { audit }), [])
        assert.deepEqual(await seen(GLOBEX, { audit, by: 'store' }), [{ organisation_id: 'globex' }])
        await seen(ACME, { audit, by: 'store' })
        const shared = { action: 'tenancy.missing', outcome: 'denied', control: 'SP-TENANCY-01' }
        assert.deepEqual(told, [
          { ...shared, requestId: 'r1', details: { missing: 'organisation' } },
          { ...shared, actor: 'ann', details: { missing: 'organisation' } },
          { ...shared, organisation: 'globex', details: { missing: 'store' } },
        ])
      })

      it('H2 the tenant is of the transaction: nothing is left on the connection', async () => {
        const settings =
          "select current_setting('app.tenant', true) as tenant, current_setting('app.store', true) as store, current_user::text as role"
        assert.deepEqual(await db.as(ACME, (ask) => ask(settings), { role: APP }), [
          { tenant: 'acme', store: 'berlin', role: APP },
        ])
        assert.deepEqual(await db.as(undefined, (ask) => ask(settings)), [
          { tenant: '', store: '', role: 'api' },
        ])
      })

      it('H2 writes of a foreign row are refused, and the whole transaction with them', async () => {
        await assert.rejects(
          db.as(ACME, async (ask) => {
            await ask("update orders set note = 'changed' where id = 1")
            await ask("insert into customers values ('globex', 99, 'x', 'x')")
          }),
          (error: { code?: string; cause?: { code?: string } }) =>
            (error.code ?? error.cause?.code) === '42501',
        )
        assert.deepEqual(await db.as(ACME, (ask) => ask('select note from orders where id = 1')), [
          { note: 'of acme' },
        ])
        assert.deepEqual(
          await db.as(ACME, (ask) =>
            ask("update orders set note = 'x' where organisation_id = 'globex' returning id"),
          ),
          [],
        )
      })

      it('a name stays a name, whatever stands in it', async () => {
        for (const organisation of ["' or true --", "\\'; drop table orders; --", '☃ "quoted"', '$1', 'a;b'])
          assert.deepEqual(
            await db.as({ organisation }, (ask) => ask("select current_setting('app.tenant') as tenant")),
            [{ tenant: organisation }],
          )
        for (const organisation of [5, ['acme'], true])
          await assert.rejects(seen({ organisation } as unknown as TenantPrincipal), {
            code: 'tenant',
            message: /^principal\.organisation: expected a string, got a /,
          })
        for (const organisation of ['a\0b', '\ud800', 'x'.repeat(257)])
          await assert.rejects(seen({ organisation }), { name: 'TenancyFault', code: 'tenant' })
      })

      it('H2 what is asked after the transaction is refused, so that it runs in nobody else’s', async () => {
        let late: Ask = async () => []
        await db.as(ACME, async (ask) => {
          late = ask
        })
        await assert.rejects(late('select 1 as one'), { name: 'TenancyFault', code: 'late' })
        assert.deepEqual(await seen(GLOBEX), [{ organisation_id: 'globex' }])
      })

      it('a failure inside is thrown on, and the connection serves the next', async () => {
        await assert.rejects(
          db.as(ACME, () => Promise.reject(new Error('of the application'))),
          /of the application/,
        )
        await assert.rejects(db.as(ACME, (ask) => ask('select nonsense')))
        assert.deepEqual(await seen(ACME), [{ organisation_id: 'acme' }])
      })

      it('H2 two organisations at once are two transactions', async () => {
        const answers = await Promise.all(Array.from({ length: 40 }, (_, i) => seen(i % 2 ? ACME : GLOBEX)))
        for (const [i, rows] of answers.entries())
          assert.deepEqual(rows, [{ organisation_id: i % 2 ? 'acme' : 'globex' }])
      })

      it('H2 a role that row-level security does not bind is refused', async () => {
        const privileged = driver.open(server.url('postgres', name))
        try {
          for (let round = 0; round < 2; round += 1)
            await assert.rejects(
              privileged.as(ACME, (ask) => ask('select 1')),
              { name: 'TenancyFault', code: 'exempt' },
            )
          assert.deepEqual(
            await privileged.as(ACME, (ask) => ask('select distinct organisation_id from orders'), {
              role: APP,
            }),
            [{ organisation_id: 'acme' }],
          )
        } finally {
          await privileged.close()
        }
      })
    })

  for (const pipeline of [false, true])
    for (const when of ['before a query', 'in a query', 'before the end'] as const)
      it(`a connection that dies ${when} rejects, and ends no process${pipeline ? ', pipelined' : ''}`, async () => {
        const pool = new pg.Pool({ connectionString: url, max: 1, pipeline })
        pool.on('error', () => {})
        const other = new pg.Client({ connectionString: server.url('postgres', name) })
        await other.connect()
        try {
          const dying = withTenant(pool, ACME, async (client) => {
            const { rows } = await client.query('select pg_backend_pid() as pid')
            const [{ pid }] = rows as [{ pid: number }]
            const end = () => other.query('select pg_terminate_backend($1, 5000)', [pid])
            if (when === 'in a query') await Promise.all([client.query('select pg_sleep(20)'), end()])
            else await end()
            if (when === 'before a query') await client.query('select 1')
          })
          await assert.rejects(dying)
          const again = await withTenant(
            pool,
            ACME,
            async (client) => (await client.query('select 1 as one')).rows,
          )
          assert.deepEqual(again, [{ one: 1 }])
        } finally {
          await other.end()
          await pool.end()
        }
      })

  it('H2 one query as a tenant, pipelined or not, commits or rejects as a whole', async () => {
    for (const pipeline of [false, true]) {
      const pool = new pg.Pool({ connectionString: url, max: 1, pipeline })
      try {
        const ask = (principal: TenantPrincipal | undefined, text: string) =>
          queryAsTenant(pool, principal, text).then(({ rows }) => rows)
        assert.deepEqual(await ask(ACME, 'select distinct organisation_id from orders'), [
          { organisation_id: 'acme' },
        ])
        assert.deepEqual(await ask(undefined, 'select organisation_id from orders'), [])
        await ask(ACME, "update orders set note = 'kept' where id = 2")
        assert.deepEqual(await ask(ACME, 'select note from orders where id = 2'), [{ note: 'kept' }])
        await assert.rejects(ask(ACME, "insert into customers values ('globex', 99, 'x', 'x')"), {
          code: '42501',
        })
        await assert.rejects(ask(ACME, 'select nonsense'))
        assert.deepEqual(await ask(GLOBEX, 'select distinct organisation_id from orders'), [
          { organisation_id: 'globex' },
        ])
      } finally {
        await pool.end()
      }
    }
  })

  it('a query that failed unseen makes the whole transaction fail', async () => {
    const pool = new pg.Pool({ connectionString: url, max: 1 })
    try {
      await assert.rejects(
        withTenant(pool, ACME, async (client) => {
          await client.query('select nonsense').catch(() => {})
        }),
        { code: 'rolled-back' },
      )
    } finally {
      await pool.end()
    }
  })

  it('a transaction is no database: a tenant inside a tenant is refused', async () => {
    const pool = new pg.Pool({ connectionString: url, max: 1 })
    const db = drizzle(pool)
    const kysely = new Kysely<Record<string, never>>({ dialect: new PostgresDialect({ pool }) })
    try {
      await withTenant(db, ACME, (inner) =>
        assert.rejects(
          withTenant(inner, GLOBEX, async () => {}),
          { code: 'driver' },
        ),
      )
      await withTenant(kysely, ACME, (inner) =>
        assert.rejects(
          withTenant(inner, GLOBEX, async () => {}),
          { code: 'driver' },
        ),
      )
      await withTenant(pool, ACME, (inner) =>
        assert.rejects(
          withTenant(inner as pg.Client, GLOBEX, async () => {}),
          { code: 'driver' },
        ),
      )
      const client = new pg.Client({ connectionString: url })
      await client.connect()
      await withTenant(client, ACME, () =>
        assert.rejects(
          withTenant(client, GLOBEX, async () => {}),
          { code: 'driver' },
        ),
      )
      await client.end()
      const prisma = prismaContract(url)
      await withTenant(prisma, ACME, (inner) =>
        assert.rejects(
          withTenant(inner as never, GLOBEX, async () => {}),
          { code: 'driver' },
        ),
      )
      await prisma.$disconnect()
      await assert.rejects(
        withTenant({} as pg.Pool, ACME, async () => {}),
        { code: 'driver' },
      )
    } finally {
      await pool.end()
    }
  })
})
