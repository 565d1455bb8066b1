// What the `lockout` engine needs from a place that remembers failed guesses. Memory and the store of records keep this
// port, and one suite holds each of them to it. Each call is one atomic step: of any number that come at once, on any
// number of processes, no more pass than the numbers allow.

/** When guesses at very many names from very many addresses are a surge; seconds. */
export interface SurgeNumbers {
  /** Failures of strangers at all names together, within `seconds`, from which on strangers are challenged. */
  readonly failures: number
  readonly seconds: number
  /** How long a surge lasts at least, and after the last moment with more than half of those failures. */
  readonly calmSeconds: number
}

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
  /** The same of a network of addresses. */
  readonly networkFailures: number
  readonly addressWindowSeconds: number
  /** Absent where nobody is ever challenged. */
  readonly surge?: SurgeNumbers
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
  /** The network that the address is one of many of; absent where none is counted. */
  readonly network?: string
  readonly device?: GuessDevice
  /** A challenge that was solved, and found good for this name and address. It is good for one guess. */
  readonly solution?: Solution
  /** Thousandths by which the wait is longer, 0 to 150; whole. */
  readonly jitter: number
}

/** A challenge that was solved. */
export interface Solution {
  /** SHA-256 of what tells it from every other, 32 bytes in base64url. */
  readonly digest: string
  /** When the challenge was given; milliseconds since the epoch. */
  readonly issuedAt: number
  /** For how many seconds it would be good from now on; whole, at least 1. */
  readonly leftSeconds: number
}

/** What a reservation says. */
export type Reservation = ReservationFacts &
  (
    | {
        readonly allowed: true
        /** Whose count it stands on. A device has its own, is not counted for its address, and strangers don't block it. */
        readonly by: 'stranger' | 'device'
        /** Failures in a row, this one counted as one. */
        readonly failures: number
        readonly hard: number
        /** The generation of device tokens that a success may issue. */
        readonly generation: number
        /** Where a stranger's guess stands among the failures of all; a success gives it back. */
        readonly place?: string
        /** Said to one guess alone, of each surge. */
        readonly surgeBegan?: true
        /** Said to one guess alone, of each surge: how long it was, in seconds. */
        readonly surgeEndedAfter?: number
      }
    | {
        readonly allowed: false
        readonly because: 'address' | 'network' | 'disabled' | 'waiting'
        /** Milliseconds; `undefined` where only recovery helps. */
        readonly retryAfterMs: number | undefined
      }
    /** A surge: strangers need a solution that nobody has used. */
    | { readonly allowed: false; readonly because: 'challenge'; readonly retryAfterMs: undefined }
  )

interface ReservationFacts {
  /** In a surge: for how many milliseconds it goes on at least. */
  readonly surgeMs?: number
}

/** Remembers failed guesses. Every call rejects where the place is away; the engine then refuses. */
export interface LockoutStore {
  /** Counts a guess as failed before it is verified, or refuses it and changes no count. */
  reserve(guess: Guess, numbers: LockoutNumbers): Promise<Reservation>
  /**
   * Takes back what a success may: of a stranger all, of a device its own count and the hard one; of an address and its
   * network nothing; of the failures of all the one of this guess.
   *
   * @param place that of the reservation
   */
  succeed(guess: Guess, by: 'stranger' | 'device', place?: string): Promise<void>
  /** After recovery or rebinding: the name's counts are forgotten. */
  reset(name: string, authenticator: string): Promise<void>
  /** After a change of the password: every device token of the name that was issued before is a stranger's. */
  retireDevices(name: string): Promise<void>
}
