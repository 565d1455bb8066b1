// Never more than the limit in ANY window: searched, not sampled. And the other side: who keeps to the limit passes.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { CountingAlgorithm } from '../ports/counters.ts'
import { type Attempt, climb, mostInAnyWindow } from './adversary.ts'
import { ask } from './contract.ts'
import { memoryCounters } from './memory.ts'

const windowMs = 60_000

function bound(algorithm: CountingAlgorithm, limit: number, burst: number): number {
  return algorithm === 'smooth' ? limit + burst : limit
}

/** Counters whose clock a test sets. The start is not a multiple of anything. */
function timed(callers = 20_000) {
  let now = 777
  const start = now
  const counters = memoryCounters({
    clock: () => now,
    random: (bytes) => bytes.fill(3),
    strictCallers: callers,
    smoothCallers: callers,
    exactCallers: callers,
    exactRecords: Math.max(8000, callers * 16),
  })
  return {
    counters,
    at: (ms: number) => {
      now = start + ms
    },
  }
}

/** The fixed window that starts at the first hit, as most limiters count. */
function fixedWindow(limit: number): Attempt {
  let until = -1
  let used = 0
  return (at) => {
    if (at >= until) {
      until = at + windowMs
      used = 0
    }
    return ++used <= limit
  }
}

/** Sixteen slots of a sixteenth: a slot too few, since the oldest is only partly out. */
function sixteenths(limit: number): Attempt {
  const slots = new Map<number, number>()
  return (at) => {
    const now = Math.floor(at / (windowMs / 16))
    let used = 0
    for (let age = 0; age < 16; age++) used += slots.get(now - age) ?? 0
    if (used >= limit) return false
    slots.set(now, (slots.get(now) ?? 0) + 1)
    return true
  }
}

test('the search finds what is wrong with a fixed window and with slots of a sixteenth', () => {
  const most = (make: (limit: number) => Attempt) =>
    Math.max(
      ...[1, 2, 3].map((seed) => climb({ limit: 10, windowMs, seed, rounds: 3000, caller: () => make(10) })),
    )
  assert.ok(most(fixedWindow) >= 19, `fixed ${most(fixedWindow)}`)
  assert.ok(most(sixteenths) > 10, `sixteenths ${most(sixteenths)}`)
})

for (const algorithm of ['exact', 'strict', 'smooth'] as const) {
  test(`${algorithm}: climbing finds no window over the bound`, () => {
    for (const [limit, burst] of [
      [1, 1],
      [3, 2],
      [10, 1],
      [10, 10],
      [47, 5],
    ] as const)
      for (let seed = 1; seed <= 6; seed++) {
        const caller = (): Attempt => {
          const { counters, at } = timed(16)
          return (ms) => {
            at(ms)
            return counters.take([ask({ algorithm, limit, burst })]).allowed
          }
        }
        const most = climb({ limit, windowMs, seed, rounds: 250, caller })
        assert.ok(most <= bound(algorithm, limit, burst), `${most} of ${limit}, seed ${seed}`)
        assert.ok(
          most >= Math.min(limit, algorithm === 'smooth' ? 5 : 10),
          `the search got only ${most} of ${limit} through`,
        )
      }
  })

  test(`${algorithm}: no pattern on a small lattice passes the bound, all of them tried`, () => {
    const steps = 13
    const limit = 2
    for (const stepMs of [
      windowMs / 2 - 1,
      windowMs / 3,
      windowMs / 4 + 1,
      windowMs / 5,
      windowMs / 7.5,
      4001,
    ]) {
      const { counters, at } = timed()
      const through = Array.from({ length: 2 ** steps }, (): number[] => [])
      for (let step = 0; step < steps; step++) {
        at(step * stepMs)
        for (let pattern = 0; pattern < 2 ** steps; pattern++)
          if ((pattern >> step) & 1)
            for (let twice = 0; twice < 2; twice++)
              if (counters.take([ask({ algorithm, limit, burst: 1, key: `${pattern}` })]).allowed)
                through[pattern]!.push(step * stepMs)
      }
      assert.equal(counters.overflowed(), 0)
      for (const times of through)
        assert.ok(mostInAnyWindow(times, windowMs) <= bound(algorithm, limit, 1), `${times} at ${stepMs}`)
    }
  })

  test(`${algorithm}: refunds, costs and changes of plan never let more through a window than the largest plan`, () => {
    const action = fc.record({
      waitMs: fc.oneof(fc.constant(0), fc.nat(5000), fc.nat(70_000)),
      cost: fc.integer({ min: 1, max: 3 }),
      limit: fc.constantFrom(3, 6),
      refund: fc.boolean(),
      laterMs: fc.oneof(fc.constant(0), fc.nat(2000), fc.nat(65_000)),
    })
    fc.assert(
      fc.property(fc.array(action, { maxLength: 40 }), (actions) => {
        const { counters, at } = timed(16)
        let now = 0
        const through: number[] = []
        for (const { waitMs, cost, limit, refund, laterMs } of actions) {
          now += waitMs
          at(now)
          const request = ask({ algorithm, limit, burst: 3, cost })
          const verdict = counters.take([request])
          if (!verdict.allowed) continue
          if (!refund) for (let unit = 0; unit < cost; unit++) through.push(now)
          else {
            now += laterMs
            at(now)
            counters.refund([request], verdict)
          }
        }
        assert.ok(mostInAnyWindow(through, windowMs) <= bound(algorithm, 6, 3))
      }),
      { numRuns: 300 },
    )
  })

  test(`${algorithm}: steady traffic at 90 % of the limit is never refused`, () => {
    for (const limit of [1, 2, 7, 16, 100, 999]) {
      const { counters, at } = timed(16)
      for (let count = 0; count < limit * 4 + 20; count++) {
        at((count * windowMs) / (limit * 0.9))
        assert.equal(
          counters.take([ask({ algorithm, limit, burst: 1 })]).allowed,
          true,
          `${count} of ${limit}`,
        )
      }
    }
  })
}

test('exact: a customer who paces at exactly the limit is never refused', () => {
  for (const limit of [1, 3, 100, 500, 2000]) {
    const { counters, at } = timed(16)
    for (let count = 0; count < limit * 3 + 10; count++) {
      at((count * windowMs) / limit)
      assert.equal(counters.take([ask({ limit })]).allowed, true, `${count} of ${limit}`)
    }
  }
})
