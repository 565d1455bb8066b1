import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { runs } from '../../../sallyport/test/runs.ts'
import {
  boolean,
  explicit,
  implicit,
  integer,
  namedBits,
  objectIdentifier,
  octetString,
  sequence,
  time,
} from './der.ts'

// Encodings that X.690 and RFC 5280 print themselves, or that follow from them by hand.
const VECTORS: readonly (readonly [what: string, der: Buffer, hex: string])[] = [
  ['integer 0', integer(0), '020100'],
  ['integer 127', integer(127), '02017f'],
  ['integer 128 gets a sign octet', integer(128), '02020080'],
  ['integer without needless zeros', integer(Uint8Array.of(0, 0, 1)), '020101'],
  ['integer keeps the zero that a sign needs', integer(Uint8Array.of(0, 0x80)), '02020080'],
  ['true is all ones', boolean(true), '0101ff'],
  ['empty sequence', sequence(), '3000'],
  ['nested', sequence(integer(1), boolean(false)), '3006020101010100'],
  ['rsadsi, X.690 8.19.5 form', objectIdentifier('1.2.840.113549'), '06062a864886f70d'],
  ['ecdsa-with-SHA256', objectIdentifier('1.2.840.10045.4.3.2'), '06082a8648ce3d040302'],
  ['digitalSignature', namedBits(0), '03020780'],
  ['keyCertSign and cRLSign', namedBits(5, 6), '03020106'],
  ['nine bits', namedBits(8), '0303070080'],
  ['explicit tag', explicit(3, integer(2)), 'a303020102'],
  ['implicit tag', implicit(2, Buffer.from('a.b')), '8203612e62'],
  ['UTCTime', time(Date.UTC(1991, 4, 6, 23, 45, 40)), '170d3931303530363233343534305a'],
  ['the last UTCTime', time(Date.UTC(2049, 11, 31, 23, 59, 59)), '170d3439313233313233353935395a'],
  ['GeneralizedTime from 2050', time(Date.UTC(2050, 0, 1)), '180f32303530303130313030303030305a'],
]

for (const [what, der, hex] of VECTORS)
  test(`DER: ${what}`, () => {
    assert.equal(der.toString('hex'), hex)
  })

test('lengths are in the definite form with the fewest octets', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 70_000 }), (size) => {
      const der = octetString(new Uint8Array(size))
      const expected =
        size < 128
          ? [size]
          : size < 256
            ? [0x81, size]
            : size < 65_536
              ? [0x82, size >> 8, size & 255]
              : [0x83, 1, (size >> 8) & 255, size & 255]
      assert.deepEqual([...der.subarray(1, der.length - size)], expected)
    }),
    runs(200),
  )
})
