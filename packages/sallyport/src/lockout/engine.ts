// The one engine behind every path that checks a guessable secret. A guess is counted before it is verified; a guess that
// is refused is refused whether it was right or wrong, and whether or not an account has the name.

import { formatAddress, parseAddress } from '../policy/address.ts'
import type { AuditAction, AuditSink } from '../ports/audit.ts'
import type { Challenge, Challenged, Challenges } from '../ports/challenges.ts'
import type { Guess, LockoutNumbers, LockoutStore, Reservation, Solution } from '../ports/lockouts.ts'
import { base64url, deviceTokens } from './device-token.ts'
import { normaliseName } from './normalise.ts'
import { lockoutDefaults } from './numbers.ts'
import { type PuzzleNumbers, puzzleDefaults, puzzles } from './puzzle.ts'

/** What a lockout is made with. */
export interface LockoutOptions {
  readonly store: LockoutStore
  /** Over the defaults. */
  readonly numbers?: Partial<LockoutNumbers>
  /** Milliseconds since the epoch. */
  readonly clock: () => number
  readonly random: (bytes: Uint8Array) => Uint8Array
  /** A secret of at least 16 characters, the same on every node: names are stored as its HMACs, device tokens sealed by it. */
  readonly pepper: string
  /** What strangers are asked for while failures surge, in place of a puzzle. */
  readonly challenges?: Challenges
  /** How hard the puzzle is. */
  readonly puzzle?: Partial<PuzzleNumbers>
  readonly audit?: AuditSink
  /** The register id that events carry. */
  readonly control?: string
}

/** What is known of one guess. */
export interface AttemptFacts {
  /** Which secret is guessed: `password`, `totp`, `recovery`. Each has counts of its own. */
  readonly authenticator: string
  /** The client's address; absent where the host hides it. */
  readonly address?: string | undefined
  /** What the browser sent as its device token. */
  readonly deviceToken?: string | undefined
  /** What the field `Challenge-Answer` held. */
  readonly challengeAnswer?: string | undefined
  readonly requestId?: string | undefined
}

/** What may become of a guess. */
export type Attempt =
  | {
      readonly allowed: true
      readonly by: 'stranger' | 'device'
      /** To be set as the device's cookie when the guess was right; absent where the device has a good one. */
      readonly newDeviceToken: string | undefined
      /** Says how it ended, once. Never rejects: where the store is away, the guess stays counted as failed. */
      settle(isSuccess: boolean): Promise<void>
    }
  | {
      readonly allowed: false
      /** For the operator alone: a caller hears the same of all three, and of right and wrong guesses. */
      readonly because: 'address' | 'network' | 'disabled' | 'waiting'
      /** Coarse; `undefined` where only recovery helps. */
      readonly retryAfterSeconds: number | undefined
    }
  | {
      readonly allowed: false
      /** A surge, and nobody whom this browser was known to: the same is asked of every name and for every guess. */
      readonly because: 'challenge'
      readonly challenge: Challenge
      readonly retryAfterSeconds: undefined
    }
  | { readonly allowed: false; readonly because: 'unavailable'; readonly retryAfterSeconds: number }

/** Counts guesses. */
export interface Lockout {
  /** Counts a guess before it is verified. Never rejects: where the store is away, the guess is refused. */
  attempt(name: string, facts: AttemptFacts): Promise<Attempt>
  /** After recovery or rebinding: the name starts anew. Rejects where the store is away. */
  reset(name: string, authenticator: string): Promise<void>
  /** After a change of the password: all device tokens of the name are void. Rejects where the store is away. */
  retireDevices(name: string): Promise<void>
}

type Challenging = { readonly because: 'challenge' }

// Each use of the pepper has a key of its own.
const PURPOSES = {
  name: 'sallyport lockout name v1',
  device: 'sallyport lockout device v1',
  puzzle: 'sallyport lockout puzzle v1',
} as const
// Whoever gets it right has signed in; every other secret is a second factor.
const PASSWORD = 'password'
const MAX_JITTER = 150
const AWAY_SECONDS = 5
const MAX_ANSWER_LENGTH = 4_096
// What a refused caller may know of the wait: to the minute it would tell how many have failed.
const COARSE_SECONDS = [30, 60, 120, 300, 600, 900, 1_800, 3_600]

