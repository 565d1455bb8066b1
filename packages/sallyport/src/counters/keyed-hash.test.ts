// The hash of callers: no two texts are taken for one because of how they are read, and the key decides.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { runs } from '../../test/runs.ts'
import { keyedHash } from './keyed-hash.ts'

function of(text: string, prefix = 0, key: readonly [number, number] = [1, 2]): string {
  const hash = keyedHash(key)
  hash.of(prefix, text)
  return `${hash.low} ${hash.high}`
}

test('texts that look alike in one width or the other are apart', () => {
  const texts = [
    '',
    '\0',
    '\0\0',
    '\0\0\0\0',
    'a',
    'a\0',
    'a\0\0\0',
    'ab',
    'aĀ',
    'ab\0\0',
    'abcd',
    'abcde',
    '\u6261\u6463',
    'Ā',
    'ÿ',
    '\u0100\0',
    '\u6261',
  ]
  assert.equal(new Set(texts.map((text) => of(text))).size, texts.length)
})

test('different texts, buckets and keys have different hashes; the same have the same', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '\0', 'é', '中'), maxLength: 9 })
  fc.assert(
    fc.property(text, text, fc.nat(255), fc.nat(255), (a, b, first, second) => {
      assert.equal(of(a, first) === of(b, second), a === b && first === second)
      assert.notEqual(of(a, first), of(a, first, [1, 3]))
    }),
    runs(5000),
  )
})

test('the bits of both halves are even', () => {
  const ones = new Array<number>(64).fill(0)
  const hash = keyedHash([0x12345678, 0x9abcdef0])
  for (let count = 0; count < 4096; count++) {
    hash.of(3, `198.51.${count >> 8}.${count & 255}`)
    for (let bit = 0; bit < 64; bit++) ones[bit]! += ((bit < 32 ? hash.low : hash.high) >>> (bit & 31)) & 1
  }
  for (const count of ones) assert.ok(Math.abs(count - 2048) < 200, `${ones}`)
})
