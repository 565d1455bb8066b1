// The numbers of the state machine, the wait after each failure, and the budget that follows from them.

import type { LockoutNumbers, SurgeNumbers } from '../ports/lockouts.ts'

/** What holds where a policy says nothing; NIST SP 800-63B-4, section 3.2.2, allows waits of 30 s to an hour. */
export const lockoutDefaults: LockoutNumbers = {
  freeFailures: 4,
  firstWaitSeconds: 30,
  longestWaitSeconds: 3_600,
  lockedAt: 10,
  disabledAt: 100,
  quietSeconds: 86_400,
  addressFailures: 20,
  networkFailures: 200,
  addressWindowSeconds: 600,
}

/** What holds of a surge where a policy says no more than that there may be one. */
export const surgeDefaults: SurgeNumbers = { failures: 300, seconds: 60, calmSeconds: 600 }

/**
 * Until when a surge goes on after one more failure; `undefined` where there is none. It begins at the declared number and
 * is prolonged from half of it on, so that it does not flap; by a tenth of its calm at least, so that a store that many
 * share has few writes of it.
 *
 * @param until of the surge that goes on
 * @param count failures within the declared seconds, this one included
 */
export function surgeUntil(
  now: number,
  until: number | undefined,
  count: number,
  { failures, calmSeconds }: SurgeNumbers,
): number | undefined {
  const next = now + calmSeconds * 1_000
  if (until === undefined) return count >= failures ? next : undefined
  return count * 2 > failures && next - until >= calmSeconds * 100 ? next : until
}

// 2^30 first waits are longer than every longest one.
const DOUBLINGS = 30

/** Seconds to wait after so many failures in a row, before jitter: 0 while they are free, then doubling up to the longest. */
export function waitSeconds(failures: number, numbers: LockoutNumbers): number {
  const { freeFailures, firstWaitSeconds, longestWaitSeconds } = numbers
  if (failures <= freeFailures) return 0
  return Math.min(
    longestWaitSeconds,
    firstWaitSeconds * 2 ** Math.min(DOUBLINGS, failures - freeFailures - 1),
  )
}

/**
 * The shortest time, in seconds, in which strangers can have n guesses at one name verified, for n from 1 to the last
 * that is ever verified without a success. Jitter only adds to it. Whoever guesses may also stay quiet until failures in
 * a row are forgotten; where that is quicker, it counts.
 */
export function guessTimes(numbers: LockoutNumbers): readonly number[] {
  // In one go: a guess, its wait, the next guess.
  const inOneGo: number[] = [0]
  for (let n = 1; n < numbers.disabledAt; n++) inOneGo.push(inOneGo[n - 1]! + waitSeconds(n, numbers))
  const times: number[] = []
  for (let n = 1; n <= numbers.disabledAt; n++) {
    let least = inOneGo[n - 1]!
    for (let first = 1; first < n; first++) {
      const pause = Math.max(numbers.quietSeconds, waitSeconds(first, numbers))
      least = Math.min(least, inOneGo[first - 1]! + pause + times[n - first - 1]!)
    }
    times.push(least)
  }
  return times
}

/** How many guesses of strangers at one name are verified at most within any so many seconds, without a success. */
export function budget(seconds: number, numbers: LockoutNumbers): number {
  const times = guessTimes(numbers)
  const beyond = times.findIndex((time) => time > seconds)
  return beyond < 0 ? times.length : beyond
}

/** The budget in words, for people who review a policy. */
export function budgetSentence(numbers: LockoutNumbers): string {
  const [atOnce, hour, all] = [budget(0, numbers), budget(3_600, numbers), numbers.disabledAt]
  const times = guessTimes(numbers)
  // How it goes on once the waits have grown: the day behind the hour in which they grew.
  const daily = budget((times[hour] ?? times.at(-1)!) + 86_400 - 1, numbers) - hour
  const parts = [
    `${atOnce} ${atOnce === 1 ? 'guess' : 'guesses'} at once`,
    ...(hour > atOnce ? [`${hour} in the first hour`] : []),
    ...(hour < all && hour + daily < all ? [`then ${daily} a day`] : []),
    `${all} in all`,
  ]
  return parts.join(', ')
}
