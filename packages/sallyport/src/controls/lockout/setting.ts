// `lockout`: how often a password or a code may be guessed, and where it is given.

import { MODES } from '../../guard/control.ts'
import { lockoutDefaults as numbers, surgeDefaults } from '../../lockout/numbers.ts'
import { type PuzzleNumbers, puzzleDefaults } from '../../lockout/puzzle.ts'
import { flag, type Infer, integer, list, object, oneOf, text } from '../../policy/schema.ts'
import type { LockoutNumbers, SurgeNumbers } from '../../ports/lockouts.ts'

const DAY = 86_400
const plainWord = (max: number, expected: string, mend: string, doc: string) =>
  text({ max, pattern: /^[a-z][a-z0-9-]*$/, expected, mend }, doc)

export const lockoutSchema = object(
  {
    mode: oneOf(MODES, 'How the control acts.'),
    name: object(
      {
        from: oneOf(['json', 'form'], 'How the body of a sign-in is written.'),
        field: text(
          {
            max: 100,
            pattern: /^[^\p{Cc}]+$/u,
            expected: 'the name of a field',
            mend: 'write it as "email"',
          },
          'The field of the body that holds the name: a member of the JSON object, or a field of the form.',
        ),
      },
      'Where a sign-in says whose it is. A route that says this is a sign-in, and each request to it a guess.',
    ),
    authenticator: plainWord(
      40,
      'a word of lower-case letters, digits and hyphens',
      'write "password", "totp" or "recovery"',
      'Which secret is guessed here; each has counts of its own. "password" where nothing is said.',
    ),
    success: list(
      integer({ min: 200, max: 399, example: 200 }, 'A status.'),
      'The statuses by which the application says that the guess was right; 200, 201 and 204 where nothing is said. Many applications answer right and wrong alike with a redirect: list one only where it means success alone.',
      { min: 1, max: 20 },
    ),
    deviceCookie: flag(
      'Whether a browser that has signed in gets a cookie that gives it a count of its own; it does, unless it is said.',
    ),
    recovery: flag(
      'Whether the application tells in the field Lockout-Recovered of its answers whose secret was set anew: the name, percent-encoded. Its counts are forgotten, its device cookies void; the field never leaves. Write it on the routes of password changes and recoveries.',
    ),
    secret: plainWord(
      100,
      'the name of a secret',
      'write a name such as "lockout"',
      'The name of the secret by which names are kept as digests and device cookies are sealed; "lockout" where nothing is said.',
    ),
    freeFailures: integer({ min: 0, max: 1_000, example: 4 }, 'Failures in a row that wait for nothing; 4.'),
    firstWaitSeconds: integer(
      { min: 1, max: DAY, example: 30 },
      'The wait after the first failure that is not free, in seconds; it doubles with each. 30.',
    ),
    longestWaitSeconds: integer({ min: 1, max: 30 * DAY, example: 3_600 }, 'The longest wait; 3,600.'),
    lockedAt: integer({ min: 1, max: 1_000, example: 10 }, 'The failure from which the owner is told; 10.'),
    disabledAt: integer(
      { min: 1, max: 1_000, example: 100 },
      'Failures without a success after which only recovery helps; 100.',
    ),
    quietSeconds: integer(
      { min: 60, max: 30 * DAY, example: DAY },
      'Quiet seconds after which failures in a row are forgotten; those that disable are not. 86,400.',
    ),
    addressFailures: integer(
      { min: 1, max: 1_000, example: 20 },
      'Guesses of one address in any window, right ones included, but for those of known devices; 20.',
    ),
    networkFailures: integer(
      { min: 1, max: 5_000, example: 200 },
      'The same of an IPv6 /48, of which one sender may have 65,536 households; 200, or `addressFailures` where that is more.',
    ),
    addressWindowSeconds: integer({ min: 10, max: DAY, example: 600 }, 'That window; 600.'),
    surge: object(
      {
        failures: integer(
          { min: 10, max: 10_000, example: 300 },
          'Failures of strangers at all names together from which on strangers are challenged; 300.',
        ),
        seconds: integer({ min: 10, max: 3_600, example: 60 }, 'Within so many seconds; 60.'),
        calmSeconds: integer(
          { min: 10, max: DAY, example: 600 },
          'How long strangers are challenged at least, and after the last moment with more than half of those failures; 600.',
        ),
        difficulty: integer(
          { min: 8, max: 24, example: 18 },
          'How many zero bits the hash of a solved puzzle begins with: each bit doubles the work. 18, which is about 260,000 hashes.',
        ),
        lifeSeconds: integer(
          { min: 30, max: 3_600, example: 120 },
          'How long a puzzle may be solved and sent; 120.',
        ),
      },
      'What is done about guesses at very many names from very many addresses, each within its budget: a stranger solves a puzzle before a guess is counted, or whatever else services.challenges asks. Clients must know how to; nobody is challenged where this is left out.',
    ),
  },
  'Guessing protection.',
)

