// The contract of every place that counts, as tests: memory, Valkey and leases run the same ones. Time is moved by the
// caller of the suite, never waited for.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CounterRequest, Counters, CountingAlgorithm } from '../ports/counters.ts'

/** Fresh counters whose time moves only by `pass`. */
export interface CountersUnderTest {
  readonly counters: Counters
  pass(ms: number): Promise<void> | void
}

const algorithms: readonly CountingAlgorithm[] = ['exact', 'strict', 'smooth']

/** A bucket of ten in a minute, unless told otherwise. */
export function ask(request: Partial<CounterRequest> = {}): CounterRequest {
  return {
    bucket: 'minute',
    key: 'one',
    limit: 10,
    windowMs: 60_000,
    algorithm: 'exact',
    cost: 1,
    ...(request.algorithm === 'smooth' ? { burst: request.limit ?? 10 } : {}),
    ...request,
  }
}

/** @param make fresh, empty counters for one test. */
export function counterContract(
  name: string,
  make: () => Promise<CountersUnderTest> | CountersUnderTest,
): void {
  for (const algorithm of algorithms) {
    test(`${name}, ${algorithm}: lets the limit through and refuses the next with an honest wait`, async () => {
      const { counters, pass } = await make()
      for (let count = 1; count <= 10; count++) {
        const verdict = await counters.take([ask({ algorithm })])
        assert.equal(verdict.allowed, true)
        assert.equal(verdict.decisions[0]?.remaining, 10 - count)
      }
      const refused = await counters.take([ask({ algorithm })])
      assert.equal(refused.allowed, false)
      const [decision] = refused.decisions
      assert.equal(decision?.remaining, 0)
      assert.ok(decision.retryAfterMs > 0 && decision.retryAfterMs <= 68_000)
      assert.ok(decision.resetAfterMs >= decision.retryAfterMs)
      await pass(refused.retryAfterMs)
      assert.equal((await counters.take([ask({ algorithm })])).allowed, true)
    })

    test(`${name}, ${algorithm}: waiting exactly Retry-After succeeds, whatever the cost and the moment`, async () => {
      const { counters, pass } = await make()
      let random = 7
      const next = (below: number) => {
        random = (random * 48_271) % 2_147_483_647
        return random % below
      }
      for (let step = 0; step < 150; step++) {
        const request = ask({ algorithm, cost: 1 + next(4) })
        const verdict = await counters.take([request])
        if (!verdict.allowed) {
          await pass(verdict.retryAfterMs)
          assert.equal((await counters.take([request])).allowed, true, `step ${step}`)
        }
        await pass(next(9000))
      }
    })

    test(`${name}, ${algorithm}: takes from all buckets or from none`, async () => {
      const { counters } = await make()
      const both = [
        ask({ algorithm }),
        ask({ algorithm, bucket: 'day', limit: 2, burst: 2, windowMs: 86_400_000 }),
      ]
      await counters.take(both)
      await counters.take(both)
      const refused = await counters.take(both)
      assert.deepEqual(
        refused.decisions.map((decision) => [decision.bucket, decision.allowed, decision.remaining]),
        [
          ['minute', true, 8],
          ['day', false, 0],
        ],
      )
      assert.equal(refused.allowed, false)
      assert.equal((await counters.peek([ask({ algorithm })])).decisions[0]?.remaining, 8)
    })

    test(`${name}, ${algorithm}: looking takes nothing, and what is given back can be taken again`, async () => {
      const { counters } = await make()
      const verdict = await counters.take([ask({ algorithm, cost: 7 })])
      for (let count = 0; count < 20; count++) await counters.peek([ask({ algorithm })])
      assert.equal((await counters.peek([ask({ algorithm, cost: 4 })])).allowed, false)
      await counters.refund([ask({ algorithm, cost: 7 })], verdict)
      // What a smooth bucket has drained meanwhile is not given back twice: it may keep a part of one request.
      assert.equal((await counters.take([ask({ algorithm, cost: 9 })])).allowed, true)
    })

    test(`${name}, ${algorithm}: a better plan lifts at once, a smaller one binds at once`, async () => {
      const { counters } = await make()
      const plan = (limit: number) => ask({ algorithm, limit, burst: limit })
      for (let count = 0; count < 10; count++) await counters.take([plan(10)])
      assert.equal((await counters.take([plan(10)])).allowed, false)
      let lifted = 0
      while ((await counters.take([plan(40)])).allowed) lifted++
      assert.equal(lifted, 30)
      assert.equal((await counters.take([plan(10)])).allowed, false)
    })

    test(`${name}, ${algorithm}: keys, buckets and windows count apart, whatever their text`, async () => {
      const { counters } = await make()
      const apart = [
        ask({ algorithm, bucket: 'a', key: 'bc' }),
        ask({ algorithm, bucket: 'ab', key: 'c' }),
        ask({ algorithm, bucket: 'a', key: 'bc', windowMs: 120_000 }),
        ask({ algorithm, bucket: 'a', key: 'b\u0000c' }),
        ask({ algorithm, bucket: 'a', key: 'b:c}{' }),
        ask({ algorithm, bucket: 'a', key: '' }),
      ]
      for (const request of apart) {
        const verdict = await counters.take([{ ...request, cost: 10 }])
        assert.equal(verdict.allowed, true)
      }
      for (const request of apart) assert.equal((await counters.take([request])).allowed, false)
    })

    test(`${name}, ${algorithm}: a cost over the limit and a limit of 0 never pass and say so`, async () => {
      const { counters } = await make()
      for (const request of [ask({ algorithm, cost: 11 }), ask({ algorithm, limit: 0, burst: 1 })]) {
        const verdict = await counters.take([request])
        assert.equal(verdict.allowed, false)
        assert.equal(verdict.decisions[0]?.retryAfterMs, Number.POSITIVE_INFINITY)
      }
    })
  }

  test(`${name}: what is no bucket is refused before anything is counted`, async () => {
    const { counters } = await make()
    const wrong: Partial<CounterRequest>[] = [
      { limit: -1 },
      { limit: 1.5 },
      { limit: 70_000, algorithm: 'strict' },
      { windowMs: 10 },
      { windowMs: 3_000_000_000 },
      { cost: 0 },
      { cost: Number.NaN },
      { algorithm: 'smooth', burst: 11 },
    ]
    for (const fields of wrong)
      await assert.rejects(
        async () => counters.take([ask(), ask(fields)]),
        RangeError,
        JSON.stringify(fields),
      )
    await assert.rejects(async () => counters.take(Array.from({ length: 17 }, () => ask())), RangeError)
    assert.equal((await counters.peek([ask()])).decisions[0]?.remaining, 10)
  })

  test(`${name}: the same bucket twice in one question counts twice`, async () => {
    const { counters } = await make()
    assert.equal((await counters.take([ask({ cost: 6 }), ask({ cost: 6 })])).allowed, false)
    assert.equal((await counters.take([ask({ cost: 5 }), ask({ cost: 5 })])).allowed, true)
    assert.equal((await counters.take([ask()])).allowed, false)
  })
}
