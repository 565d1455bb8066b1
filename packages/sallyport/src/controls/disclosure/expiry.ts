// Expires: a date of RFC 3339, and how it stands to the clock. A policy that was valid must not stop loading because
// time passes, so only `sallyport check` and the probes ask the clock.

import type { PolicyProblem } from '../../policy/problem.ts'
import { problem } from '../../policy/schema.ts'
import type { DisclosureSetting } from './setting.ts'

const DATE_TIME = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)$/

/**
 * Reads a date and time; milliseconds since the epoch, whole seconds.
 *
 * @see RFC 3339, section 5.6
 */
export function parseDateTime(text: string): number | undefined {
  const match = DATE_TIME.exec(text)
  if (!match) return undefined
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  // A day that the month does not have would roll over into the next.
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined
  if (hour > 23 || minute > 59 || second > 60) return undefined
  const offset = offsetMinutes(match[7]!)
  if (offset === undefined) return undefined
  return date.getTime() + ((hour * 60 + minute - offset) * 60 + Math.min(second, 59)) * 1000
}

function offsetMinutes(text: string): number | undefined {
  if (text === 'Z' || text === 'z') return 0
  const hours = Number(text.slice(1, 3))
  const minutes = Number(text.slice(4))
  if (hours > 23 || minutes > 59) return undefined
  return (text[0] === '-' ? -1 : 1) * (hours * 60 + minutes)
}

const DAY_MS = 86_400_000
/** A check fails this many days before the date, so that a release in time renews it. */
const RENEW_DAYS = 30
// RFC 9116, section 2.5.5, recommends less than a year; a leap day and a release's delay are let through.
const LONGEST_DAYS = 400

/**
 * What is wrong with the date at a given time: past, near, or so far away that a stale file would be believed for years.
 *
 * @param now milliseconds since the epoch
 */
export function disclosureWarnings(setting: DisclosureSetting, now: number): readonly PolicyProblem[] {
  const expires = setting.mode !== 'off' && setting.securityTxt ? setting.securityTxt.expires : undefined
  const time = expires === undefined ? undefined : parseDateTime(expires)
  if (time === undefined) return []
  const days = Math.floor((time - now) / DAY_MS)
  const say = (message: string): readonly PolicyProblem[] => [
    problem(
      'disclosure.securityTxt.expires',
      'value',
      message,
      expires,
      'read the file again, and write a date within a year',
    ),
  ]
  if (time <= now) return say('is past, so reporters no longer believe the file')
  if (days < RENEW_DAYS) return say(`is only ${days} ${days === 1 ? 'day' : 'days'} away`)
  if (days > LONGEST_DAYS) return say(`is ${days} days away, so a stale file would be believed for long`)
  return []
}
