// The audit log on both engines; then what it does while the database is away.

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it, type TestContext } from 'node:test'
import { checkLog, fileAnchor, fileSpool } from '../../src/audit/index.ts'
import { openStore, type Store, StoreFault } from '../../src/index.ts'
import { embeddedStore, temporaryFolder } from '../fixtures/embedded.ts'
import { type PostgresServer, postgresMissing, startPostgres } from '../fixtures/postgres.ts'
import { auditBehaviour, event, log, verifier } from './behaviour.ts'
import { retentionBehaviour } from './retention.ts'

describe('the audit log on the embedded database', () => {
  auditBehaviour((test) => embeddedStore(test))
  retentionBehaviour((test) => embeddedStore(test))
})

describe('the audit log on PostgreSQL 15', { skip: postgresMissing }, () => {
  let server: PostgresServer
  before(async () => {
    server = await startPostgres()
  })
  after(() => server.end())
  const open = async (test: TestContext) => {
    const { url, ownerUrl } = await server.database()
    const store = await openStore({ url, ownerUrl, waitMs: 60_000 })
    test.after(() => store.close())
    return store
  }
  auditBehaviour(open)
  retentionBehaviour(open)
})

/** A database that can be taken away. */
function breakable(store: Store): Store & { away: boolean | 'after' } {
  const away = async <T>(work: () => Promise<T>): Promise<T> => {
    if (database.away === true) throw new StoreFault('unavailable', 'away')
    const result = await work()
    // It was done, and nobody was told.
    if (database.away === 'after') {
      database.away = true
      throw new StoreFault('unavailable', 'away')
    }
    return result
  }
  const database = {
    ...store,
    ready: true,
    away: false as boolean | 'after',
    query: ((...given) => away(() => store.query(...given))) as Store['query'],
  }
  return database
}

it('events of an outage wait on disk, over a restart too, and come in once', async (test) => {
  const store = await embeddedStore(test)
  const database = breakable(store)
  const file = join(temporaryFolder(test), 'spool')
  const first = await log(database, { spool: fileSpool(file) })
  await first.append(event(0))
  database.away = 'after'
  first.record(event(1))
  await first.flush()
  first.record(event(2))
  await first.flush()
  assert.deepEqual([first.state.lost, first.state.waiting], [0, 2])
  assert.equal(first.state.fault, 'unavailable')
  await assert.rejects(
    Promise.all([first.append(event(3)), first.flush()]),
    /away/,
    'what is awaited is refused, not put off',
  )
  await first.close()
  database.away = false
  const second = await log(database, { spool: fileSpool(file) })
  await second.flush()
  await second.append(event(4))
  await second.close()
  const check = await checkLog(store, { verifier })
  assert.equal(check.entries, 4, 'events 0, 1, 2 and 4')
  assert.deepEqual(check.faults, [])
})

it('what an outage left is written after a restart, though nothing else happens', async (test) => {
  const store = await embeddedStore(test)
  const database = breakable(store)
  const file = join(temporaryFolder(test), 'spool')
  const first = await log(database, { spool: fileSpool(file) })
  database.away = true
  for (const n of [0, 1, 2]) first.record(event(n))
  await first.close()
  database.away = false
  const due: (() => void)[] = []
  const second = await log(database, {
    spool: fileSpool(file),
    later: (run, ms) => {
      if (ms < 1_000) due.push(run)
      return () => {}
    },
  })
  assert.deepEqual([second.state.size, second.state.waiting, due.length], [0, 3, 1])
  due[0]!()
  await second.flush()
  assert.deepEqual([second.state.size, second.state.waiting], [3, 0])
  await second.close()
})

it('a spool is bounded, and says what it could not keep', async (test) => {
  const database = breakable(await embeddedStore(test))
  const audit = await log(database, { spool: fileSpool(join(temporaryFolder(test), 'spool'), 2_000) })
  database.away = true
  for (let n = 0; n < 50; n++) audit.record(event(n))
  await audit.flush()
  assert.ok(audit.state.lost > 30 && audit.state.lost < 50)
})

it('a torn last line of a spool is left out', (test) => {
  const file = join(temporaryFolder(test), 'spool')
  const spool = fileSpool(file)
  assert.equal(spool.add([{ uid: 'a', at: 1, event: event(1) }]), 1)
  writeFileSync(file, '{"uid":"b","at":', { flag: 'a' })
  assert.deepEqual(
    spool.read().map(({ uid }) => uid),
    ['a'],
  )
  spool.clear()
  assert.deepEqual(spool.read(), [])
})

it('an anchor keeps the last note, and none is no fault', (test) => {
  const anchor = fileAnchor(join(temporaryFolder(test), 'checkpoint'))
  assert.equal(anchor.read(), undefined)
  anchor.write('first')
  anchor.write('second')
  assert.equal(anchor.read(), 'second')
})

it('without a key events are kept, and the state says why nothing is signed', async (test) => {
  const store = await embeddedStore(test)
  const { openAuditLog } = await import('../../src/audit/index.ts')
  const audit = await openAuditLog({ database: store, origin: 'a.example', later: () => () => {} })
  await audit.append(event(1))
  await audit.close()
  assert.equal(audit.state.size, 1)
  assert.match(audit.state.problem!, /no key/)
})
