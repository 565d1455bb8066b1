// How late a process runs, on a clock that the test moves.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventLoopDelay } from './event-loop.ts'

function loop() {
  let now = 0
  let tick = (): void => {}
  let stopped = false
  const measured = eventLoopDelay({
    clock: () => now,
    every: (_ms, called) => {
      tick = called
      return () => {
        stopped = true
      }
    },
  })
  return {
    measured,
    /** Time passes, and the timer comes that late. */
    turn(lateMs: number) {
      now += 20 + lateMs
      tick()
    },
    wait(ms: number) {
      now += ms
    },
    isStopped: () => stopped,
  }
}

test('a loop in time is not late, a pause counts at once and fades', () => {
  const { measured, turn } = loop()
  for (let count = 0; count < 10; count++) turn(0)
  assert.equal(measured.load(), 0)
  turn(300)
  assert.equal(measured.load(), 300)
  for (let count = 0; count < 25; count++) turn(0)
  assert.ok(measured.load() < 30 && measured.load() > 0)
})

test('a pause that has not ended yet counts already', () => {
  const { measured, turn, wait } = loop()
  turn(0)
  wait(520)
  assert.equal(measured.load(), 500)
})

test('steady lateness stays, and the measure can be called off', () => {
  const { measured, turn, isStopped } = loop()
  for (let count = 0; count < 50; count++) turn(40)
  assert.equal(measured.load(), 40)
  measured.stop()
  assert.equal(isStopped(), true)
})

test('with the timers of the runtime, nothing is kept alive', () => {
  const measured = eventLoopDelay()
  assert.ok(measured.load() < 10_000)
  measured.stop()
})
