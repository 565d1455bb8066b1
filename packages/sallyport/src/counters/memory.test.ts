// Counters in memory: the contract, the bound of the tables, and clocks that step.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask, counterContract } from './contract.ts'
import { type MemoryCountersOptions, memoryCounters } from './memory.ts'

function make(options: MemoryCountersOptions = {}) {
  let now = 12_345
  const counters = memoryCounters({
    clock: () => now,
    random: (bytes) => bytes.fill(7),
    strictCallers: 1000,
    smoothCallers: 1000,
    exactCallers: 1000,
    exactRecords: 10_000,
    ...options,
  })
  return {
    counters,
    pass(ms: number) {
      now += ms
    },
  }
}

counterContract('memory', make)

for (const algorithm of ['exact', 'strict', 'smooth'] as const) {
  test(`${algorithm}: a flood of other callers never makes the table forget one that is exhausted`, () => {
    const { counters } = make({ strictCallers: 64, smoothCallers: 64, exactCallers: 64, exactRecords: 512 })
    const victim = ask({ algorithm, key: 'victim', cost: 10 })
    assert.equal(counters.take([victim]).allowed, true)
    for (let other = 0; other < 5000; other++) counters.take([ask({ algorithm, key: `flood-${other}` })])
    assert.equal(counters.take([ask({ algorithm, key: 'victim' })]).allowed, false)
    assert.ok(counters.overflowed() > 0)
  })

  test(`${algorithm}: a caller who had to share takes what was shared along once there is room`, () => {
    const { counters, pass } = make({
      strictCallers: 16,
      smoothCallers: 16,
      exactCallers: 16,
      exactRecords: 64,
    })
    // The flood fills the table through another bucket, so what it shares is not what the late caller shares.
    for (let other = 0; other < 400; other++)
      counters.take([ask({ algorithm, bucket: 'other', key: `flood-${other}`, cost: 10 })])
    pass(50_000)
    const before = counters.overflowed()
    let through = 0
    while (counters.take([ask({ algorithm, key: 'late' })]).allowed) through++
    assert.ok(counters.overflowed() > before)
    pass(18_100)
    for (let other = 0; other < 10; other++)
      while (counters.take([ask({ algorithm, key: 'late' })]).allowed) through++
    assert.ok(through <= 10 + (algorithm === 'smooth' ? 4 : 0), `${through}`)
  })
}

test('exact: a pool without room makes requests younger than they are, never older', () => {
  const { counters, pass } = make({ exactCallers: 8, exactRecords: 16 })
  const log: number[] = []
  for (let now = 0; now < 400_000; now += 97) {
    if (counters.take([ask({ limit: 200 })]).allowed) log.push(now)
    for (let other = 0; other < 3; other++) counters.take([ask({ limit: 200, key: `other-${other}` })])
    pass(97)
  }
  for (let first = 0; first + 200 < log.length; first++)
    assert.ok(log[first + 200]! - log[first]! >= 60_000, `201 from ${log[first]}`)
  assert.ok(log.length > 200)
})

test('a caller that is gone for a window makes room for others', () => {
  for (const algorithm of ['exact', 'strict', 'smooth'] as const) {
    const { counters, pass } = make({
      strictCallers: 64,
      smoothCallers: 64,
      exactCallers: 64,
      exactRecords: 1024,
    })
    for (let round = 0; round < 50; round++) {
      for (let key = 0; key < 24; key++) counters.take([ask({ algorithm, key: `${round}-${key}` })])
      pass(70_000)
    }
    assert.equal(counters.overflowed(), 0, algorithm)
  }
})

test('a clock that steps back an hour neither frees nor blocks anyone', () => {
  for (const algorithm of ['exact', 'strict', 'smooth'] as const) {
    const { counters, pass } = make()
    counters.take([ask({ algorithm, cost: 10 })])
    pass(-3_600_000)
    const refused = counters.take([ask({ algorithm })])
    assert.equal(refused.allowed, false)
    assert.ok(refused.retryAfterMs <= 64_000)
    pass(refused.retryAfterMs)
    assert.equal(counters.take([ask({ algorithm })]).allowed, true)
  }
})

test('two buckets of one request never get the same slot, however little room there is', () => {
  for (const algorithm of ['exact', 'strict', 'smooth'] as const) {
    const { counters, pass } = make({
      strictCallers: 16,
      smoothCallers: 16,
      exactCallers: 16,
      exactRecords: 64,
    })
    for (let round = 0; round < 200; round++) {
      const many = Array.from({ length: 8 }, (_, at) =>
        ask({ algorithm, bucket: `b${at}`, key: `k${(round * (at + 1)) % 5}`, cost: 3 }),
      )
      assert.equal(counters.take(many).allowed, true)
      for (const decision of counters.peek(many).decisions) assert.ok(decision.remaining <= 7, algorithm)
      pass(70_000)
    }
  }
})

test('a name for each caller instead of a key is refused with a sentence', () => {
  const { counters } = make()
  assert.throws(() => {
    for (let at = 0; at < 300; at++) counters.take([ask({ bucket: `caller-${at}` })])
  }, /Put who is counted into the key/)
})