/**
 * Makes an engine.
 *
 * @throws TypeError where the pepper is too short
 * @example
 * const lockout = createLockout({ store, pepper, clock: Date.now, random: (bytes) => crypto.getRandomValues(bytes) })
 * const attempt = await lockout.attempt(email, { authenticator: 'password', address })
 * if (!attempt.allowed) return tooMany(attempt.retryAfterSeconds)
 * const isRight = await verifyEqually(await findAccount(email), nobody, checkPassword)
 * await attempt.settle(isRight)
 */
export function createLockout(options: LockoutOptions): Lockout {
  const { store, clock, random, audit, control } = options
  const { addressFailures = lockoutDefaults.addressFailures } = options.numbers ?? {}
  const numbers = {
    ...lockoutDefaults,
    networkFailures: Math.max(lockoutDefaults.networkFailures, addressFailures),
    ...options.numbers,
  }
  if (typeof options.pepper !== 'string' || options.pepper.length < 16)
    throw new TypeError(
      'createLockout: the pepper has fewer than 16 characters; make one with "openssl rand -base64 32" and keep it',
    )
  const keys = new Map<string, Promise<CryptoKey>>()
  const keyOf = (use: keyof typeof PURPOSES): Promise<CryptoKey> => {
    const key = keys.get(use) ?? keyFor(options.pepper, PURPOSES[use])
    keys.set(use, key)
    return key
  }

  async function digestOf(name: string): Promise<string> {
    const key = await keyOf('name')
    return base64url(
      new Uint8Array(await crypto.subtle.sign('HMAC', key, new TextEncoder().encode(normaliseName(name)))),
    )
  }
  const tokensOf = async () => deviceTokens(await keyOf('device'), clock, random)
  const challenges =
    options.challenges ??
    puzzles(() => keyOf('puzzle'), clock, random, { ...puzzleDefaults, ...options.puzzle })

  async function solutionIn(answer: string | undefined, whom: Challenged): Promise<Solution | undefined> {
    if (answer === undefined || answer.length > MAX_ANSWER_LENGTH) return undefined
    const solved = await challenges.check(answer, whom)
    if (solved === undefined) return undefined
    const leftSeconds = Math.ceil((solved.expiresAt - clock()) / 1_000)
    if (leftSeconds < 1) return undefined
    const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(solved.id))
    return { digest: base64url(new Uint8Array(digest)), issuedAt: solved.issuedAt, leftSeconds }
  }

  // An answer is looked at only where one is asked for: else whoever sends some would have us ask a provider about them.
  async function reserve(
    guess: Guess,
    whom: Challenged,
    answer: string | undefined,
  ): Promise<Exclude<Reservation, Challenging> | { readonly challenge: Challenge }> {
    const first = await store.reserve(guess, numbers)
    if (first.allowed || first.because !== 'challenge') return first
    const solution = await solutionIn(answer, whom)
    const second = solution && (await store.reserve({ ...guess, solution }, numbers))
    return second === undefined || (!second.allowed && second.because === 'challenge')
      ? { challenge: await challenges.issue(whom) }
      : second
  }

  // Of nobody in particular: whoever made the last of many guesses has not made the surge.
  function tellOfSurge({
    surgeBegan,
    surgeEndedAfter,
  }: Extract<Reservation, { readonly allowed: true }>): void {
    const about = { at: clock(), ...(control === undefined ? {} : { control }) }
    const { surge } = numbers
    if (surgeEndedAfter !== undefined)
      audit?.record({
        action: 'lockout.surge_ended',
        outcome: 'success',
        ...about,
        details: { lastedSeconds: surgeEndedAfter },
      })
    if (surgeBegan && surge)
      audit?.record({
        action: 'lockout.surge_began',
        outcome: 'denied',
        ...about,
        details: { failures: surge.failures, seconds: surge.seconds },
      })
  }

  async function attempt(name: string, facts: AttemptFacts): Promise<Attempt> {
    const tokens = await tokensOf()
    const digest = await digestOf(name)
    const device = facts.deviceToken === undefined ? undefined : await tokens.open(digest, facts.deviceToken)
    const { address, network } = prefixesOf(facts.address)
    const guess: Guess = {
      name: digest,
      authenticator: facts.authenticator,
      jitter: jitterOf(random),
      ...(address === undefined ? {} : { address }),
      ...(network === undefined ? {} : { network }),
      ...(device === undefined ? {} : { device }),
    }
    const tell = (
      action: AuditAction,
      outcome: 'success' | 'failure' | 'denied',
      details: Readonly<Record<string, string | number>>,
    ): void =>
      audit?.record({
        action,
        outcome,
        at: clock(),
        actor: digest,
        ...(control === undefined ? {} : { control }),
        ...(facts.address === undefined ? {} : { address: facts.address }),
        ...(facts.requestId ? { requestId: facts.requestId } : {}),
        details: { authenticator: facts.authenticator, ...details },
      })
    const whom = { name: digest, authenticator: facts.authenticator, address }
    const reservation = await reserve(guess, whom, facts.challengeAnswer).catch(() => undefined)
    if (reservation === undefined) {
      tell('lockout.refused', 'denied', { because: 'unavailable' })
      return { allowed: false, because: 'unavailable', retryAfterSeconds: AWAY_SECONDS }
    }
    if ('challenge' in reservation) {
      tell('lockout.refused', 'denied', { because: 'challenge' })
      return { allowed: false, because: 'challenge', ...reservation, retryAfterSeconds: undefined }
    }
    if (!reservation.allowed) {
      const { because, retryAfterMs } = reservation
      tell('lockout.refused', 'denied', { because })
      return { allowed: false, because, retryAfterSeconds: coarse(retryAfterMs) }
    }
    const { by, failures, hard, generation, place } = reservation
    tellOfSurge(reservation)
    let isSettled = false
    return {
      allowed: true,
      by,
      newDeviceToken: by === 'device' ? undefined : await tokens.issue(digest, generation),
      async settle(isSuccess) {
        if (isSettled) return
        isSettled = true
        const isFirst = facts.authenticator === PASSWORD
        if (isSuccess) {
          tell(isFirst ? 'session.started' : 'session.mfa_passed', 'success', { by })
          return store.succeed(guess, by, place).catch(() => {})
        }
        tell(isFirst ? 'session.failed' : 'session.mfa_failed', 'failure', { by, failures })
        // Each count passes these numbers once on its way up, however many come at once: told once for each lock.
        if (failures === numbers.lockedAt) tell('lockout.locked', 'denied', { by, failures })
        if (hard === numbers.disabledAt) tell('lockout.disabled', 'denied', { failures: hard })
      },
    }
  }

  return {
    attempt,
    reset: async (name, authenticator) => store.reset(await digestOf(name), authenticator),
    retireDevices: async (name) => store.retireDevices(await digestOf(name)),
  }
}

