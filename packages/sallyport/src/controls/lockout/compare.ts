// The order of `lockout`: by the guesses that a setting lets through in every time, at one name and from one address.

import type { Change } from '../../guard/control.ts'
import { guessTimes } from '../../lockout/numbers.ts'
import type { LockoutNumbers } from '../../ports/lockouts.ts'
import { compareModes } from '../faces.ts'
import { type FullLockout, type FullSurge, fullLockout, type LockoutSetting } from './setting.ts'
import { durationWords } from './words.ts'

export function compareLockout(before: LockoutSetting, after: LockoutSetting): readonly Change[] {
  return [...compareGuesses(before, after), ...compareRecovery(before, after)]
}

function compareRecovery(before: LockoutSetting, after: LockoutSetting): readonly Change[] {
  if ((before.recovery ?? false) === (after.recovery ?? false)) return []
  return [
    {
      strength: 'neutral',
      what: 'recovery',
      because: after.recovery
        ? 'the application can have the counts of a name forgotten on answers of this route'
        : 'answers of this route no longer tell of recoveries: a name that is disabled stays so',
    },
  ]
}

function compareGuesses(before: LockoutSetting, after: LockoutSetting): readonly Change[] {
  const modes = compareModes(before, after)
  // What is written beside a mode that is off has its effect again when it is on.
  const [from, to] = [active(before), active(after)]
  if (from === undefined && to === undefined) return modes
  if (from === undefined)
    return [
      ...modes,
      { strength: 'stronger', what: 'name', because: 'guesses are counted here, which they were not' },
    ]
  if (to === undefined)
    return [
      ...modes,
      {
        strength: 'weaker',
        what: 'name',
        because: 'this is no sign-in any more: passwords can be guessed here as often as anybody likes',
      },
    ]
  return [
    ...modes,
    ...compareNames(from, to),
    ...compareSuccess(from.success, to.success),
    ...compareDevices(from, to),
    ...compareBudgets(from.numbers, to.numbers),
    ...compareSenders(from.numbers, to.numbers),
    ...compareSurges(from.surge, to.surge),
    ...compareTelling(from.numbers, to.numbers),
  ]
}

function active(setting: LockoutSetting): FullLockout | undefined {
  return fullLockout({ ...setting, mode: 'enforce' })
}

function compareNames(from: FullLockout, to: FullLockout): readonly Change[] {
  const found: Change[] = []
  if (from.name.from !== to.name.from || from.name.field !== to.name.field)
    found.push({
      strength: 'incomparable',
      what: 'name',
      because: `guesses count for what stands in ${to.name.field} (${to.name.from}) instead of ${from.name.field} (${from.name.from}): one of them is not what the application verifies`,
    })
  if (from.authenticator !== to.authenticator)
    found.push({
      strength: 'incomparable',
      what: 'authenticator',
      because: `guesses count for "${to.authenticator}" instead of "${from.authenticator}": counts begin anew, and are shared with other routes`,
    })
  if (from.secret !== to.secret)
    found.push({
      strength: 'neutral',
      what: 'secret',
      because: 'names are kept under another secret: counts begin anew once, and device cookies are void',
    })
  return found
}

function compareSuccess(from: readonly number[], to: readonly number[]): readonly Change[] {
  const more = to.filter((status) => !from.includes(status))
  const fewer = from.filter((status) => !to.includes(status))
  if (more.length === 0 && fewer.length === 0) return []
  const strength =
    more.length > 0 && fewer.length > 0 ? 'incomparable' : more.length > 0 ? 'weaker' : 'stronger'
  return [
    {
      strength,
      what: 'success',
      because:
        more.length > 0
          ? `an answer with ${more.join(' or ')} forgets every failure before it`
          : `an answer with ${fewer.join(' or ')} no longer forgets the failures before it`,
    },
  ]
}

function compareDevices(from: FullLockout, to: FullLockout): readonly Change[] {
  if (from.deviceCookie === to.deviceCookie) return []
  return [
    {
      strength: 'incomparable',
      what: 'deviceCookie',
      because: to.deviceCookie
        ? 'each browser that has signed in has guesses of its own, and strangers no longer lock it out'
        : 'strangers can lock an owner out of a browser that has signed in, and no browser has guesses of its own',
    },
  ]
}

