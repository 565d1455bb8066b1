// A PostgreSQL server that restarts, freezes, is down or has no connection left: each caller hears of it soon, and nothing
// stays broken.

import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import {
  openStore,
  organisationById,
  organisationInsert,
  revocationHead,
  type Store,
  storeInsert,
} from '../src/index.ts'
import { statement } from '../src/statement.ts'
import { type PostgresServer, postgresMissing, startPostgres } from './fixtures/postgres.ts'

describe('a PostgreSQL server', { skip: postgresMissing }, () => {
  let server: PostgresServer
  let urls: Awaited<ReturnType<PostgresServer['database']>>
  let store: Store
  beforeEach(async () => {
    server = await startPostgres()
    urls = await server.database()
    store = await openStore({ ...urls, connections: 2 })
  })
  afterEach(async () => {
    await store.close()
    server.end()
  })

  it('restarts in a transaction: the commit rejects, nothing of it stays, the next one works', async () => {
    const broken = store.transaction({}, async ({ query }) => {
      await query(organisationInsert, ['half', 'Acme', 'free', null])
      server.stop('immediate')
      server.start()
    })
    await assert.rejects(broken, { code: 'unavailable' })
    assert.deepEqual(await again(() => store.query(organisationById, ['half'])), [])
    await store.query(organisationInsert, ['whole', 'Acme', 'free', null])
  })

  it('is down: each call rejects, soon without asking, and the first after it is back is served', async () => {
    server.stop('fast')
    for (let call = 0; call < 8; call += 1)
      await assert.rejects(store.query(revocationHead, []), { code: 'unavailable' })
    await assert.rejects(openStore(urls), { code: 'unavailable' })
    server.start()
    assert.deepEqual(await again(() => store.query(revocationHead, [])), [{ seq: 0 }])
  })

  it('freezes: the call ends by itself and its connection is not used again', async () => {
    await store.query(revocationHead, [])
    const ask = statement('backend', [], { pid: 'int4' }, 'select pg_backend_pid() as pid')
    const [backend] = await store.query(ask, [])
    process.kill(backend!.pid, 'SIGSTOP')
    try {
      await assert.rejects(store.query(revocationHead, []), { code: 'slow' })
      assert.deepEqual(await store.query(revocationHead, []), [{ seq: 0 }])
    } finally {
      process.kill(backend!.pid, 'SIGCONT')
    }
  })

  it('has no connection left: the caller is told to come again', async () => {
    const held = Promise.withResolvers<void>()
    const both = [1, 2].map(() => store.transaction({}, () => held.promise))
    await assert.rejects(store.query(revocationHead, []), { code: 'busy' })
    held.resolve()
    await Promise.all(both)
    assert.deepEqual(await store.query(revocationHead, []), [{ seq: 0 }])
  })

  it('shows no foreign row on one connection, with and without names of statements', async () => {
    const one = await openStore({ ...urls, connections: 1, preparedStatements: false, waitMs: 60_000 })
    try {
      const mine = statement('mine', [], { tenant_id: 'text' }, 'select tenant_id from stores')
      for (const tenant of ['a', 'b']) {
        await one.query(organisationInsert, [tenant, tenant, 'free', null])
        await one.queryAs(tenant, storeInsert, [tenant, 's', 'Shop'])
      }
      const asked = Array.from({ length: 200 }, (_, index) => ['a', 'b', ''][index % 3]!)
      const answers = await Promise.all(asked.map((tenant) => one.queryAs(tenant, mine, [])))
      for (const [index, tenant] of asked.entries())
        assert.deepEqual(answers[index], tenant === '' ? [] : [{ tenant_id: tenant }])
      assert.deepEqual(await one.query(mine, []), [])
    } finally {
      await one.close()
    }
  })

  it('is not opened while a migration is missing', async () => {
    const fresh = await server.database()
    await assert.rejects(openStore({ url: fresh.url }), { code: 'refused', message: /lacks migration 1/ })
  })
})

async function again<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      if ((error as { code?: string }).code !== 'unavailable') throw error
      await new Promise((fulfil) => setTimeout(fulfil, 20))
    }
  }
}
