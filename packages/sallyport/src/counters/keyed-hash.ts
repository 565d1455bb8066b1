// HalfSipHash-1-3 with 64 bits of output over UTF-16 units (Aumasson and Bernstein; the variant that Linux uses for its
// hash tables). Keyed with random words per process, so nobody outside can choose callers that share a bucket.

/** The two halves of the last hash; one object, written anew, so that hashing allocates nothing. */
export interface KeyedHash {
  low: number
  high: number
  /** Hashes `text` under a number that tells buckets apart. Never leaves both halves 0: 0 means an empty slot. */
  of(prefix: number, text: string): void
}

/** @param key two random 32-bit words. */
export function keyedHash(key: readonly [number, number]): KeyedHash {
  const [k0, k1] = [key[0] | 0, key[1] | 0]
  let v0 = 0
  let v1 = 0
  let v2 = 0
  let v3 = 0

  function round(): void {
    v0 = (v0 + v1) | 0
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
    v0 = (v0 << 16) | (v0 >>> 16)
    v2 = (v2 + v3) | 0
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
    v0 = (v0 + v3) | 0
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
    v2 = (v2 + v1) | 0
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
    v2 = (v2 << 16) | (v2 >>> 16)
  }

  function word(value: number): void {
    v3 ^= value
    round()
    v0 ^= value
  }

  const hash: KeyedHash = {
    low: 0,
    high: 0,
    of(prefix, text) {
      v0 = k0
      v1 = k1 ^ 0xee
      v2 = 0x6c796765 ^ k0
      v3 = 0x74656462 ^ k1
      word(prefix)
      const { length } = text
      const even = length & ~1
      for (let at = 0; at < even; at += 2) word(text.charCodeAt(at) | (text.charCodeAt(at + 1) << 16))
      // The length stands beside the last odd unit, so no text is the beginning of another.
      word(even < length ? text.charCodeAt(even) : 0)
      word(length)
      v2 ^= 0xee
      round()
      round()
      round()
      hash.low = (v1 ^ v3) >>> 0
      v1 ^= 0xdd
      round()
      round()
      round()
      hash.high = (v1 ^ v3) >>> 0
      if ((hash.low | hash.high) === 0) hash.low = 1
    },
  }
  return hash
}