export type LockoutSetting = Infer<typeof lockoutSchema>

/** Nothing is a sign-in unless a route says so. */
export const lockoutDefaults: LockoutSetting = {}

/** A setting with everything filled in. */
export interface FullLockout {
  readonly name: { readonly from: 'json' | 'form'; readonly field: string }
  readonly authenticator: string
  readonly success: readonly number[]
  readonly deviceCookie: boolean
  readonly secret: string
  readonly numbers: LockoutNumbers
  readonly surge: FullSurge | undefined
}

/** When strangers are challenged, and how hard. */
export type FullSurge = SurgeNumbers & PuzzleNumbers

/** The setting with its defaults; `undefined` where the cell is no sign-in, or the control is off. */
export function fullLockout(setting: LockoutSetting): FullLockout | undefined {
  const { name, mode } = setting
  if (mode === 'off' || name === undefined) return undefined
  return {
    name: { from: name.from ?? 'json', field: name.field ?? 'email' },
    authenticator: authenticatorOf(setting),
    success: setting.success ?? [200, 201, 204],
    deviceCookie: setting.deviceCookie ?? true,
    secret: secretOf(setting),
    numbers: numbersOf(setting),
    surge: surgeOf(setting),
  }
}

/** The numbers of a surge, where there may be one. */
export function surgeOf({ surge }: LockoutSetting): FullSurge | undefined {
  return surge && { ...surgeDefaults, ...puzzleDefaults, ...surge }
}

export const authenticatorOf = ({ authenticator = 'password' }: LockoutSetting): string => authenticator
export const secretOf = ({ secret = 'lockout' }: LockoutSetting): string => secret

/** True where answers tell of recoveries. */
export function tellsRecovery({ mode, recovery }: LockoutSetting): boolean {
  return mode !== 'off' && recovery === true
}

/** The numbers of the state machine. */
export function numbersOf(setting: LockoutSetting): LockoutNumbers {
  const surge = surgeOf(setting)
  const addressFailures = setting.addressFailures ?? numbers.addressFailures
  return {
    freeFailures: setting.freeFailures ?? numbers.freeFailures,
    firstWaitSeconds: setting.firstWaitSeconds ?? numbers.firstWaitSeconds,
    longestWaitSeconds: setting.longestWaitSeconds ?? numbers.longestWaitSeconds,
    lockedAt: setting.lockedAt ?? numbers.lockedAt,
    disabledAt: setting.disabledAt ?? numbers.disabledAt,
    quietSeconds: setting.quietSeconds ?? numbers.quietSeconds,
    addressFailures,
    // A network never has less than one of its addresses.
    networkFailures: setting.networkFailures ?? Math.max(numbers.networkFailures, addressFailures),
    addressWindowSeconds: setting.addressWindowSeconds ?? numbers.addressWindowSeconds,
    ...(surge && { surge }),
  }
}

/** A path that may be a sign-in is one, and nothing is forgotten by what is said on it. */
export function strictLockout(setting: LockoutSetting, other: LockoutSetting): LockoutSetting {
  const counting = fullLockout(setting) === undefined && fullLockout(other) !== undefined ? other : setting
  if (setting.recovery === other.recovery) return counting
  const { recovery: _, ...strict } = counting
  return strict
}
