// What the `lockout` engine needs from a place that remembers failed guesses. Memory and the store of records keep this
// port, and one suite holds each of them to it. Each call is one atomic step: of any number that come at once, on any
// number of processes, no more pass than the numbers allow.

/** The numbers of the state machine; seconds. */
export interface LockoutNumbers {
  /** Failures in a row that wait for nothing: 4. */
  readonly freeFailures: number
  readonly firstWaitSeconds: number
  readonly longestWaitSeconds: number
  /** The failure from which the owner is told: 10. */
  readonly lockedAt: number
  /** Failures without a success after which only recovery helps: 100. */
  readonly disabledAt: number
  /** Quiet seconds after which failures in a row are forgotten. */
  readonly quietSeconds: number
  /** Guesses of one address in any window, beyond which it is refused; a success never gives one back. */
  readonly addressFailures: number
  readonly addressWindowSeconds: number
}

/** A device token whose seal was good. */
export interface GuessDevice {
  /** Its digest, 32 bytes in base64url. */
  readonly digest: string
  /** The generation in which it was issued; it counts for nothing once the name has a later one. */
  readonly generation: number
}

/** One guess. */
export interface Guess {
  /** HMAC-SHA-256 of the normalised name, 32 bytes in base64url; whether or not an account has the name. */
  readonly name: string
  /** Which secret is guessed: `password`, `totp`, `recovery`. */
  readonly authenticator: string
  /** The address or its prefix; absent where the host hides it. */
  readonly address?: string
  readonly device?: GuessDevice
  /** Thousandths by which the wait is longer, 0 to 150; whole. */
  readonly jitter: number
}

/** What a reservation says. */
export type Reservation =
  | {
      readonly allowed: true
      /** Whose count it stands on. A device has its own, is not counted for its address, and strangers don't block it. */
      readonly by: 'stranger' | 'device'
      /** Failures in a row, this one counted as one. */
      readonly failures: number
      readonly hard: number
      /** The generation of device tokens that a success may issue. */
      readonly generation: number
    }
  | {
      readonly allowed: false
      readonly because: 'address' | 'disabled' | 'waiting'
      /** Milliseconds; `undefined` where only recovery helps. */
      readonly retryAfterMs: number | undefined
    }

/** Remembers failed guesses. Every call rejects where the place is away; the engine then refuses. */
export interface LockoutStore {
  /** Counts a guess as failed before it is verified, or refuses it and changes no count. */
  reserve(guess: Guess, numbers: LockoutNumbers): Promise<Reservation>
  /** Takes back what a success may: of a stranger all, of a device its own count and the hard one; of an address nothing. */
  succeed(guess: Guess, by: 'stranger' | 'device'): Promise<void>
  /** After recovery or rebinding: the name's counts are forgotten. */
  reset(name: string, authenticator: string): Promise<void>
  /** After a change of the password: every device token of the name that was issued before is a stranger's. */
  retireDevices(name: string): Promise<void>
}
