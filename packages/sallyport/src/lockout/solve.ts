// `sallyport/challenge`: solves the puzzle that a stranger gets while failed sign-ins surge. For browsers, Node and every
// other runtime; it imports nothing but a name, so a sign-in page hardly grows.

export { CHALLENGE_ANSWER } from '../ports/challenges.ts'

/** The member `challenge` of the problem `challenge_required`, as it came; unchecked. */
export interface Puzzle {
  readonly kind: string
  readonly puzzle?: string | number
  readonly difficulty?: string | number
}

/** How it is solved. */
export interface SolveOptions {
  /** Gives up when it aborts. */
  readonly signal?: AbortSignal
}

const MAX_DIFFICULTY = 32
// Between two pauses; a page stays usable.
const TRIES_AT_ONCE = 10_000

/**
 * Finds a number with which SHA-256 of `puzzle.number` begins with so many zero bits: about 2^difficulty tries.
 *
 * @returns the value of `Challenge-Answer`
 * @throws TypeError where it is no puzzle of ours; the signal's reason where it aborts
 * @example
 * const { challenge } = await response.json()
 * const headers = { [CHALLENGE_ANSWER]: await solveChallenge(challenge) }
 */
export async function solveChallenge(challenge: Puzzle, { signal }: SolveOptions = {}): Promise<string> {
  const { kind, puzzle, difficulty } = challenge
  if (kind !== 'proof-of-work' || typeof puzzle !== 'string' || !isDifficulty(difficulty))
    throw new TypeError(
      'solveChallenge: this is no puzzle; pass on the member "challenge" of a problem with the code challenge_required',
    )
  const zeros = zeroBitsAfter(`${puzzle}.`)
  for (let number = 0; ; number++) {
    const text = number.toString(36)
    if (zeros(text) >= difficulty) return `${puzzle}.${text}`
    if (number % TRIES_AT_ONCE === 0) {
      signal?.throwIfAborted()
      await new Promise((resolve) => setTimeout(resolve, 0))
    }
  }
}

function isDifficulty(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MAX_DIFFICULTY
}

// FIPS 180-4, sections 4.2.2 and 5.3.3: from the roots of the first primes. WebCrypto would be asked by a promise for each
// try, which costs ten times as much as the hash.
const [K, H0] = constants()

/** Counts the leading zero bits, up to 32, of SHA-256 of a fixed beginning and an ASCII ending. */
export function zeroBitsAfter(beginning: string): (ending: string) => number {
  const bytes = new TextEncoder().encode(beginning)
  const start = H0.slice()
  const words = new Int32Array(64)
  const whole = bytes.length - (bytes.length % 64)
  // What is the same for every try is hashed once.
  for (let at = 0; at < whole; at += 64) compress(start, words, bytes.subarray(at, at + 64))
  const rest = bytes.subarray(whole)
  const block = new Uint8Array(128)
  const state = new Int32Array(8)
  return (ending) => {
    const length = rest.length + ending.length
    const size = length + 9 <= 64 ? 64 : 128
    if (length + 9 > 128) throw new RangeError('zeroBitsAfter: the ending is too long')
    block.fill(0)
    block.set(rest)
    for (let at = 0; at < ending.length; at++) block[rest.length + at] = ending.charCodeAt(at)
    block[length] = 0x80
    new DataView(block.buffer).setUint32(size - 4, (whole + length) * 8)
    state.set(start)
    compress(state, words, block)
    if (size === 128) compress(state, words, block.subarray(64))
    return Math.clz32(state[0]!)
  }
}

// FIPS 180-4, section 6.2.2.
function compress(state: Int32Array, w: Int32Array, block: Uint8Array): void {
  for (let t = 0; t < 16; t++) {
    const at = t * 4
    w[t] = (block[at]! << 24) | (block[at + 1]! << 16) | (block[at + 2]! << 8) | block[at + 3]!
  }
  for (let t = 16; t < 64; t++) {
    const [x, y] = [w[t - 15]!, w[t - 2]!]
    const s0 = rotate(x, 7) ^ rotate(x, 18) ^ (x >>> 3)
    const s1 = rotate(y, 17) ^ rotate(y, 19) ^ (y >>> 10)
    w[t] = (w[t - 16]! + s0 + w[t - 7]! + s1) | 0
  }
  let a = state[0]!
  let b = state[1]!
  let c = state[2]!
  let d = state[3]!
  let e = state[4]!
  let f = state[5]!
  let g = state[6]!
  let h = state[7]!
  for (let t = 0; t < 64; t++) {
    const s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + K[t]! + w[t]!) | 0
    const s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0
    h = g
    g = f
    f = e
    e = (d + t1) | 0
    d = c
    c = b
    b = a
    a = (t1 + t2) | 0
  }
  state[0]! += a
  state[1]! += b
  state[2]! += c
  state[3]! += d
  state[4]! += e
  state[5]! += f
  state[6]! += g
  state[7]! += h
}

function rotate(word: number, by: number): number {
  return (word >>> by) | (word << (32 - by))
}

function constants(): readonly [Int32Array, Int32Array] {
  const primes: number[] = []
  for (let n = 2; primes.length < 64; n++) if (primes.every((prime) => n % prime !== 0)) primes.push(n)
  // The first 32 bits behind the point.
  const fraction = (root: number) => ((root - Math.floor(root)) * 2 ** 32) | 0
  return [
    Int32Array.from(primes, (prime) => fraction(Math.cbrt(prime))),
    Int32Array.from(primes.slice(0, 8), (prime) => fraction(Math.sqrt(prime))),
  ]
}
