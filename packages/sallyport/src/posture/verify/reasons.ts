// Why something was not put to the test, in words.

import type { WireResult } from '../wire/send.ts'
import { type ClassId, HINTS } from './classes.ts'
import type { NotRun } from './result.ts'

/** Why a class of answers was not seen. */
export function whyNotSeen(id: ClassId, notRun: readonly NotRun[]): string {
  return (
    notRun.find(({ probe }) => probe === `class ${id}` || (id === '429' && probe.startsWith('limits of ')))
      ?.because ??
    HINTS[id] ??
    'nothing that was sent provoked it'
  )
}

/** Why a request got no answer. */
export function reasonOf(result: WireResult): string {
  if (result.kind === 'answer') return 'it was answered'
  switch (result.code) {
    case 'closed':
    case 'ECONNRESET':
      return 'the connection was closed without an answer'
    case 'timeout':
      return `no answer in time (${result.phase})`
    default:
      return `${result.phase} failed: ${result.code}`
  }
}

const LONGEST = 600

/** A text of an answer, as long as a report can bear. */
export function shorten(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text
}

/** Each reason once for each probe. */
export function distinct(list: readonly NotRun[]): readonly NotRun[] {
  return [...new Map(list.map((each) => [`${each.probe} ${each.because}`, each])).values()]
}
