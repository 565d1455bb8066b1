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
import {
  BEGINNINGS,
  runSurge,
  SURGE_EVENTS,
  type SurgeEvent,
  surgeSequences,
} from '../../sallyport/src/lockout/surge-model.ts'
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

/** Surges at random, on a store that is empty before each: a surge is the whole site's. */
async function surges(
  numRuns: number,
  length: number,
  store: Store,
  storeFor: (event: SurgeEvent | undefined) => Store | Promise<Store> = () => store,
): Promise<void> {
  const factor = Number(process.env['SALLYPORT_RUNS_FACTOR'] ?? 1)
  await fc.assert(
    fc.asyncProperty(surgeSequences(length), async (events) => {
      await forgetGuesses(store)
      const under = {
        pass: passing(store),
        storeFor: async (event?: SurgeEvent) => recordedLockouts(await storeFor(event)),
      }
      await runSurge(events, under)
    }),
    { numRuns: numRuns * factor },
  )
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

  it('forgets failures of all that no longer count, and used solutions an hour after they could be good', async (context) => {
    const store = await open(context)
    const { store: lockouts, pass } = underTest(store)
    const surge = { failures: 1, seconds: 60, calmSeconds: 6_000 }
    const solution = { digest: digestOf('solution'), issuedAt: 0, leftSeconds: 120 }
    await lockouts.reserve(guess(), { ...numbers, surge })
    const used = () => lockouts.reserve(guess({ solution }), { ...numbers, surge })
    assert.equal((await used()).allowed, true)
    await pass(3_500)
    assert.equal(await pruneLockouts(store), 0)
    assert.equal((await used()).allowed, false)
    await pass(110)
    assert.equal(await pruneLockouts(store), 2)
    await pass(120)
    assert.equal(await pruneLockouts(store), 1)
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

  it('H12 challenges and networks hold after every event in and out of a surge', async (context) => {
    const store = await embeddedStore(context)
    const under = { pass: passing(store), storeFor: () => recordedLockouts(store) }
    for (const beginning of BEGINNINGS)
      for (const event of SURGE_EVENTS) {
        await forgetGuesses(store)
        await runSurge([...beginning, event], under)
      }
  })

  it('H12 challenges and networks hold in long sequences', async (context) => {
    await surges(6, 30, await embeddedStore(context))
  })

  it('I10 H12 a restart makes no used solution good again, and ends no surge', async (context) => {
    const directory = await storeFolder(context)
    const surge = { failures: 2, seconds: 60, calmSeconds: 600 }
    const outcomes: string[] = []
    const solution = { digest: digestOf('solution'), issuedAt: 0, leftSeconds: 120 }
    for (let start = 0; start < 2; start++) {
      const store = await openStore({ directory })
      const lockouts = recordedLockouts(store)
      for (const about of start === 0 ? [{}, {}, { solution }] : [{}, { solution }]) {
        const name = digestOf(`${outcomes.length}`)
        const made = await lockouts.reserve(guess({ name, ...about }), { ...numbers, surge })
        outcomes.push(made.allowed ? `${made.by}${made.surgeBegan ? ' began' : ''}` : made.because)
      }
      await store.close()
    }
    assert.deepEqual(outcomes, ['stranger', 'stranger began', 'stranger', 'challenge', 'challenge'])
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
    const counts = told.map(({ stdout }) => JSON.parse(stdout) as Readonly<Record<Counted, number>>)
    type Counted = 'name' | 'address' | 'network' | 'mixed' | 'solution' | 'unsolved' | 'began'
    const sum = (of: Counted) => counts.reduce((all, each) => all + each[of], 0)
    assert.deepEqual([sum('name'), sum('address'), sum('network')], [5, 20, 200])
    // One solution is good once, and a surge begins once, however many ask at once.
    assert.deepEqual([sum('solution'), sum('began'), sum('unsolved')], [1, 1, 0])
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

  it('H12 challenges and networks hold in long sequences over two nodes', async (context) => {
    const { url, ownerUrl } = await server.database()
    const first = await openStore({ url, ownerUrl, connections: 2, waitMs: 60_000 })
    let second = await openStore({ url, connections: 2, waitMs: 60_000 })
    context.after(() => Promise.all([first.close(), second.close()]))
    let turn = 0
    await surges(20, 50, first, async (event) => {
      if (event?.kind === 'restart') {
        const old = second
        second = await openStore({ url, connections: 2, waitMs: 60_000 })
        await old.close()
      }
      turn = (turn * 48_271 + 11) % 2_147_483_647
      return turn % 2 === 0 ? first : second
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
