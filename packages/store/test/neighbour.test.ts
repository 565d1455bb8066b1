// A store that one process has open, asked by another.

import assert from 'node:assert/strict'
import { statSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { it, type TestContext } from 'node:test'
import { answerNeighbours, openStore, reachStore, type Store, StoreFault } from '../src/index.ts'
import { auditHead } from '../src/statements/audit.ts'
import {
  organisationById,
  organisationInsert,
  principalById,
  principalInsert,
} from '../src/statements/organisations.ts'
import { storeFolder } from './fixtures/embedded.ts'

async function neighbours(test: TestContext): Promise<{ store: Store; directory: string }> {
  const directory = await storeFolder(test)
  const store = await openStore({ directory, waitMs: 60_000 })
  const end = await answerNeighbours(store, directory)
  test.after(async () => {
    await end()
    await store.close()
  })
  return { store, directory }
}

it('is asked through a socket that only its owner can reach', async (test) => {
  const { directory } = await neighbours(test)
  assert.equal(statSync(`${directory}.sock`).mode & 0o777, 0o600)
  const reached = await reachStore({ directory })
  assert.equal(reached.isNeighbours, true)
  const [head] = await reached.query(auditHead, [])
  assert.equal(head?.size, 0)
  assert.ok(head?.frontier instanceof Uint8Array)
  await reached.close()
})

it('keeps whole transactions, and drops those that fail or stop', async (test) => {
  const { store, directory } = await neighbours(test)
  const reached = await reachStore({ directory })
  await reached.transaction({}, ({ query }) => query(organisationInsert, ['org_1', 'One', 'free', null]))
  await assert.rejects(
    reached.transaction({}, async ({ query }) => {
      await query(organisationInsert, ['org_2', 'Two', 'free', null])
      throw new Error('changed my mind')
    }),
    /changed my mind/,
  )
  await assert.rejects(
    reached.transaction({}, ({ query }) => query(organisationInsert, ['org_1', 'Again', 'free', null])),
    (error: Error & { code?: string }) => error.code === '23505',
  )
  assert.equal((await store.query(organisationById, ['org_1'])).length, 1)
  assert.equal((await store.query(organisationById, ['org_2'])).length, 0)
  // One that goes away in the middle of a transaction holds nobody up.
  const gone = await reachStore({ directory })
  void gone
    .transaction({}, async () => {
      await gone.close()
    })
    .catch(() => {})
  assert.equal((await store.query(organisationById, ['org_1'])).length, 1)
  await reached.close()
})

it('is a tenant where it asks as one', async (test) => {
  const { directory } = await neighbours(test)
  const reached = await reachStore({ directory })
  await reached.query(organisationInsert, ['org_1', 'One', 'free', null])
  await reached.queryAs('org_1', principalInsert, ['org_1', 'ada', 'person', 'Ada', 'admin', ['orders:read']])
  assert.equal((await reached.queryAs('org_1', principalById, ['ada'])).length, 1)
  assert.equal((await reached.queryAs('org_2', principalById, ['ada'])).length, 0)
  await reached.close()
})

it('ends a connection that speaks no JSON or names no statement, and goes on', async (test) => {
  const { directory } = await neighbours(test)
  const bad = connect(`${directory}.sock`)
  bad.on('error', () => {})
  await new Promise<void>((resolve) => {
    bad.on('close', () => resolve())
    bad.write('hello\n')
  })
  const reached = await reachStore({ directory })
  const unknown = { ...auditHead, name: 'drop_everything' }
  await assert.rejects(reached.query(unknown, []), /no such statement/)
  assert.equal((await reached.query(auditHead, [])).length, 1)
  await reached.close()
})

it('says who holds the store where nobody answers', async (test) => {
  const directory = await storeFolder(test)
  const store = await openStore({ directory })
  test.after(() => store.close())
  writeFileSync(`${directory}.sock`, '')
  await assert.rejects(
    reachStore({ directory }),
    (error) => error instanceof StoreFault && error.code === 'held',
  )
})
