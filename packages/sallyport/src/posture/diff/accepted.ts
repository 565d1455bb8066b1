// Weaknesses that somebody has accepted: a file of plain data beside the policy, each entry with a reason, an owner and
// a day on which it ends.

import { childPath, type PolicyProblem } from '../../policy/problem.ts'
import { isPlainObject, problem } from '../../policy/schema.ts'
import type { DiffChange } from './diff.ts'

/** The name of the file. */
export const ACCEPTED_FILE = 'sallyport.accepted.json'

/** One accepted change. */
export interface Accepted {
  readonly fingerprint: string
  /** What was accepted, in the words of the difference. */
  readonly what: string
  readonly reason: string
  readonly owner: string
  /** A day, `2027-01-31`; it is the last on which this holds. */
  readonly expires: string
}

const FORMS = {
  fingerprint: [/^[0-9a-f]{12}$/, 'twelve hexadecimal digits', 'copy it from sallyport diff'],
  what: [/^[^\p{Cc}]{1,500}$/u, 'a line of text', 'write what was accepted'],
  reason: [/^[^\p{Cc}]{3,500}$/u, 'a line of at least three characters', 'say why it is right for now'],
  owner: [/^[^\p{Cc}]{2,200}$/u, 'a name or an address', 'say who answers for it'],
  expires: [
    /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])$/,
    'a day such as "2027-01-31"',
    'write the last day on which it holds',
  ],
} as const

/** Reads the file's content; every problem is named. */
export function readAccepted(value: unknown): {
  readonly accepted: readonly Accepted[]
  readonly problems: readonly PolicyProblem[]
} {
  const problems: PolicyProblem[] = []
  if (!Array.isArray(value))
    return { accepted: [], problems: [problem('', 'type', 'expected a list', value, 'write [ … ]')] }
  const accepted = value.flatMap((entry: unknown, index) => {
    const at = childPath('', index)
    if (!isPlainObject(entry)) {
      problems.push(
        problem(
          at,
          'type',
          'expected an object',
          entry,
          'write { "fingerprint": …, "reason": …, "owner": …, "expires": … }',
        ),
      )
      return []
    }
    const wrong = Object.entries(FORMS).filter(
      ([name, [form]]) => typeof entry[name] !== 'string' || !form.test(entry[name]),
    )
    for (const [name, [, expected, mend]] of wrong)
      problems.push(problem(childPath(at, name), 'value', `expected ${expected}`, entry[name], mend))
    for (const name of Object.keys(entry))
      if (!(name in FORMS))
        problems.push(
          problem(
            childPath(at, name),
            'unknown',
            `"${name.slice(0, 60)}" is no part of an entry`,
            undefined,
            'remove it',
          ),
        )
    return wrong.length === 0 ? [entry as unknown as Accepted] : []
  })
  return { accepted, problems }
}

/** What a gate says: which changes stand in its way, and what of the file is of no use. */
export interface Gate {
  readonly open: boolean
  /** Weaker or incomparable, and accepted by nobody. */
  readonly blocking: readonly DiffChange[]
  readonly accepted: readonly { readonly change: DiffChange; readonly entry: Accepted }[]
  readonly expired: readonly { readonly change: DiffChange; readonly entry: Accepted }[]
  /** Entries that no change has any more. */
  readonly unused: readonly Accepted[]
}

/** @param today a day, `2026-11-25` */
export function gateOf(changes: readonly DiffChange[], entries: readonly Accepted[], today: string): Gate {
  const byFingerprint = new Map(entries.map((entry) => [entry.fingerprint, entry]))
  const blocking: DiffChange[] = []
  const accepted: { change: DiffChange; entry: Accepted }[] = []
  const expired: { change: DiffChange; entry: Accepted }[] = []
  for (const change of changes) {
    if (change.strength !== 'weaker' && change.strength !== 'incomparable') continue
    const entry = byFingerprint.get(change.fingerprint)
    if (entry === undefined) blocking.push(change)
    // Days of this form compare as texts.
    else if (entry.expires < today) expired.push({ change, entry })
    else accepted.push({ change, entry })
  }
  const met = new Set(changes.map(({ fingerprint }) => fingerprint))
  return {
    open: blocking.length === 0 && expired.length === 0,
    blocking,
    accepted,
    expired,
    unused: entries.filter(({ fingerprint }) => !met.has(fingerprint)),
  }
}
