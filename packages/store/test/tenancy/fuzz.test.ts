// The sample API, driven as two organisations, shows and changes no foreign row: with its own conditions, without them,
// and where it believes the request; on one connection, and behind PgBouncer.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import pg from 'pg'
import { postgresMissing, startPostgres } from '../fixtures/postgres.ts'
import { APP, runAs, SHOP, SHOP_TENANCY } from './fixtures.ts'
import { assertVaried, fuzz, refill } from './fuzz.ts'
import { pgbouncerMissing, startPgbouncer } from './pgbouncer.ts'

const REQUESTS = Number(process.env['SALLYPORT_FUZZ_REQUESTS'] ?? 2_000)
const SEED = Number(process.env['SALLYPORT_SEED'] ?? 20261130)

describe('two organisations that ask for each other’s rows', { skip: postgresMissing }, () => {
  let server: Awaited<ReturnType<typeof startPostgres>>
  let urls: Awaited<ReturnType<typeof server.database>>
  let superuser = ''
  before(async () => {
    server = await startPostgres()
    urls = await server.database()
    superuser = server.url('postgres', urls.name)
    await runAs(urls.ownerUrl, SHOP + SHOP_TENANCY)
    await runAs(urls.ownerUrl, `grant ${APP} to api`)
  })
  after(() => server.end())

  for (const way of ['one connection', 'PgBouncer in transaction mode'] as const)
    for (const care of ['right', 'none', 'believing'] as const)
      it(`H2 over ${way}, conditions: ${care}`, {
        skip: way !== 'one connection' && pgbouncerMissing,
      }, async (test) => {
        await refill(superuser)
        const bouncer = way === 'one connection' ? undefined : await startPgbouncer(urls.url)
        const pool = new pg.Pool({ connectionString: bouncer?.url ?? urls.url, max: bouncer ? 4 : 1 })
        try {
          const result = await fuzz(pool, superuser, care, REQUESTS, SEED)
          test.diagnostic(
            `${result.requests} requests: ${result.foreign} foreign rows; ${JSON.stringify(result.answers)}`,
          )
          assert.equal(result.foreign, 0)
          assertVaried(result, care)
        } finally {
          await pool.end()
          bouncer?.end()
        }
      })

  it('the same without row-level security finds foreign rows: it can fail', async () => {
    await refill(superuser)
    const role = 'careless'
    await runAs(superuser, `create role ${role} login bypassrls; grant ${APP} to ${role}`)
    const pool = new pg.Pool({ connectionString: server.url(role, urls.name), max: 1 })
    try {
      await assert.rejects(fuzz(pool, superuser, 'none', 10, SEED), { code: 'exempt' })
    } finally {
      await pool.end()
    }
    await runAs(
      superuser,
      'alter table orders disable row level security; alter table customers disable row level security',
    )
    const open = new pg.Pool({ connectionString: urls.url, max: 1 })
    try {
      for (const care of ['none', 'believing'] as const) {
        await refill(superuser)
        assert.ok((await fuzz(open, superuser, care, 300, SEED)).foreign > 20)
      }
    } finally {
      await open.end()
    }
  })
})
