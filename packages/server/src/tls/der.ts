// The few forms of DER (X.690) that a certificate needs, each a function from content to bytes.

/** Bytes of one or more encoded values. */
export type Der = Buffer

function tagged(tag: number, content: Uint8Array): Der {
  return Buffer.concat([Buffer.from([tag]), length(content.length), content])
}

// X.690, section 10.1: the definite form, in the fewest octets.
function length(bytes: number): Buffer {
  if (bytes < 0x80) return Buffer.from([bytes])
  const octets: number[] = []
  for (let rest = bytes; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256)
  return Buffer.from([0x80 | octets.length, ...octets])
}

export const sequence = (...parts: readonly Der[]): Der => tagged(0x30, Buffer.concat(parts))
// X.690, section 11.6: the elements of a SET OF stand in ascending order; ours have one each.
export const setOfOne = (part: Der): Der => tagged(0x31, part)
export const octetString = (content: Uint8Array): Der => tagged(0x04, content)
export const utf8String = (text: string): Der => tagged(0x0c, Buffer.from(text, 'utf8'))
export const boolean = (value: boolean): Der => tagged(0x01, Buffer.from([value ? 0xff : 0]))

/** A tag of its context that holds whole values: `[number] EXPLICIT`. */
export const explicit = (number: number, ...parts: readonly Der[]): Der =>
  tagged(0xa0 | number, Buffer.concat(parts))

/** A tag of its context that stands in place of a value's own: `[number] IMPLICIT`, for a primitive value. */
export const implicit = (number: number, content: Uint8Array): Der => tagged(0x80 | number, content)

/** A positive integer, big-endian; a sign octet is added and needless zeros are taken away (X.690, section 8.3). */
export function integer(value: number | Uint8Array): Der {
  let bytes = typeof value === 'number' ? Buffer.from([value]) : Buffer.from(value)
  while (bytes.length > 1 && bytes[0] === 0 && bytes[1]! < 0x80) bytes = bytes.subarray(1)
  return tagged(0x02, bytes[0]! >= 0x80 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes)
}

/** Whole octets. */
export const bitString = (content: Uint8Array): Der =>
  tagged(0x03, Buffer.concat([Buffer.from([0]), content]))

/** A named list of bits, without trailing zeros (X.690, section 11.2.2). */
export function namedBits(...bits: readonly number[]): Der {
  const last = Math.max(...bits)
  const octets = Buffer.alloc(Math.floor(last / 8) + 1)
  for (const bit of bits) octets[Math.floor(bit / 8)]! |= 0x80 >> (bit % 8)
  return tagged(0x03, Buffer.concat([Buffer.from([7 - (last % 8)]), octets]))
}

/** X.690, section 8.19: two arcs in the first octet, the others in base 128. */
export function objectIdentifier(dotted: string): Der {
  const [first, second, ...rest] = dotted.split('.').map(Number) as [number, number, ...number[]]
  const octets = [first * 40 + second]
  for (const arc of rest) {
    const digits = [arc & 0x7f]
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128))
      digits.unshift((left & 0x7f) | 0x80)
    octets.push(...digits)
  }
  return tagged(0x06, Buffer.from(octets))
}

/** RFC 5280, section 4.1.2.5: UTCTime to 2049, GeneralizedTime from 2050, both to the second and in UTC. */
export function time(milliseconds: number): Der {
  const date = new Date(milliseconds)
  const digits = date.toISOString().replace(/[-:T]/g, '').slice(0, 14)
  return date.getUTCFullYear() < 2050
    ? tagged(0x17, Buffer.from(`${digits.slice(2)}Z`, 'ascii'))
    : tagged(0x18, Buffer.from(`${digits}Z`, 'ascii'))
}
