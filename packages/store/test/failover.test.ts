// A PostgreSQL server that changes under its clients: it turns read-only, ends connections, freezes as a whole, or makes
// transactions wait for each other. And roles that row-level security would not bind.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { after, before, describe, it, type TestContext } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import pg from 'pg'
import {
  openStore,
  organisationById,
  organisationInsert,
  revocationHead,
  type Store,
  settingGet,
  settingPut,
} from '../src/index.ts'
import { statement } from '../src/statement.ts'
import { type PostgresServer, postgresMissing, startPostgres } from './fixtures/postgres.ts'

describe('a PostgreSQL server', { skip: postgresMissing }, () => {
  let server: PostgresServer
  before(async () => {
    server = await startPostgres()
  })
  after(() => server.end())

  const opened = async (test: TestContext, settings: { connections?: number; waitMs?: number } = {}) => {
    const urls = await server.database()
    const store = await openStore({ ...urls, connections: 4, ...settings })
    test.after(() => store.close())
    return { store, name: urls.name }
  }
  const asSuperuser = async (sql: string): Promise<readonly Record<string, unknown>[]> => {
    const client = new pg.Client({ connectionString: server.url('postgres') })
    await client.connect()
    try {
      return (await client.query(sql)).rows
    } finally {
      await client.end()
    }
  }
  /** Ends the connection that runs what contains the word. */
  const endBackend = async (word: string): Promise<void> => {
    for (;;) {
      const ended = await asSuperuser(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where state = 'active' and pid <> pg_backend_pid() and query like '%${word}%'`,
      )
      if (ended.length > 0) return
      await wait(10)
    }
  }

  it('becomes a read-only replica: a write rejects, reads go on, and writes do when it is a primary again', async (test) => {
    const { store, name } = await opened(test)
    await asSuperuser(`alter database ${name} set default_transaction_read_only = on`)
    await asSuperuser(`select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}'`)
    const write = (id: string) => store.query(organisationInsert, [id, 'Acme', 'free', null])
    assert.deepEqual(await eventually(() => store.query(revocationHead, [])), [{ seq: 0 }])
    await assert.rejects(write('lost'), { code: 'unavailable' })
    await assert.rejects(
      store.transaction({}, ({ query }) => query(organisationInsert, ['lost', 'Acme', 'free', null])),
      { code: 'unavailable' },
    )
    assert.deepEqual(await store.query(organisationById, ['lost']), [])
    await asSuperuser(`alter database ${name} set default_transaction_read_only = off`)
    // Connections that met the replica were thrown away; those that did not, meet it now.
    await eventually(() => write('kept'))
    assert.equal((await store.query(organisationById, ['kept'])).length, 1)
  })

  it('ends a connection during a read: it is asked once more; during a write: it is not', async (test) => {
    const { store } = await opened(test, { waitMs: 5_000 })
    const read = statement('read_slowly', [], { n: 'int4' }, 'select 7 as n from pg_sleep(0.7)')
    const reading = store.query(read, [])
    await endBackend('pg_sleep(0.7)')
    assert.deepEqual(await reading, [{ n: 7 }])
    const readAs = statement('read_slowly_as', [], { n: 'int4' }, 'select 8 as n from pg_sleep(0.6)')
    const readingAs = store.queryAs('a', readAs, [])
    await endBackend('pg_sleep(0.6)')
    assert.deepEqual(await readingAs, [{ n: 8 }])
    const write = statement(
      'write_slowly',
      [],
      { id: 'text' },
      `insert into organisations (id, name, plan) select 'once', 'x', 'free' from pg_sleep(0.8) returning id`,
    )
    const writing = store.query(write, [])
    const rejected = assert.rejects(writing, { code: 'unavailable' })
    await endBackend('pg_sleep(0.8)')
    await rejected
    assert.deepEqual(await store.query(organisationById, ['once']), [])
  })

  it('freezes as a whole: callers hear soon, then at once, and are served when it goes on', async (test) => {
    const { store } = await opened(test)
    await store.query(revocationHead, [])
    const children = execFileSync('ps', ['-o', 'pid=', '--ppid', String(server.pid)], { encoding: 'utf8' })
    const all = [server.pid, ...children.trim().split(/\s+/).map(Number)]
    for (const pid of all) process.kill(pid, 'SIGSTOP')
    try {
      const codes = new Set<string>()
      while (store.ready) {
        await store.query(revocationHead, []).catch(({ code }) => codes.add(code))
      }
      assert.deepEqual([...codes].sort(), ['slow', 'unavailable'])
      let ticks = 0
      const ticking = setInterval(() => ticks++, 1)
      for (let call = 0; call < 1_000 && ticks < 5; call += 1) {
        await assert.rejects(store.query(revocationHead, []), { code: 'unavailable' })
        await wait(1)
      }
      clearInterval(ticking)
      assert.ok(ticks >= 5, 'the event loop is free')
    } finally {
      for (const pid of all) process.kill(pid, 'SIGCONT')
    }
    assert.deepEqual(await eventually(() => store.query(revocationHead, [])), [{ seq: 0 }])
    assert.equal(store.ready, true)
  })

  it('lets neither of two serializable transactions undo the other: one is repeated', async (test) => {
    const { store } = await opened(test, { waitMs: 5_000 })
    await prepare(store)
    let runs = 0
    const met = barrier()
    const add = (mine: string, other: string) =>
      store.transaction({ tenant: 'a', serializable: true }, async ({ query }) => {
        runs += 1
        const [row] = await query(settingGet, [other])
        await met()
        await query(settingPut, ['a', mine, Number(row!.value) + 1])
      })
    await Promise.all([add('x', 'y'), add('y', 'x')])
    assert.ok(runs >= 3, `${runs} runs`)
    const values = await Promise.all(['x', 'y'].map((name) => store.queryAs('a', settingGet, [name])))
    // One after the other: 0 + 1, then 1 + 1. Both at once would have been 1 and 1.
    assert.deepEqual(values.map(([row]) => row!.value).sort(), [1, 2])
  })

  it('ends a deadlock: both transactions come through', async (test) => {
    const { store } = await opened(test, { waitMs: 5_000 })
    await prepare(store)
    const met = barrier()
    const both = (first: string, second: string, value: string) =>
      store.transaction({ tenant: 'a' }, async ({ query }) => {
        await query(settingPut, ['a', first, value])
        await met()
        await query(settingPut, ['a', second, value])
      })
    await Promise.all([both('x', 'y', 'one'), both('y', 'x', 'two')])
    const [[x], [y]] = await Promise.all([
      store.queryAs('a', settingGet, ['x']),
      store.queryAs('a', settingGet, ['y']),
    ])
    assert.deepEqual(x!.value, y!.value)
  })

  it('is not opened by a role with BYPASSRLS, or one that may become the owner', async () => {
    const urls = await server.database()
    await (await openStore(urls)).close()
    await asSuperuser(
      `create role bypassing login bypassrls; grant sallyport_app to bypassing;
       create role becoming login; grant sallyport_app, sallyport_owner to becoming`,
    )
    for (const [role, message] of [
      ['bypassing', /login role has BYPASSRLS; log in with a role of its own/],
      ['becoming', /owns tables, or may become their owner/],
    ] as const)
      await assert.rejects(openStore({ url: server.url(role, urls.name) }), { code: 'refused', message })
  })
})

async function prepare(store: Store): Promise<void> {
  await store.query(organisationInsert, ['a', 'Acme', 'free', null])
  for (const name of ['x', 'y']) await store.queryAs('a', settingPut, ['a', name, 0])
}

/** Lets the first two callers go on together, and everyone after them at once. */
function barrier(): () => Promise<void> {
  let waiting = 0
  const open = Promise.withResolvers<void>()
  return () => {
    waiting += 1
    if (waiting === 2) open.resolve()
    return open.promise
  }
}

async function eventually<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      assert.ok(['unavailable', 'slow', 'busy'].includes((error as { code: string }).code), String(error))
      await wait(20)
    }
  }
}
