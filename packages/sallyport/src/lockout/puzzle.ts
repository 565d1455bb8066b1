// The engine's own challenge: a signed puzzle that is kept nowhere, and whose solution is checked by one HMAC and one hash.
// Hashcash's idea (Back, 2002), bound to a name and an address so that nobody can work ahead for others.

import { CHALLENGE_ANSWER, type Challenged, type Challenges } from '../ports/challenges.ts'
import { base64url, fromBase64url } from './device-token.ts'

/** How hard a puzzle is and how long it is good. */
export interface PuzzleNumbers {
  /** Leading zero bits: 2^difficulty hashes on the average. */
  readonly difficulty: number
  readonly lifeSeconds: number
}

/** 2^18 hashes: a third of a second on a laptop, two on an old telephone. */
export const puzzleDefaults: PuzzleNumbers = { difficulty: 18, lifeSeconds: 120 }

// 1.difficulty.issued.life.nonce.seal, then the number that was found: 128 random bits, HMAC-SHA-256. The last character
// of the seal has two bits that decoding passes over; where they are set the text is another, and so it is not ours.
const FORM =
  /^(1\.([0-9a-z]{1,2})\.([0-9a-z]{1,8})\.([0-9a-z]{1,4})\.[\w-]{22})\.([\w-]{42}[AEIMQUYcgkosw048])\.[0-9a-z]{1,11}$/
// Clocks of nodes may differ by this much; seconds.
const SKEW_SECONDS = 300

/** @param key HMAC-SHA-256, used for nothing else */
export function puzzles(
  key: () => Promise<CryptoKey>,
  clock: () => number,
  random: (bytes: Uint8Array) => Uint8Array,
  { difficulty, lifeSeconds }: PuzzleNumbers,
): Challenges {
  return {
    async issue(whom) {
      const nonce = base64url(random(new Uint8Array(16)))
      const issued = Math.floor(clock() / 1_000)
      const head = `1.${[difficulty, issued, lifeSeconds].map((each) => each.toString(36)).join('.')}.${nonce}`
      const seal = await crypto.subtle.sign('HMAC', await key(), sealed(head, whom))
      return {
        kind: 'proof-of-work',
        algorithm: 'SHA-256',
        puzzle: `${head}.${base64url(new Uint8Array(seal))}`,
        difficulty,
        expiresIn: lifeSeconds,
        answerIn: CHALLENGE_ANSWER,
      }
    },
    async check(answer, whom) {
      const [, head = '', bits = '', since = '', life = '', seal = ''] = FORM.exec(answer) ?? []
      if (seal === '') return undefined
      // WebCrypto compares in constant time.
      const isOurs = await crypto.subtle.verify('HMAC', await key(), fromBase64url(seal), sealed(head, whom))
      if (!isOurs) return undefined
      const issuedAt = Number.parseInt(since, 36) * 1_000
      const expiresAt = issuedAt + Number.parseInt(life, 36) * 1_000
      const now = clock()
      if (now >= expiresAt || issuedAt > now + SKEW_SECONDS * 1_000) return undefined
      const found = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(answer)))
      if (Math.clz32(new DataView(found.buffer).getUint32(0)) < Number.parseInt(bits, 36)) return undefined
      // The puzzle, not the answer: a puzzle has many answers, and all of them are good for one guess.
      return { id: `${head}.${seal}`, issuedAt, expiresAt }
    },
  }
}

function sealed(head: string, { name, authenticator, address = '' }: Challenged): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify([head, name, authenticator, address]))
}
