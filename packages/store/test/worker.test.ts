// The embedded database that ends, or meets a page that is not what was written: who asked hears of it as a fault, everyone
// else is served.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { closeSync, openSync, readSync, writeSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { it } from 'node:test'
import {
  diagnose,
  openStore,
  organisationById,
  organisationInsert,
  revocationHead,
  StoreFault,
} from '../src/index.ts'
import { statement } from '../src/statement.ts'
import { embeddedStore, storeFolder } from './fixtures/embedded.ts'

const runaway = statement(
  'runaway',
  [],
  { n: 'int8' },
  'select count(*) as n from generate_series(1, 3000000000)',
)

it('serves other requests while a query runs away, and calls in flight reject with a fault', async (test) => {
  const reopened = Promise.withResolvers<void>()
  let over = false
  const store = await embeddedStore(test, {
    queryMs: 400,
    onEvent: (event) => {
      over ||= event === 'reopened'
      if (over) reopened.resolve()
    },
  })
  const server = createServer((_request, response) => response.end('served'))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  test.after(() => server.close())
  const { port } = server.address() as AddressInfo
  const inFlight = store.transaction({}, ({ query }) =>
    Promise.all([query(organisationInsert, ['gone', 'Acme', 'free', null]), query(runaway, [])]),
  )
  const rejected = assert.rejects(inFlight, (error) => error instanceof StoreFault && error.code === 'slow')
  let served = 0
  while (!over) {
    const answer = await fetch(`http://127.0.0.1:${port}`)
    assert.equal(await answer.text(), 'served')
    served += 1
  }
  assert.ok(served > 10, `${served} requests served meanwhile`)
  await rejected
  await reopened.promise
  assert.deepEqual(await store.query(organisationById, ['gone']), [])
})

it('is closed while it is opened again: the folder is free only when nothing holds it any more', async (test) => {
  const directory = await storeFolder(test)
  for (let time = 0; time < 3; time += 1) {
    const ended = Promise.withResolvers<void>()
    const store = await openStore({
      directory,
      queryMs: 300,
      onEvent: (event) => {
        if (event === 'query-ended') ended.resolve()
      },
    })
    const rejected = assert.rejects(store.query(runaway, []), { code: 'slow' })
    await ended.promise
    await store.close()
    await rejected
    const next = await openStore({ directory })
    await next.query(organisationInsert, [`o${time}`, 'Acme', 'free', null])
    await next.close()
  }
  const store = await openStore({ directory })
  test.after(() => store.close())
  for (let time = 0; time < 3; time += 1)
    assert.equal((await store.query(organisationById, [`o${time}`])).length, 1)
})

it('finds a damaged page: that query is a fault, others go on, it is not ready, and doctor says to restore', async (test) => {
  const directory = await storeFolder(test)
  const place = statement(
    'place',
    [],
    { path: 'text' },
    `select pg_relation_filepath('organisations')::text as path`,
  )
  let path = ''
  {
    const store = await openStore({ directory })
    await store.query(organisationInsert, ['o1', 'Acme', 'free', null])
    path = (await store.query(place, []))[0]!.path
    await store.close()
  }
  flip(join(directory, path), 8_000)
  const events: string[] = []
  {
    const store = await openStore({ directory, onEvent: (event) => events.push(event) })
    for (let time = 0; time < 2; time += 1)
      await assert.rejects(store.query(organisationById, ['o1']), {
        code: 'damaged',
        message: 'the store is damaged; see: sallyport doctor',
      })
    assert.deepEqual(await store.query(revocationHead, []), [{ seq: 0 }])
    assert.equal(store.ready, false)
    assert.deepEqual(events, ['damaged'])
    await store.close()
  }
  const findings = await diagnose({ directory })
  assert.deepEqual(
    findings.filter(({ ok }) => !ok).map(({ check }) => check),
    ['pages'],
  )
  assert.match(
    findings.at(-1)!.says,
    /^rows of organisations can’t be read: .*restore the store from an export/,
  )
})

function flip(file: string, at: number): void {
  const descriptor = openSync(file, 'r+')
  const byte = Buffer.alloc(1)
  readSync(descriptor, byte, 0, 1, at)
  writeSync(descriptor, Buffer.of(byte[0]! ^ 0x40), 0, 1, at)
  closeSync(descriptor)
}
