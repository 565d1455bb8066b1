// The invariants of the state machine, on the memory: every short sequence, and long ones at random.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { LockoutsUnderTest } from './contract.ts'
import { memoryLockouts } from './memory.ts'
import { EVENTS, type Event, eventSequences, runSequence, SMALL } from './model.ts'

function memory(): LockoutsUnderTest {
  let now = 1_000_000_000_000
  const pass = (seconds: number): void => {
    now += seconds * 1_000
  }
  return { store: memoryLockouts({ clock: () => now }), pass }
}
const run = (events: readonly Event[], settings?: Parameters<typeof runSequence>[2]) =>
  runSequence(events, memory(), settings)

const DEPTH = 5
const runs = { numRuns: 300 * Number(process.env['SALLYPORT_RUNS_FACTOR'] ?? 1) }

test(`H12 I1 I2 I7 I8 I9 I12 hold after every sequence of ${DEPTH} events`, async () => {
  let sequences = 0
  const walk = async (events: readonly Event[]): Promise<void> => {
    if (events.length === DEPTH) {
      sequences++
      await run(events)
      return
    }
    for (const event of EVENTS) await walk([...events, event])
  }
  await walk([])
  assert.equal(sequences, EVENTS.length ** DEPTH)
})

test('H12 I1 I2 I7 I8 I9 I12 I13 hold in long sequences', async () => {
  await fc.assert(
    fc.asyncProperty(eventSequences(80), async (events) => void (await run(events))),
    runs,
  )
})

test('I3 a guess that is refused is refused whether it is right or wrong', async () => {
  await fc.assert(
    fc.asyncProperty(eventSequences(40), async (events) => {
      const seen = await run(events)
      const isRefused = (at: number) => /^[a-z]+$/.test(seen[at]!)
      let guesses = 0
      const flipped = events.map((event): Event => {
        if (event.kind !== 'guess' && event.kind !== 'begin') return event
        const at = guesses++
        return event.kind === 'guess' && isRefused(at)
          ? { ...event, end: event.end === 'right' ? 'wrong' : 'right' }
          : event
      })
      assert.deepEqual(await run(flipped), seen)
    }),
    runs,
  )
})

test('I4 a name that no account has leaves the same trace as one that has', async () => {
  await fc.assert(
    fc.asyncProperty(eventSequences(40), fc.string(), async (events, other) => {
      assert.deepEqual(await run(events, { alias: (name) => `${name} ${other}` }), await run(events))
    }),
    runs,
  )
})

test('I5 without the guesses that were refused everything else goes as it did', async () => {
  await fc.assert(
    fc.asyncProperty(eventSequences(60), async (events) => {
      const seen = await run(events)
      let guesses = 0
      const kept = events.filter((event) => {
        if (event.kind !== 'guess' && event.kind !== 'begin') return true
        return !/^[a-z]+$/.test(seen[guesses++]!)
      })
      assert.deepEqual(
        await run(kept),
        seen.filter((each) => !/^[a-z]+$/.test(each)),
      )
    }),
    runs,
  )
})

test('I6 what is done at one name changes nothing at another', async () => {
  await fc.assert(
    fc.asyncProperty(eventSequences(60), async (events) => {
      // Each name is asked from an address of its own: the address's count is meant to be shared.
      const apart = events.map(
        (event): Event =>
          event.kind === 'guess' || event.kind === 'begin'
            ? { ...event, from: event.who === 'bob' ? 1 : 0 }
            : event,
      )
      const bobs = apart.filter(
        (event) =>
          event.kind === 'pass' ||
          ((event.kind === 'guess' || event.kind === 'begin') && event.who === 'bob'),
      )
      const settled = apart.filter((event) => event.kind !== 'settle')
      const seen = await run(settled)
      const guesses = settled.filter(({ kind }) => kind === 'guess' || kind === 'begin')
      assert.deepEqual(
        await run(bobs),
        seen.filter((_, at) => (guesses[at] as { readonly who: string }).who === 'bob'),
      )
    }),
    runs,
  )
})

test('I11 jitter only adds, and a guess waits no longer than the wait and its jitter', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.integer({ min: 0, max: 150 }), fc.constantFrom(0, 5, 10, 20, 40, 46))),
      async (steps) => {
        const [plain, longer] = [memory(), memory()]
        const base = { name: 'ada', authenticator: 'password' }
        for (const [jitter, seconds] of steps) {
          const [a, b] = await Promise.all([
            plain.store.reserve({ ...base, jitter: 0 }, SMALL),
            longer.store.reserve({ ...base, jitter }, SMALL),
          ])
          // Until the first difference both have counted the same.
          if (a.allowed !== b.allowed) return void assert.ok(a.allowed, 'jitter made a wait shorter')
          if (!b.allowed && b.retryAfterMs !== undefined)
            assert.ok(b.retryAfterMs <= SMALL.longestWaitSeconds * 1_150)
          plain.pass(seconds)
          longer.pass(seconds)
        }
      },
    ),
    runs,
  )
})
