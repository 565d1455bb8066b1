// The watch of the clock, with clocks that the test moves.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { watchClock } from './clock-watch.ts'

test('a clock that is put forward or back is told once each time; one that is slewed, or read late, is not', () => {
  let [wall, steady] = [1_700_000_000_000, 5_000]
  let look = () => {}
  let ended = false
  const told: number[] = []
  const end = watchClock((byMs) => void told.push(byMs), {
    wall: () => wall,
    steady: () => steady,
    every: (_ms, work) => {
      look = work
      return () => {
        ended = true
      }
    },
  })
  const pass = (ms: number, drift = 0) => {
    wall += ms + drift
    steady += ms
    look()
  }
  pass(1_000)
  // Hours in which a process stands still are no jump.
  pass(7_200_000)
  // A slew of 0.5 ms a second, for two hours.
  for (let second = 0; second < 7_200; second += 1) pass(1_000, 0.5)
  assert.deepEqual(told, [])
  wall += 3_600_000
  pass(1_000)
  pass(1_000)
  wall -= 7_200_000
  pass(1_000)
  pass(1_000)
  assert.deepEqual(told, [3_600_000, -7_200_000])
  end()
  assert.ok(ended)
})
