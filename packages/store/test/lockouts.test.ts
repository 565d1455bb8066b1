// Failed guesses in the records: the contract that memory keeps, on both engines; two processes on one server; what is
// forgotten, and what never is.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { after, before, describe, it, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { lockoutDefaults } from 'sallyport/lockout'
import { digestOf, guess, lockoutContract } from '../../sallyport/src/lockout/contract.ts'
import { EVENTS, type Event, eventSequences, runSequence } from '../../sallyport/src/lockout/model.ts'
import { lockoutState, openStore, pruneLockouts, recordedLockouts, type Store } from '../src/index.ts'
import { embeddedStore, storeFolder } from './fixtures/embedded.ts'
import { type PostgresServer, postgresMissing, startPostgres } from './fixtures/postgres.ts'
import { forgetGuesses, passing } from './fixtures/time.ts'

const run = promisify(execFile)
const numbers = lockoutDefaults
const guesser = fileURLToPath(new URL('fixtures/guesser.ts', import.meta.url))
let sequence = 0
/** Sequences at random, each of names that no other has. */
async function sequences(
  numRuns: number,
  length: number,
  run: (events: readonly Event[], alias: (name: string) => string) => Promise<void>,
): Promise<void> {
  const factor = Number(process.env['SALLYPORT_RUNS_FACTOR'] ?? 1)
  await fc.assert(
    fc.asyncProperty(eventSequences(length), async (events) => {
      sequence++
      const of = sequence
      await run(events, (name) => `${name} ${of}`)
    }),
    { numRuns: numRuns * factor },
  )
}

/** Every sequence of so many events, each on an empty store. */
async function everySequence(depth: number, store: Store, events: readonly Event[] = []): Promise<void> {
  if (events.length < depth) {
    for (const event of EVENTS) await everySequence(depth, store, [...events, event])
    return
  }
  await forgetGuesses(store)
  await runSequence(events, underTest(store))
}

const underTest = (store: Store) => ({ store: recordedLockouts(store), pass: passing(store) })

function forgetting(open: (context: TestContext) => Promise<Store>): void {
  it('forgets what counts for nothing any more, and no name that ever had to wait', async (context) => {
    const store = await open(context)
    const { store: lockouts, pass } = underTest(store)
    const [few, many] = [guess({ name: digestOf('few') }), guess({ name: digestOf('many') })]
    await lockouts.reserve({ ...few, address: '192.0.2.1' }, numbers)
    for (let failures = 1; failures <= 5; failures++) await lockouts.reserve(many, numbers)
    assert.equal(await pruneLockouts(store), 0)
    await pass(2 * 86_400)
    assert.equal(await pruneLockouts(store), 1)
    await pass(180 * 86_400)
    assert.equal(await pruneLockouts(store), 1)
    const next = await lockouts.reserve(many, numbers)
    assert.equal(next.allowed && next.hard, 6)
    assert.equal((await lockouts.reserve(few, numbers)).allowed, true)
  })

  it('keeps names as digests only, and writes nothing of a guess that it refuses', async (context) => {
    const store = await open(context)
    const { store: lockouts } = underTest(store)
    for (let failures = 1; failures <= 9; failures++) await lockouts.reserve(guess(), numbers)
    const rows = await store.query(lockoutState, [Buffer.from(guess().name, 'base64url'), 'password'])
    assert.deepEqual(
      rows.map(({ failures, hard }) => [failures, hard]),
      [[5, 5]],
    )
  })
}

describe('on the embedded database', () => {
  lockoutContract('embedded', async (context) => underTest(await embeddedStore(context)))
  forgetting((context) => embeddedStore(context))

  it('H12 I1 I2 I7 I8 I9 I12 hold after every two events', async (context) => {
    const store = await embeddedStore(context)
    await everySequence(2, store)
  })

  it('H12 I1 I2 I7 I8 I9 I10 I12 I13 hold in long sequences', async (context) => {
    const store = await embeddedStore(context)
    await sequences(8, 30, async (events, alias) => {
      await runSequence(events, underTest(store), { alias })
    })
  })

  it('I10 H12 a restart gives no guess back', async (context) => {
    const directory = await storeFolder(context)
    let verified = 0
    for (let start = 0; start < 3; start++) {
      const store = await openStore({ directory })
      for (let tried = 0; tried < 4; tried++)
        if ((await recordedLockouts(store).reserve(guess(), numbers)).allowed) verified++
      await store.close()
    }
    assert.equal(verified, 5)
  })
})

describe('on PostgreSQL 15', { skip: postgresMissing }, () => {
  let server: PostgresServer
  before(async () => {
    server = await startPostgres()
  })
  after(() => server.end())
  const open = async (context: TestContext): Promise<Store> => {
    const store = await openStore({ ...(await server.database()), waitMs: 60_000 })
    context.after(() => store.close())
    return store
  }
  lockoutContract('PostgreSQL', async (context) => underTest(await open(context)))
  forgetting(open)

  it('H12 two processes that guess at the same names and from the same address share one budget', async (context) => {
    const { url, ownerUrl } = await server.database()
    const store = await openStore({ url, ownerUrl, waitMs: 60_000 })
    context.after(() => store.close())
    const told = await Promise.all(
      [1, 2].map(() => run(process.execPath, [guesser, url], { timeout: 60_000 })),
    )
    const counts = told.map(
      ({ stdout }) => JSON.parse(stdout) as { name: number; address: number; mixed: number },
    )
    const sum = (of: 'name' | 'address' | 'mixed') => counts.reduce((all, each) => all + each[of], 0)
    assert.deepEqual([sum('name'), sum('address')], [5, 20])
    // Ten names from twenty addresses at once: nobody waits for each other for ever, all names get theirs.
    assert.equal(sum('mixed'), 50)
  })

  it('H12 I1 I2 I7 I8 I9 I12 hold after every three events', async (context) => {
    const store = await open(context)
    await everySequence(3, store)
  })

  it('H12 I1 I2 I7 I8 I9 I10 I12 I13 hold in long sequences over two nodes', async (context) => {
    const { url, ownerUrl } = await server.database()
    const first = await openStore({ url, ownerUrl, connections: 2, waitMs: 60_000 })
    let second = await openStore({ url, connections: 2, waitMs: 60_000 })
    context.after(() => Promise.all([first.close(), second.close()]))
    const random = { at: 0 }
    await sequences(25, 60, async (events, alias) => {
      await runSequence(events, underTest(first), {
        alias,
        async storeFor(_at, event) {
          if (event.kind === 'restart') {
            const old = second
            second = await openStore({ url, connections: 2, waitMs: 60_000 })
            await old.close()
          }
          random.at = (random.at * 48_271 + 11) % 2_147_483_647
          return recordedLockouts(random.at % 2 === 0 ? first : second)
        },
      })
    })
  })

  it('I10 H12 a server that dies at once gives no guess back', async (context) => {
    const store = await open(context)
    const lockouts = recordedLockouts(store)
    for (let failures = 1; failures <= 5; failures++) await lockouts.reserve(guess(), numbers)
    server.stop('immediate')
    await assert.rejects(lockouts.reserve(guess(), numbers))
    server.start()
    for (let tried = 0; tried < 20; tried++) {
      const reservation = await lockouts.reserve(guess(), numbers).catch(() => undefined)
      if (reservation === undefined) continue
      assert.equal(reservation.allowed, false)
      return
    }
    assert.fail('the server did not come back')
  })
})
