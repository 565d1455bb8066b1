// Why something was not put to the test, in words.

import type { WireResult } from '../wire/send.ts'
import { type ClassId, HINTS } from './classes.ts'
import type { NotRun } from './result.ts'

/** Why a class of answers was not seen. */
export function whyNotSeen(id: ClassId, notRun: readonly NotRun[]): string {
  return (
    notRun.find(({ probe }) => probe === `class ${id}`)?.because ??
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
