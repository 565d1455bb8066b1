// Random identifiers in hexadecimal, from a pool: a call for random bytes costs more than 4,096 of them.

const POOL_BYTES = 4096

const ASCII = new TextDecoder()
const DIGITS = Uint8Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0))

/** Gives fresh random bytes as lower-case hexadecimal digits. */
export type RandomHex = (bytes: 8 | 16) => string

type Random = (bytes: Uint8Array) => Uint8Array

const pools = new WeakMap<Random, RandomHex>()

/** The pool over a source of randomness; every cell shares it. Nothing is asked of the source before the first use. */
export function randomHex(random: Random): RandomHex {
  let pool = pools.get(random)
  if (!pool) {
    pool = makePool(random)
    pools.set(random, pool)
  }
  return pool
}

function makePool(random: Random): RandomHex {
  let text = ''
  let at = 0
  return (bytes) => {
    const length = bytes * 2
    if (at + length > text.length) {
      text = hex(random(new Uint8Array(POOL_BYTES)))
      at = 0
    }
    at += length
    return text.slice(at - length, at)
  }
}

// Younger than the oldest Node that we run on, and several times as fast.
interface WithHex {
  toHex?(): string
}

function hex(bytes: Uint8Array & WithHex): string {
  if (bytes.toHex) return bytes.toHex()
  const codes = new Uint8Array(bytes.length * 2)
  for (let i = 0; i < bytes.length; i++) {
    codes[i * 2] = DIGITS[bytes[i]! >> 4]!
    codes[i * 2 + 1] = DIGITS[bytes[i]! & 15]!
  }
  return ASCII.decode(codes)
}

const ACCEPTED = /^[A-Za-z0-9._-]{8,128}$/

/** True for a request id that may be taken over: it goes into headers, bodies and logs as it is. */
export function isRequestId(value: string): boolean {
  return ACCEPTED.test(value)
}
