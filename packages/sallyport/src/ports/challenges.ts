// What the `lockout` engine asks of strangers while failures surge. Its own is a puzzle that costs a little computing; an
// application may ask for what a provider of its choice tells people from programs by.

/** The field of the request that carries the answer. */
export const CHALLENGE_ANSWER = 'Challenge-Answer'

/** What a caller is asked to solve: it goes out as the member `challenge` of the problem document. */
export interface Challenge {
  /** `proof-of-work`, or the name of whatever a client knows how to answer. */
  readonly kind: string
  readonly [member: string]: string | number
}

/** For whom a challenge is: a solution is good for nobody else. */
export interface Challenged {
  /** HMAC-SHA-256 of the normalised name; whether or not an account has the name. */
  readonly name: string
  readonly authenticator: string
  /** The address or its prefix; absent where the host hides it. */
  readonly address: string | undefined
}

/** A solution that is good, but for having been used before, which the store finds out. */
export interface SolvedChallenge {
  /** What tells it from every other: the puzzle, a provider's token. At most 4,096 characters. */
  readonly id: string
  /** When the challenge was given and until when it is good; milliseconds since the epoch, an hour apart at most. */
  readonly issuedAt: number
  readonly expiresAt: number
}

/** Gives challenges. Where one of its calls rejects, the guess is refused with 503. */
export interface Challenges {
  issue(whom: Challenged): Promise<Challenge>
  /** @param answer what stood in the field `Challenge-Answer`, of at most 4,096 characters; `undefined` where it is not good */
  check(answer: string, whom: Challenged): Promise<SolvedChallenge | undefined>
}
