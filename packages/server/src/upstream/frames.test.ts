// The boundaries of frames, however their bytes are split.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { closeFrame, FrameBoundary, maskedCloseFrame } from './frames.ts'

/** A frame as RFC 6455, section 5.2, writes it. */
function frame(length: number, isMasked: boolean, form: 'short' | 'medium' | 'long'): Buffer {
  const mask = isMasked ? 0x80 : 0
  const head =
    form === 'short'
      ? Buffer.from([0x82, mask | length])
      : form === 'medium'
        ? Buffer.from([0x02, mask | 126, length >> 8, length & 0xff])
        : Buffer.from([0x81, mask | 127, 0, 0, 0, 0, 0, length >> 16, (length >> 8) & 0xff, length & 0xff])
  return Buffer.concat([head, Buffer.alloc(isMasked ? 4 : 0, 0xff), Buffer.alloc(length, 0x88)])
}

const frames: fc.Arbitrary<Parameters<typeof frame>> = fc.oneof(
  fc.tuple(fc.nat(125), fc.boolean(), fc.constant('short' as const)),
  fc.tuple(fc.nat(2_000), fc.boolean(), fc.constantFrom('medium' as const, 'long' as const)),
)

test('it is between frames exactly where one has ended, however the bytes are split', () => {
  fc.assert(
    fc.property(fc.array(frames, { maxLength: 6 }), fc.integer({ min: 1, max: 300 }), (list, step) => {
      const bytes = list.map((one) => frame(...one))
      const ends = new Set([0])
      let end = 0
      for (const one of bytes) {
        end += one.length
        ends.add(end)
      }
      const all = Buffer.concat(bytes)
      const boundary = new FrameBoundary()
      for (let at = 0; at < all.length; at += step) {
        assert.equal(boundary.isBetween, ends.has(at))
        boundary.pass(all.subarray(at, at + step))
      }
      assert.ok(boundary.isBetween)
    }),
  )
})

test('a length that no connection lives to see keeps it within the frame', () => {
  const boundary = new FrameBoundary()
  boundary.pass(Buffer.from('827fffffffffffffffff', 'hex'))
  for (let i = 0; i < 10; i++) boundary.pass(Buffer.alloc(1_000_000))
  assert.equal(boundary.isBetween, false)
})

test('the frames that say goodbye are whole ones, with the code of an end that goes away', () => {
  assert.deepEqual(closeFrame(), Buffer.from('880203e9', 'hex'))
  const masked = maskedCloseFrame()
  assert.deepEqual([masked.length, masked[0], masked[1]], [8, 0x88, 0x82])
  assert.equal(((masked[6]! ^ masked[2]!) << 8) | (masked[7]! ^ masked[3]!), 1001)
  for (const one of [closeFrame(), masked]) {
    const boundary = new FrameBoundary()
    boundary.pass(one)
    assert.ok(boundary.isBetween)
  }
})
