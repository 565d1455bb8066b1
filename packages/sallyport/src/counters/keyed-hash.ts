// HalfSipHash-1-3 with 64 bits of output (Aumasson and Bernstein; the variant that Linux uses for its hash tables). Keyed
// with random words per process, so nobody outside can choose callers that share a bucket.

/** The two halves of the last hash, as signed words; one object, written anew, so that hashing allocates nothing. */
export interface KeyedHash {
  low: number
  high: number
  /** Hashes `text` under a number that tells buckets apart. Never leaves both halves 0: 0 means an empty slot. */
  of(prefix: number, text: string): void
}

/** @param key two random 32-bit words. */
export function keyedHash(key: readonly [number, number]): KeyedHash {
  const [k0, k1] = [key[0] | 0, key[1] | 0]

  // Nearly all of the time is here, so the round stands where it is used and its state is in local variables.
  function digest(prefix: number, text: string, isWide: boolean): boolean {
    const { length } = text
    const step = isWide ? 2 : 4
    let v0 = k0
    let v1 = k1 ^ 0xee
    let v2 = 0x6c796765 ^ k0
    let v3 = 0x74656462 ^ k1
    let seen = 0
    // The prefix; the text, in words of four units of 8 bits or of two of 16; and its length beside how it was read, so
    // that no text is another's beginning.
    for (let at = -step, end = length + step; at < end; at += step) {
      let word = at < 0 ? prefix : isWide ? ~length : length
      if (at >= 0 && at < length) {
        const first = text.charCodeAt(at)
        const second = at + 1 < length ? text.charCodeAt(at + 1) : 0
        if (isWide) word = first | (second << 16)
        else {
          const third = at + 2 < length ? text.charCodeAt(at + 2) : 0
          const fourth = at + 3 < length ? text.charCodeAt(at + 3) : 0
          seen |= first | second | third | fourth
          word = first | (second << 8) | (third << 16) | (fourth << 24)
        }
      }
      v3 ^= word
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
      v0 ^= word
    }
    v2 ^= 0xee
    for (let round = 0; round < 6; round++) {
      if (round === 3) {
        hash.low = v1 ^ v3
        v1 ^= 0xdd
      }
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
    hash.high = v1 ^ v3
    return seen < 256
  }

  const hash: KeyedHash = {
    low: 0,
    high: 0,
    of(prefix, text) {
      // Nearly every key is of units of 8 bits; the few others are read again.
      if (!digest(prefix, text, false)) digest(prefix, text, true)
      if ((hash.low | hash.high) === 0) hash.low = 1
    },
  }
  return hash
}
