// Waits and budgets: by hand, and by guessers that try every pace.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { budget, budgetSentence, guessTimes, lockoutDefaults, waitSeconds } from './numbers.ts'

const small = fc.record({
  freeFailures: fc.integer({ min: 0, max: 4 }),
  firstWaitSeconds: fc.integer({ min: 1, max: 20 }),
  longestWaitSeconds: fc.integer({ min: 20, max: 200 }),
  disabledAt: fc.integer({ min: 5, max: 14 }),
  quietSeconds: fc.integer({ min: 60, max: 300 }),
})

test('H12 the waits of the defaults double from half a minute to an hour', () => {
  const waits = Array.from({ length: 14 }, (_, at) => waitSeconds(at + 1, lockoutDefaults))
  assert.deepEqual(waits, [0, 0, 0, 0, 30, 60, 120, 240, 480, 960, 1_920, 3_600, 3_600, 3_600])
  assert.equal(waitSeconds(1_000_000, lockoutDefaults), 3_600)
})

test('H12 the budget of the defaults', () => {
  assert.equal(
    budgetSentence(lockoutDefaults),
    '5 guesses at once, 11 in the first hour, then 24 a day, 100 in all',
  )
  const days = guessTimes(lockoutDefaults).at(-1)! / 86_400
  assert.ok(days > 3.7 && days < 3.8)
})

test('no guesser gets more than the budget, however it paces', () => {
  fc.assert(
    fc.property(small, fc.array(fc.integer({ min: 0, max: 320 }), { maxLength: 40 }), (over, pauses) => {
      const numbers = { ...lockoutDefaults, ...over }
      const times: number[] = []
      let [now, failures, until, last] = [0, 0, 0, Number.NEGATIVE_INFINITY]
      for (const pause of pauses) {
        now += pause
        if (now < until || times.length >= numbers.disabledAt) continue
        if (last < now - numbers.quietSeconds) failures = 0
        failures++
        last = now
        until = now + waitSeconds(failures, numbers)
        times.push(now)
      }
      for (let first = 0; first < times.length; first++)
        for (let end = first; end < times.length; end++)
          assert.ok(end - first + 1 <= budget(times[end]! - times[first]!, numbers))
    }),
    { numRuns: 1_000 },
  )
})

test('a budget grows with time and ends at the hard limit', () => {
  fc.assert(
    fc.property(small, (over) => {
      const numbers = { ...lockoutDefaults, ...over }
      const budgets = Array.from({ length: 400 }, (_, at) => budget(at * 10, numbers))
      assert.deepEqual(
        budgets,
        budgets.toSorted((a, b) => a - b),
      )
      assert.equal(budget(Number.MAX_SAFE_INTEGER, numbers), numbers.disabledAt)
      assert.equal(budget(0, numbers), Math.min(numbers.freeFailures + 1, numbers.disabledAt))
    }),
  )
})
