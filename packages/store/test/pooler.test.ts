// PgBouncer in transaction mode: many clients share one connection to the server, so what one leaves on it the next would
// find. Nothing of ours is left, and what would be left by a careless session is seen by the same test.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { faultOf } from '../src/fault.ts'
import { openStore, organisationInsert, StoreFault, storeInsert } from '../src/index.ts'
import { statement } from '../src/statement.ts'
import { pgbouncerMissing, plainClient, startPgbouncer } from './fixtures/pgbouncer.ts'
import { type PostgresServer, postgresMissing, startPostgres } from './fixtures/postgres.ts'

const CALLS = 10_000
const LANES = 16
const mine = statement('mine', [], { tenant_id: 'text' }, 'select tenant_id from stores')

describe('behind PgBouncer in transaction mode', { skip: postgresMissing || pgbouncerMissing }, () => {
  let server: PostgresServer
  let pooler: Awaited<ReturnType<typeof startPgbouncer>>
  let url: string
  before(async () => {
    server = await startPostgres()
    pooler = await startPgbouncer(server.folder)
    const { ownerUrl, url: direct, name } = await server.database()
    const store = await openStore({ url: direct, ownerUrl })
    for (const tenant of ['a', 'b']) {
      await store.query(organisationInsert, [tenant, tenant, 'free', null])
      await store.queryAs(tenant, storeInsert, [tenant, 's', 'Shop'])
    }
    await store.close()
    url = pooler.url('api', name)
  })
  after(async () => {
    await pooler.end()
    server.end()
  })

  it(`H2 shows no foreign row in ${CALLS} interleaved calls of two tenants and of none`, async (test) => {
    const store = await openStore({ url, preparedStatements: false, connections: LANES, waitMs: 60_000 })
    test.after(() => store.close())
    let next = 0
    let foreign = 0
    let seen = 0
    const lane = async () => {
      for (let call = next++; call < CALLS; call = next++) {
        const tenant = ['a', 'b', ''][call % 3]!
        const rows =
          tenant === '' && call % 2 ? await store.query(mine, []) : await store.queryAs(tenant, mine, [])
        foreign += rows.filter(({ tenant_id }) => tenant_id !== tenant).length
        if (tenant !== '') seen += rows.length
      }
    }
    await Promise.all(Array.from({ length: LANES }, lane))
    assert.deepEqual([foreign, seen], [0, Math.ceil(CALLS / 3) + Math.ceil((CALLS - 1) / 3)])
    test.diagnostic(`${CALLS} calls: ${foreign} foreign rows`)
  })

  it('would show them after SET app.tenant of a session: that is what the envelope is for', async () => {
    const [careless, next] = [await plainClient(url), await plainClient(url)]
    try {
      await careless.query("set app.tenant = 'a'")
      assert.deepEqual((await next.query('select tenant_id from stores')).rows, [{ tenant_id: 'a' }])
      // The envelope holds even there: its settings are of the transaction.
      const store = await openStore({ url, preparedStatements: false, connections: 2, waitMs: 10_000 })
      assert.deepEqual(await store.queryAs('b', mine, []), [{ tenant_id: 'b' }])
      assert.deepEqual(await store.queryAs('', mine, []), [])
      await store.close()
      await careless.query('reset app.tenant')
    } finally {
      await careless.end()
      await next.end()
    }
  })

  it('ends slow statements of a transaction by itself, since the connection can’t say how long they may take', async (test) => {
    const store = await openStore({ url, preparedStatements: false, connections: 2, waitMs: 10_000 })
    test.after(() => store.close())
    const shown = statement(
      'times',
      [],
      { statement: 'text', lock: 'text' },
      `select current_setting('statement_timeout') as statement, current_setting('lock_timeout') as lock`,
    )
    assert.deepEqual(await store.queryAs('a', shown, []), [{ statement: '900ms', lock: '500ms' }])
    assert.deepEqual(await store.query(shown, []), [{ statement: '0', lock: '0' }])
  })

  it('names the setting that is missing where it is opened with prepared statements', async () => {
    const refused = { code: 'refused', message: /preparedStatements: false/ }
    await assert.rejects(openStore({ url, waitMs: 10_000 }), refused)
    // A pooler that was told to ignore what it does not know mixes them up later.
    const [one, other] = [await plainClient(url), await plainClient(url)]
    try {
      await one.query({ name: 'named', text: 'select 1' })
      const mixed = await other.query({ name: 'named', text: 'select 1' }).catch(faultOf)
      assert.ok(mixed instanceof StoreFault)
      assert.equal(mixed.code, 'refused')
    } finally {
      await one.end()
      await other.end()
    }
  })
})
