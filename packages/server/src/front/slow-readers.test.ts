// Who reads too slowly, by a clock of the test's own.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createSlowReaders } from './slow-readers.ts'

const LIMITS = { startMs: 1_000, bytesPerSecond: 100 }

function reader() {
  return {
    writableLength: 0,
    bytesWritten: 0,
    ended: false,
    /** The application writes. */
    write(bytes: number) {
      this.bytesWritten += bytes
      this.writableLength += bytes
    },
    /** The client takes. */
    take(bytes: number) {
      this.writableLength = Math.max(0, this.writableLength - bytes)
    },
    destroy() {
      this.ended = true
      return this as never
    },
  }
}

test('a client that takes nothing is cut off after the start', () => {
  const slow = reader()
  const readers = createSlowReaders(LIMITS)
  slow.write(10_000)
  readers.sweep([slow], 0)
  readers.sweep([slow], 1_000)
  assert.equal(slow.ended, false)
  assert.equal(readers.sweep([slow], 1_001), 1)
  assert.equal(slow.ended, true)
})

test('a client that takes a few bytes now and then is cut off, one that keeps the rate is not', () => {
  const [drips, keeps] = [reader(), reader()]
  const readers = createSlowReaders(LIMITS)
  for (const each of [drips, keeps]) each.write(1_000_000)
  for (let now = 0; now <= 60_000 && !drips.ended; now += 1_000) {
    drips.take(10)
    keeps.take(100)
    readers.sweep([drips, keeps], now)
  }
  assert.deepEqual([drips.ended, keeps.ended], [true, false])
})

test('a client that has everything begins anew', () => {
  const stream = reader()
  const readers = createSlowReaders(LIMITS)
  for (let now = 0; now <= 60_000; now += 1_000) {
    stream.write(5)
    readers.sweep([stream], now)
    stream.take(5)
    readers.sweep([stream], now + 500)
  }
  assert.equal(stream.ended, false)
})

test('nobody is cut off before the start, whatever happens', () => {
  const step = fc.record({ write: fc.nat({ max: 1_000 }), take: fc.nat({ max: 1_000 }) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 10 }), (steps) => {
      const each = reader()
      const readers = createSlowReaders(LIMITS)
      steps.forEach(({ write, take }, index) => {
        each.write(write)
        each.take(take)
        readers.sweep([each], index * 100)
      })
      assert.equal(each.ended, false)
    }),
  )
})
