// CRC-32C (Castagnoli), reflected: the checksum of PROXY protocol headers. RFC 3720, section 12.1 and appendix B.4.

const POLYNOMIAL = 0x82f63b78

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1
  return value
})

/** The checksum of pieces, one after the other, as an unsigned number. */
export function crc32c(...pieces: readonly Uint8Array[]): number {
  let value = 0xffffffff
  for (const piece of pieces) for (const byte of piece) value = (value >>> 8) ^ TABLE[(value ^ byte) & 0xff]!
  return (value ^ 0xffffffff) >>> 0
}
