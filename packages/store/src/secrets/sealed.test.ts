import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { gcmOpen, gcmSeal } from './gcm.ts'
import { fieldKeys, ringOf } from './keys.ts'
import { type FieldPlace, keyOf, openField, sealField } from './sealed.ts'

const hex = (text: string) => Buffer.from(text, 'hex')
const PLACE: FieldPlace = { table: 'accounts', column: 'totp', row: '7' }
const ring = ringOf(
  new Map([
    [1, Buffer.alloc(32, 1)],
    [2, Buffer.alloc(32, 2)],
  ]),
)
const old = ringOf(new Map([[1, Buffer.alloc(32, 1)]]))

describe('AES-256-GCM answers the vectors of its specification (McGrew and Viega, appendix B)', () => {
  const vectors: readonly (readonly [
    name: string,
    k: string,
    iv: string,
    p: string,
    a: string,
    ct: string,
  ])[] = [
    ['13', '00'.repeat(32), '00'.repeat(12), '', '', '530f8afbc74536b9a963b4f1c4cb738b'],
    [
      '14',
      '00'.repeat(32),
      '00'.repeat(12),
      '00'.repeat(16),
      '',
      'cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919',
    ],
    [
      '16',
      'feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308',
      'cafebabefacedbaddecaf888',
      'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39',
      'feedfacedeadbeeffeedfacedeadbeefabaddad2',
      '522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b',
    ],
  ]
  for (const [name, k, iv, p, a, ct] of vectors)
    it(`case ${name}`, () => {
      assert.equal(gcmSeal(hex(k), hex(iv), hex(p), hex(a)).toString('hex'), ct)
      assert.equal(gcmOpen(hex(k), hex(iv), hex(ct), hex(a))?.toString('hex'), p)
    })
})

describe('H3 an encrypted field', () => {
  it('takes an integer as the key of its row, and nothing that is no key', () => {
    const plain = Buffer.from('x')
    for (const row of [7, 7n, '7'])
      assert.deepEqual(openField(ring, sealField(ring, plain, { ...PLACE, row }), PLACE), plain)
    for (const row of [1.5, 2 ** 53, Number.NaN, null, undefined, {}])
      assert.throws(() => sealField(ring, plain, { ...PLACE, row } as FieldPlace), {
        name: 'FieldFault',
        message: /place\.row: expected/,
      })
  })

  const text = fc.string({ unit: 'binary', maxLength: 40 })
  const place = fc.record({ table: text, column: text, row: text })

  it('opens in its place to what it was, and never twice as the same bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), place, (plain, where) => {
        const sealed = sealField(ring, plain, where)
        assert.deepEqual(new Uint8Array(openField(ring, sealed, where)), plain)
        assert.notDeepEqual(sealField(ring, plain, where), sealed)
        assert.equal(keyOf(sealed), 2)
      }),
    )
  })

  it('opens in no other place: the parts of a place can’t be shifted into one another', () => {
    fc.assert(
      fc.property(place, place, (where, other) => {
        fc.pre(where.table !== other.table || where.column !== other.column || where.row !== other.row)
        assert.throws(() => openField(ring, sealField(ring, Buffer.from('x'), where), other), /moved/)
      }),
    )
    const sealed = sealField(ring, Buffer.from('x'), { table: 'ab', column: 'c', row: 'd' })
    assert.throws(() => openField(ring, sealed, { table: 'a', column: 'bc', row: 'd' }), /moved/)
  })

  it('tells every changed bit and every missing byte', () => {
    const sealed = sealField(ring, Buffer.from('JBSWY3DPEHPK3PXP'), PLACE)
    for (let bit = 0; bit < sealed.length * 8; bit += 1) {
      const changed = Buffer.from(sealed)
      changed[bit >> 3]! ^= 1 << (bit & 7)
      assert.throws(() => openField(ring, changed, PLACE), { name: 'FieldFault' }, `bit ${bit}`)
    }
    for (let length = 0; length < sealed.length; length += 1)
      assert.throws(() => openField(ring, sealed.subarray(0, length), PLACE), { name: 'FieldFault' })
  })

  it('is read with the key that it names, or names the key that is missing; it is total on anything', () => {
    const sealed = sealField(old, Buffer.from('secret'), PLACE)
    assert.equal(openField(ring, sealed, PLACE).toString(), 'secret')
    assert.throws(
      () => openField(old, sealField(ring, Buffer.from('secret'), PLACE), PLACE),
      /accounts\.totp: a value needs key 2; set SALLYPORT_FIELD_KEY_2/,
    )
    // Relabelled as of a key that is there too.
    const relabelled = Buffer.from(sealed)
    relabelled[4] = 2
    assert.throws(() => openField(ring, relabelled, PLACE), /changed/)
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        assert.throws(() => openField(ring, bytes, PLACE), { name: 'FieldFault' })
      }),
    )
  })
})

it('keys come from the environment, the highest number encrypts, and no message holds one', () => {
  const key = (byte: number) => Buffer.alloc(32, byte).toString('base64url')
  const keys = fieldKeys({ SALLYPORT_FIELD_KEY_2: key(2), SALLYPORT_FIELD_KEY_10: key(10), OTHER: 'x' })
  assert.equal(keys.newest, 10)
  assert.deepEqual(keys.get(2), Buffer.alloc(32, 2))
  assert.throws(() => fieldKeys({}), /set SALLYPORT_FIELD_KEY_1/)
  const bad = 'hunter2hunter2'
  assert.throws(
    () => fieldKeys({ SALLYPORT_FIELD_KEY_1: bad }),
    (error: Error) =>
      /SALLYPORT_FIELD_KEY_1 must hold 32 bytes/.test(error.message) && !error.message.includes(bad),
  )
})
