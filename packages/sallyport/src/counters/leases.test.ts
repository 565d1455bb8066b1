// Leases: the contract, the limit in any window over two processes, and how seldom the store is asked.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Counters } from '../ports/counters.ts'
import { mostInAnyWindow } from './adversary.ts'
import { ask, counterContract } from './contract.ts'
import { leasedCounters } from './leases.ts'
import { memoryCounters } from './memory.ts'

/** Two processes that lease from one store; the store counts how often it is asked. */
function setUp(parts?: number) {
  let now = 4321
  let asked = 0
  const clock = () => now
  const store = memoryCounters({ clock, strictCallers: 100, smoothCallers: 100, exactCallers: 100 })
  const counters: Counters = {
    take: async (requests) => {
      asked++
      return store.take(requests)
    },
    peek: store.peek,
    refund: store.refund,
  }
  const options = { counters, clock, ...(parts ? { parts } : {}) }
  return {
    nodes: [leasedCounters(options), leasedCounters(options)] as const,
    pass(ms: number) {
      now += ms
    },
    clock,
    asked: () => asked,
  }
}

counterContract('leases', () => {
  const { nodes, pass } = setUp()
  return { counters: nodes[0], pass }
})

for (const algorithm of ['exact', 'strict'] as const)
  test(`${algorithm}: two processes that lease never let more than the limit through a window`, async () => {
    for (let seed = 1; seed <= 12; seed++) {
      // A fifth of the limit a lease, which lives a fifth of the window: far worse than the real parts.
      const { nodes, pass, clock } = setUp(5)
      let random = seed
      const next = (below: number) => {
        random = (random * 48_271) % 2_147_483_647
        return random % below
      }
      const through: number[] = []
      let leased = 0
      for (let step = 0; step < 400; step++) {
        for (let count = next(20); count > 0; count--) {
          const verdict = await nodes[next(2)]!.take([ask({ algorithm, limit: 40 })])
          if (verdict.allowed) through.push(clock())
          if (verdict.by === 'lease') leased++
        }
        pass(next(3) === 0 ? 59_999 - next(24_000) : next(6000))
      }
      assert.ok(leased > 50, `${leased}`)
      const most = mostInAnyWindow(through, 60_000)
      assert.ok(most <= 40, `${most} with seed ${seed}`)
    }
  })

test('a busy caller asks the store at most five times in a thousand requests', async () => {
  const { nodes, pass, asked } = setUp()
  const request = ask({ limit: 200_000 })
  for (let count = 0; count < 2000; count++) await nodes[0].take([request])
  const before = asked()
  for (let count = 0; count < 20_000; count++) {
    assert.equal((await nodes[0].take([request])).allowed, true)
    if (count % 100 === 0) pass(1)
  }
  assert.ok(asked() - before <= 100, `${asked() - before}`)
})

test('requests that come at once wait for one lease, and none is lost or counted twice', async () => {
  const { nodes } = setUp(5)
  const verdicts = await Promise.all(Array.from({ length: 100 }, () => nodes[0].take([ask({ limit: 40 })])))
  assert.equal(verdicts.filter((verdict) => verdict.allowed).length, 40)
})
