import assert from 'node:assert/strict'
import { randomFillSync } from 'node:crypto'
import { test } from 'node:test'
import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { BASE62, CRC_START, checksumOf, crcAfter } from './checksum.ts'
import { holdsChecksum, isVendor, type KeyShape, keyFormat, looksLikeKey } from './format.ts'

const format = keyFormat('acme')
const random = (bytes: Uint8Array) => randomFillSync(bytes)
const shapes: readonly KeyShape[] = [
  { kind: 'secret', environment: 'live' },
  { kind: 'secret', environment: 'test' },
  { kind: 'publishable', environment: 'live' },
  { kind: 'publishable', environment: 'test' },
]

test('H6 keys say their kind, their vendor and their environment, and read back', () => {
  for (const shape of shapes) {
    const key = format.make(shape, random)
    const prefix = `${shape.kind === 'secret' ? 'sk' : 'pk'}_acme_${shape.environment}_`
    assert.match(key, new RegExp(`^${prefix}[0-9A-Za-z]{38}$`))
    assert.deepEqual(format.read(key), shape)
    assert.ok(holdsChecksum(key) && looksLikeKey(key))
    assert.equal(format.display(key), `${prefix}…${key.slice(-4)}`)
  }
})

// Zeros make a key that anybody can recompute: the form never changes by accident.
test('H6 the form is fixed', () => {
  const key = format.make(shapes[0]!, (bytes) => bytes.fill(0))
  assert.equal(key, `sk_acme_live_${'0'.repeat(32)}${checksumOf(~crc32(`sk_acme_live_${'0'.repeat(32)}`))}`)
})

test('the checksum is CRC-32: its check value of "123456789" is cbf43926', () => {
  assert.equal(~crcAfter(CRC_START, '123456789', 0, 9) >>> 0, 0xcbf43926)
  assert.equal(checksumOf(~0xffffffff), '4gfFC3')
  assert.equal(checksumOf(~0), '000000')
})

test('one changed character is always seen, and so are cut, longer and foreign keys', () => {
  const key = format.make(shapes[0]!, random)
  fc.assert(
    fc.property(
      fc.nat(key.length - 1),
      fc.constantFrom(...BASE62, '_', '-', ' ', 'é', '\0'),
      (at, character) => {
        fc.pre(key[at] !== character)
        assert.equal(format.read(key.slice(0, at) + character + key.slice(at + 1)), undefined)
      },
    ),
  )
  for (const wrong of [
    key.slice(0, -1),
    `${key}0`,
    ` ${key}`,
    '',
    keyFormat('other').make(shapes[0]!, random),
  ])
    assert.equal(format.read(wrong), undefined)
})

test('any text is read without a throw', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string({ unit: 'binary' }), fc.string({ minLength: 51, maxLength: 51 })),
      (text) => {
        assert.equal(format.read(text), undefined)
        holdsChecksum(text)
      },
    ),
  )
})

test('no digit is likelier than another: each comes of four bytes, and the last eight bytes are drawn again', () => {
  const counts = new Map<string, number>()
  for (let byte = 0; byte < 256; byte++) {
    let draws = 0
    const key = format.make(shapes[0]!, (bytes) => bytes.fill(draws++ === 0 ? byte : 0))
    assert.equal(draws, byte < 248 ? 1 : 2)
    if (byte < 248) counts.set(key[13]!, (counts.get(key[13]!) ?? 0) + 1)
  }
  assert.deepEqual([...counts.values()], new Array(62).fill(4))
})

test('a vendor is a short name that no scanner takes for the key of another', () => {
  for (const name of ['acme', 'a1', 'x'.repeat(20)]) assert.ok(isVendor(name))
  for (const name of ['', 'a', 'live', 'test', 'prod', 'Acme', '1a', 'a_b', 'a-b', 'x'.repeat(21)]) {
    assert.ok(!isVendor(name))
    assert.throws(() => keyFormat(name), RangeError)
  }
  // The rule by which gitleaks and others know keys of Stripe.
  const stripe = /\b(?:sk|rk)_(?:test|live|prod)_[a-zA-Z0-9]{10,99}/
  for (const shape of shapes) assert.doesNotMatch(format.make(shape, random), stripe)
})
