import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32c } from './crc32c.ts'

const VECTORS: readonly (readonly [what: string, bytes: Uint8Array, sum: number])[] = [
  ['nothing', new Uint8Array(), 0],
  ['the check value of the catalogues', Buffer.from('123456789'), 0xe3069283],
  ['RFC 3720, B.4: 32 bytes of zeroes', new Uint8Array(32), 0x8a9136aa],
  ['RFC 3720, B.4: 32 bytes of ones', new Uint8Array(32).fill(0xff), 0x62a8ab43],
  ['RFC 3720, B.4: 32 bytes that rise', Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
  ['RFC 3720, B.4: 32 bytes that fall', Uint8Array.from({ length: 32 }, (_, i) => 31 - i), 0x113fdb5c],
]

for (const [what, bytes, sum] of VECTORS)
  test(`the checksum of ${what}`, () => {
    assert.equal(crc32c(bytes), sum)
    for (let at = 0; at <= bytes.length; at++)
      assert.equal(crc32c(bytes.subarray(0, at), bytes.subarray(at)), sum)
  })
