// CRC-32 in six digits of base 62, as keys end with it. It is no security: it tells keys that were cut or mistyped, and
// most of what is tried at random, from keys, before anything is hashed or looked up.

/** The digits, in the order of their values. */
export const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** The length of a checksum. */
export const CHECKSUM_LENGTH = 6

const TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let value = byte
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1
  return value
})

const VALUES = new Int8Array(128).fill(-1)
for (let value = 0; value < 62; value++) VALUES[BASE62.charCodeAt(value)] = value

/** The state of a CRC-32 (ISO 3309, as in zip and PNG) before the first byte. */
export const CRC_START = -1

/** The state after the ASCII characters `from` up to `to` of a text. */
export function crcAfter(state: number, text: string, from: number, to: number): number {
  let crc = state
  for (let at = from; at < to; at++) crc = (crc >>> 8) ^ TABLE[(crc ^ text.charCodeAt(at)) & 0xff]!
  return crc
}

/** Whether all characters from `from` on are digits of base 62. */
export function isBase62(text: string, from: number): boolean {
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code > 127 || VALUES[code]! < 0) return false
  }
  return true
}

/** The six digits of a state. */
export function checksumOf(state: number): string {
  let rest = ~state >>> 0
  let digits = ''
  for (let at = 0; at < CHECKSUM_LENGTH; at++) {
    digits = BASE62[rest % 62] + digits
    rest = Math.floor(rest / 62)
  }
  return digits
}

/** Whether the last six characters of a text, all of base 62, are the checksum of a state. */
export function endsWithChecksum(text: string, state: number): boolean {
  let said = 0
  for (let at = text.length - CHECKSUM_LENGTH; at < text.length; at++)
    said = said * 62 + VALUES[text.charCodeAt(at)]!
  return said === ~state >>> 0
}