// One is stronger than the other where no guesser, however it paces, gets more from it in any time.
function compareBudgets(before: LockoutNumbers, after: LockoutNumbers): readonly Change[] {
  const [from, to] = [guessTimes(before), guessTimes(after)]
  const nth = (times: readonly number[], at: number) => times[at] ?? Number.POSITIVE_INFINITY
  const all = Array.from({ length: Math.max(from.length, to.length) }, (_, at) => at)
  const sooner = all.find((at) => nth(to, at) < nth(from, at))
  const later = all.find((at) => nth(to, at) > nth(from, at))
  if (sooner === undefined && later === undefined) return []
  if (sooner === undefined)
    return [
      {
        strength: 'stronger',
        what: 'budget',
        because: `guess ${later! + 1} at one account ${waitWords(nth(to, later!))}, which it did ${shortly(nth(from, later!))}`,
      },
    ]
  return [
    {
      strength: later === undefined ? 'weaker' : 'incomparable',
      what: 'budget',
      because: `guess ${sooner + 1} at one account is verified ${shortly(nth(to, sooner))}, where it was ${shortly(nth(from, sooner))}`,
    },
  ]
}

function waitWords(seconds: number): string {
  return Number.isFinite(seconds)
    ? `waits until ${durationWords(seconds)} after the first`
    : 'is never verified'
}

function shortly(seconds: number): string {
  if (!Number.isFinite(seconds)) return 'never'
  return seconds === 0 ? 'at once' : `${durationWords(seconds)} after the first`
}

// More in a shorter time is more; more in a longer one is neither.
function strengthOf(more: number, longer: number): Change['strength'] {
  if (more <= 0 && longer >= 0) return 'stronger'
  return more >= 0 && longer <= 0 ? 'weaker' : 'incomparable'
}

function compareSenders(before: LockoutNumbers, after: LockoutNumbers): readonly Change[] {
  const longer = after.addressWindowSeconds - before.addressWindowSeconds
  const senders = [
    ['addressFailures', 'address'],
    ['networkFailures', 'IPv6 /48'],
  ] as const
  return senders.flatMap(([what, sender]): readonly Change[] => {
    const more = after[what] - before[what]
    if (more === 0 && longer === 0) return []
    const words = (numbers: LockoutNumbers) =>
      `${numbers[what]} in any ${durationWords(numbers.addressWindowSeconds)}`
    return [
      {
        strength: strengthOf(more, longer),
        what: more === 0 ? 'addressWindowSeconds' : what,
        because: `one ${sender} has ${words(after)} guesses at all accounts together, where it had ${words(before)}`,
      },
    ]
  })
}

function compareSurges(before: FullSurge | undefined, after: FullSurge | undefined): readonly Change[] {
  if (before === undefined && after === undefined) return []
  if (before === undefined)
    return [
      {
        strength: 'stronger',
        what: 'surge',
        because: `from ${surgeWords(after!)} on strangers are challenged, which nobody was`,
      },
    ]
  if (after === undefined)
    return [
      {
        strength: 'weaker',
        what: 'surge',
        because:
          'guesses at very many accounts from very many addresses are not held back, where strangers were challenged',
      },
    ]
  const found: Change[] = []
  const [more, longer] = [after.failures - before.failures, after.seconds - before.seconds]
  if (more !== 0 || longer !== 0)
    found.push({
      strength: strengthOf(more, longer),
      what: more === 0 ? 'surge.seconds' : 'surge.failures',
      because: `strangers are challenged from ${surgeWords(after)} on, where they were from ${surgeWords(before)}`,
    })
  const compareOne = (
    what: keyof FullSurge,
    weakerWhere: 'less' | 'more',
    because: (value: FullSurge) => string,
  ): void => {
    const isMore = after[what] > before[what]
    if (after[what] === before[what]) return
    found.push({
      strength: isMore === (weakerWhere === 'more') ? 'weaker' : 'stronger',
      what: `surge.${what}`,
      because: `${because(after)}, where it was ${because(before)}`,
    })
  }
  compareOne(
    'calmSeconds',
    'less',
    ({ calmSeconds }) => `a surge without failures is over after ${durationWords(calmSeconds)}`,
  )
  compareOne('difficulty', 'less', ({ difficulty }) => `a puzzle costs about 2^${difficulty} hashes`)
  compareOne('lifeSeconds', 'more', ({ lifeSeconds }) => `a puzzle is good for ${durationWords(lifeSeconds)}`)
  return found
}

function surgeWords({ failures, seconds }: FullSurge): string {
  return `${failures} failures in ${durationWords(seconds)}`
}

function compareTelling(before: LockoutNumbers, after: LockoutNumbers): readonly Change[] {
  if (before.lockedAt === after.lockedAt) return []
  const isLater = after.lockedAt > before.lockedAt
  return [
    {
      strength: isLater ? 'weaker' : 'stronger',
      what: 'lockedAt',
      because: `the owner is told at failure ${after.lockedAt} instead of ${before.lockedAt}`,
    },
  ]
}
