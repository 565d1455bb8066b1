// Words of the command line that `sallyport keys` reads: times, lists, choices.

import { show } from '../../policy/problem.ts'
import type { Invocation } from '../command.ts'
import { Failure } from '../failure.ts'

const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400 } as const

/** `90s`, `30m`, `12h`, `365d` as seconds; `undefined` where it is left out. */
export function durationOf(invocation: Invocation, name: string): number | undefined {
  const text = invocation.text(name)
  if (text === undefined) return undefined
  const match = /^(\d{1,9})([smhd])$/.exec(text)
  const seconds = match ? Number(match[1]) * SECONDS[match[2] as keyof typeof SECONDS] : Number.NaN
  if (!(seconds <= 3650 * SECONDS.d))
    throw new Failure(
      `${invocation.nameOf(name)}: expected a time such as 365d, 12h, 30m or 90s, received ${show(text)}; write one of at most 3650d`,
    )
  return seconds
}

/** The longest overlap of a rotation. */
const LONGEST_OVERLAP_SECONDS = 7 * SECONDS.d

/** How long the old key lives on, in seconds; `undefined` where it is left out. */
export function overlapOf(invocation: Invocation): number | undefined {
  const seconds = durationOf(invocation, 'overlap')
  if (seconds !== undefined && seconds > LONGEST_OVERLAP_SECONDS)
    throw new Failure(
      `${invocation.nameOf('overlap')}: the old key lives on for at most 7d, received ${show(invocation.text('overlap'))}; write a shorter time such as 24h`,
    )
  return seconds
}

/** `a,b` as a list. */
export function listOf(invocation: Invocation, name: string): readonly string[] {
  return (invocation.text(name) ?? '')
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '')
}

/** One of two words. */
export function choiceOf<const T extends string>(
  invocation: Invocation,
  name: string,
  words: readonly T[],
): T {
  const text = invocation.text(name)!
  if (!(words as readonly string[]).includes(text))
    throw new Failure(
      `${invocation.nameOf(name)}: expected ${words.join(' or ')}, received ${show(text)}; write one of them`,
    )
  return text as T
}
