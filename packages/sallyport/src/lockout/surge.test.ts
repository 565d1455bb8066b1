// Surges, challenges and networks on the memory: every short sequence, long ones at random, and what is told to whom.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { memoryLockouts } from './memory.ts'
import {
  BEGINNINGS,
  runSurge,
  SURGE_EVENTS,
  type SurgeEvent,
  type SurgeUnderTest,
  surgeSequences,
} from './surge-model.ts'

function memory(about: Partial<SurgeUnderTest> = {}): SurgeUnderTest {
  let now = Date.UTC(2026, 0, 1)
  const store = memoryLockouts({ clock: () => now })
  const pass = (seconds: number): void => {
    now += seconds * 1_000
  }
  return { storeFor: () => store, pass, ...about }
}

const DEPTH = 3
const runs = { numRuns: 200 * Number(process.env['SALLYPORT_RUNS_FACTOR'] ?? 1) }

test(`H12 in a surge no stranger is heard without a solution of its own after every sequence of ${DEPTH} events`, async () => {
  const walk = async (events: readonly SurgeEvent[], left: number): Promise<void> => {
    await runSurge(events, memory())
    if (left > 0) for (const event of SURGE_EVENTS) await walk([...events, event], left - 1)
  }
  for (const beginning of BEGINNINGS) await walk(beginning, DEPTH)
})

test('H12 challenges and networks hold in long sequences, and every state is met', async () => {
  const met = new Set<string>()
  await fc.assert(
    fc.asyncProperty(surgeSequences(60), async (events) => {
      for (const outcome of await runSurge(events, memory())) met.add(outcome)
    }),
    runs,
  )
  for (const outcome of ['challenge', 'stranger', 'device', 'address', 'network', 'waiting'])
    assert.ok(met.has(outcome), `${outcome} was never met`)
})

test('I3 what is asked of a guess in a surge does not hang on whether it is right', async () => {
  await fc.assert(
    fc.asyncProperty(surgeSequences(40), async (events) => {
      const seen = await runSurge(events, memory())
      let guesses = 0
      const flipped = events.map((event): SurgeEvent => {
        if (event.kind !== 'guess') return event
        const wasHeard = seen[guesses++] === 'stranger' || seen[guesses - 1] === 'device'
        return wasHeard ? event : { ...event, right: !event.right }
      })
      assert.deepEqual(await runSurge(flipped, memory()), seen)
    }),
    runs,
  )
})

test('I4 what is asked in a surge is the same for names that no account has', async () => {
  await fc.assert(
    fc.asyncProperty(surgeSequences(40), fc.string(), async (events, other) => {
      const alias = (name: string) => `${name} ${[...other].map((char) => char.codePointAt(0)).join()}`
      assert.deepEqual(await runSurge(events, memory({ alias })), await runSurge(events, memory()))
    }),
    { numRuns: runs.numRuns / 2 },
  )
})