/**
 * Verifies a secret at the same cost whether or not there is an account: what is not there is stood in for by a record
 * of nobody, whose secret nobody knows, and never passes.
 *
 * @param nobody a record with a hash of the same kind and cost as everybody's, made once at the start
 */
export async function verifyEqually<Account>(
  account: Account | undefined,
  nobody: Account,
  verify: (account: Account) => Promise<boolean>,
): Promise<boolean> {
  const isRight = await verify(account ?? nobody)
  return isRight && account !== undefined
}

async function keyFor(pepper: string, purpose: string): Promise<CryptoKey> {
  const hmac = { name: 'HMAC', hash: 'SHA-256' }
  const bytes = new TextEncoder()
  const root = await crypto.subtle.importKey('raw', bytes.encode(pepper), hmac, false, ['sign'])
  const own = await crypto.subtle.sign('HMAC', root, bytes.encode(purpose))
  return crypto.subtle.importKey('raw', own, hmac, false, ['sign', 'verify'])
}

/** Where a guess comes from: its address, and the network whose addresses somebody may have all of. */
interface Prefixes {
  readonly address: string | undefined
  readonly network: string | undefined
}

// A household has a /64, a site a /48 of 65,536 of them (RFC 6177): each is as easily had as the next. An IPv4 network of
// whatever size is of many parties, so none is counted.
function prefixesOf(address: string | undefined): Prefixes {
  const parsed = address === undefined ? undefined : parseAddress(address)
  if (parsed === undefined || parsed.version === 4)
    return { address: address?.slice(0, 64), network: undefined }
  const [high, low] = [parsed.words[0]!, parsed.words[1]!]
  const prefix = (word: number, bits: number) =>
    `${formatAddress({ version: 6, words: [high, word, 0, 0] })}/${bits}`
  return { address: prefix(low, 64), network: prefix((low & 0xff_ff_00_00) >>> 0, 48) }
}

function jitterOf(random: (bytes: Uint8Array) => Uint8Array): number {
  const [high = 0, low = 0] = random(new Uint8Array(2))
  return (high * 256 + low) % (MAX_JITTER + 1)
}

function coarse(ms: number | undefined): number | undefined {
  if (ms === undefined) return undefined
  const seconds = Math.ceil(ms / 1_000)
  return COARSE_SECONDS.find((step) => step >= seconds) ?? Math.ceil(seconds / 3_600) * 3_600
}
