// What a policy must not say about guessing: numbers that contradict each other, or make the lock a weapon.

import type { CellInfo } from '../../guard/cell.ts'
import { guessTimes } from '../../lockout/numbers.ts'
import type { PolicyProblem } from '../../policy/problem.ts'
import { problem } from '../../policy/schema.ts'
import type { LockoutNumbers } from '../../ports/lockouts.ts'
import { type FullSurge, type LockoutSetting, numbersOf, surgeOf } from './setting.ts'
import { durationWords } from './words.ts'

const DAY = 86_400
const wrong = (path: string, message: string, received: unknown, mend: string) =>
  problem(path, 'contradiction', message, received, mend)

/** Every contradiction of one setting. */
export function lockoutContradictions(setting: LockoutSetting, cell: CellInfo): readonly PolicyProblem[] {
  if (setting.mode === 'off') return []
  const [numbers, surge] = [numbersOf(setting), surgeOf(setting)]
  return [
    ...placeProblems(setting, cell),
    ...numberProblems(numbers),
    ...senderProblems(numbers),
    ...(surge ? surgeProblems(surge, numbers) : []),
  ]
}

function placeProblems({ name }: LockoutSetting, cell: CellInfo): readonly PolicyProblem[] {
  if (name === undefined) return []
  if (cell.origin === 'default')
    return [
      wrong(
        'name',
        'stands at the top level, so every request would be a guess',
        name,
        'write it in the routes of your sign-ins: routes: { "POST /v1/sign-in": { lockout: { name: … } } }',
      ),
    ]
  if (name.from === undefined || name.field === undefined)
    return [
      problem(
        'name',
        'missing',
        `does not say ${name.from === undefined ? 'how the body is written' : 'which field holds the name'}`,
        name,
        'write name: { from: "json", field: "email" }',
      ),
    ]
  if (cell.method === undefined && cell.origin === 'route')
    return [
      wrong(
        'name',
        'is of a sign-in, and the route is every method’s: one without a body would reach the application uncounted',
        name,
        `write the method, as in "POST ${cell.path}"`,
      ),
    ]
  return cell.method === 'GET' || cell.method === 'HEAD' || cell.method === 'OPTIONS'
    ? [wrong('name', `is of a sign-in, and ${cell.method} has no body`, name, 'write the route with POST')]
    : []
}

function numberProblems(numbers: LockoutNumbers): readonly PolicyProblem[] {
  const { freeFailures, firstWaitSeconds, longestWaitSeconds, lockedAt, disabledAt, quietSeconds } = numbers
  const found: PolicyProblem[] = []
  if (longestWaitSeconds < firstWaitSeconds)
    found.push(
      wrong(
        'longestWaitSeconds',
        `is shorter than the first wait of ${firstWaitSeconds} s`,
        longestWaitSeconds,
        `write at least ${firstWaitSeconds}`,
      ),
    )
  if (longestWaitSeconds > DAY)
    found.push(
      wrong(
        'longestWaitSeconds',
        'lets anybody keep an owner out for more than a day with a few wrong guesses (ASVS 6.1.1)',
        longestWaitSeconds,
        'write at most 86400; NIST SP 800-63B-4 names 30 s up to an hour',
      ),
    )
  if (disabledAt > 100)
    found.push(
      wrong(
        'disabledAt',
        'is more than NIST SP 800-63B-4, section 3.2.2, allows',
        disabledAt,
        'write at most 100',
      ),
    )
  if (freeFailures > 10)
    found.push(
      wrong(
        'freeFailures',
        'leaves so many guesses at each of many accounts that waits never begin',
        freeFailures,
        'write at most 10; 4 is usual',
      ),
    )
  if (disabledAt <= freeFailures && freeFailures <= 10)
    found.push(
      wrong(
        'disabledAt',
        'comes before the first wait: a few wrong guesses of anybody would disable an account',
        disabledAt,
        'write 100',
      ),
    )
  if (freeFailures <= 10 && (lockedAt <= freeFailures || lockedAt > disabledAt))
    found.push(
      wrong(
        'lockedAt',
        lockedAt > disabledAt
          ? `is never reached: all ends at ${disabledAt}`
          : `tells an owner of ${lockedAt} failures, where ${freeFailures} are usual`,
        lockedAt,
        `write a number from ${freeFailures + 1} to ${disabledAt}`,
      ),
    )
  // A wait with its jitter.
  if (quietSeconds < longestWaitSeconds * 1.15)
    found.push(
      wrong(
        'quietSeconds',
        'ends before the longest wait does, so the longest waits would never come',
        quietSeconds,
        `write at least ${Math.ceil(longestWaitSeconds * 1.15)}`,
      ),
    )
  const seconds = guessTimes(numbers).at(-1)!
  if (found.length === 0 && seconds < DAY)
    found.push(
      wrong(
        'disabledAt',
        `is reached within ${Math.ceil(seconds / 60)} minutes, so anybody can disable any account in that time (ASVS 6.1.1)`,
        disabledAt,
        'raise longestWaitSeconds or disabledAt until it takes a day or more',
      ),
    )
  return found
}

function senderProblems({ addressFailures, networkFailures }: LockoutNumbers): readonly PolicyProblem[] {
  if (networkFailures >= addressFailures) return []
  return [
    wrong(
      'networkFailures',
      `is less than the ${addressFailures} guesses of each of its addresses`,
      networkFailures,
      `write ${Math.min(5_000, addressFailures * 10)}, or lower addressFailures`,
    ),
  ]
}

// What an old telephone hashes in a second, and how many times the average an unlucky one may need: in 50 of 51 cases
// less (the tries are distributed exponentially).
const HASHES_PER_SECOND = 150_000
const PATIENCE = 4

function surgeProblems(surge: FullSurge, numbers: LockoutNumbers): readonly PolicyProblem[] {
  const found: PolicyProblem[] = []
  const windows = Math.ceil(surge.seconds / numbers.addressWindowSeconds)
  const ofOneSender = numbers.networkFailures * windows
  if (surge.failures <= ofOneSender)
    found.push(
      wrong(
        'surge.failures',
        `is reached by one network alone, which has ${ofOneSender} guesses in ${durationWords(surge.seconds)}`,
        surge.failures,
        `write more than ${ofOneSender}, or lower networkFailures`,
      ),
    )
  if (surge.calmSeconds < surge.seconds)
    found.push(
      wrong(
        'surge.calmSeconds',
        `ends while the failures that began a surge still count, for ${durationWords(surge.seconds)}`,
        surge.calmSeconds,
        `write at least ${surge.seconds}; 600 is usual`,
      ),
    )
  const needed = Math.ceil((PATIENCE * 2 ** surge.difficulty) / HASHES_PER_SECOND)
  if (surge.lifeSeconds < needed)
    found.push(
      wrong(
        'surge.difficulty',
        `takes an old telephone up to ${needed} seconds, and a puzzle is good for ${surge.lifeSeconds}`,
        surge.difficulty,
        `write a lower one, or lifeSeconds: ${needed}`,
      ),
    )
  return found
}
