// The orders of strength of the single headers (what is at least as strong as what), and of who decides on a header:
// the policy by a value, the policy by leaving it out, or the application.

import type { Change, Strength } from '../../guard/control.ts'
import { verdictOf } from '../faces.ts'

/** How two readings of a header differ; an absent header has a reading too. */
export type Compare<Reading> = (before: Reading, after: Reading) => readonly Change[]

/**
 * Compares what two policies say of a header. `false` reads as absent, since the policy removes the application's own.
 * `undefined` leaves the header to the application, which may send a strict value, a loose one or none: a value that is
 * better than none is stronger than that, any other is incomparable with it.
 */
export function compareOwned<Value, Reading>(
  what: string,
  header: string,
  before: Value | false | undefined,
  after: Value | false | undefined,
  read: (value: Value | undefined) => Reading,
  compare: Compare<Reading>,
): readonly Change[] {
  if (before === undefined && after === undefined) return []
  const reading = (value: Value | false | undefined) => read(value === false ? undefined : value)
  if (before !== undefined && after !== undefined) return compare(reading(before), reading(after))
  const stated = reading(before === undefined ? after : before)
  const helps = verdictOf(compare(read(undefined), stated)) === 'stronger'
  if (!helps)
    return [
      {
        what,
        strength: 'incomparable',
        because:
          before === undefined
            ? `an application's own ${header}, which may be stricter, is ${after === false ? 'removed' : 'replaced'}`
            : `${header} is whatever the application sends`,
      },
    ]
  return before === undefined
    ? [
        {
          what,
          strength: 'stronger',
          because: `${header} is on every answer, whatever the application sends`,
        },
      ]
    : [{ what, strength: 'weaker', because: `an answer can go out without ${header}, or with a looser one` }]
}

/** An order of words: each word with the words that it is at least as strong as. */
export interface WordOrder {
  readonly absent: string
  readonly above: Readonly<Record<string, readonly string[]>>
  /** What becomes possible below a word. */
  readonly loss: string
}

/** Compares two words of a partial order. */
export function compareWords(what: string, order: WordOrder): Compare<string> {
  return (before, after) => {
    const strength = place(order, before, after)
    if (strength === 'neutral') return []
    const because =
      strength === 'stronger'
        ? `"${after}" is stricter than "${before}"`
        : strength === 'weaker'
          ? order.loss
          : `"${before}" and "${after}" each keep away what the other lets in`
    return [{ what, strength, because }]
  }
}

function place({ above }: WordOrder, before: string, after: string): Strength {
  const [up, down] = [reaches(above, after, before), reaches(above, before, after)]
  if (up && down) return 'neutral'
  return up ? 'stronger' : down ? 'weaker' : 'incomparable'
}

function reaches(above: WordOrder['above'], from: string, to: string): boolean {
  return from === to || (above[from] ?? []).includes(to)
}

/** Cross-Origin-Resource-Policy: W3C Fetch Metadata's neighbour, Fetch standard, section 3.7. */
export const CORP: WordOrder = {
  absent: 'cross-origin',
  above: { 'same-origin': ['same-site', 'cross-origin'], 'same-site': ['cross-origin'] },
  loss: 'pages of other origins can load answers into their process without CORS',
}

/** Cross-Origin-Opener-Policy: HTML standard, section 7.1.3. */
export const COOP: WordOrder = {
  absent: 'unsafe-none',
  above: {
    'same-origin': ['same-origin-allow-popups', 'unsafe-none'],
    'same-origin-allow-popups': ['unsafe-none'],
    'noopener-allow-popups': ['unsafe-none'],
  },
  loss: 'a page of another origin can keep a reference to the window of an answer',
}

/** Cross-Origin-Embedder-Policy: HTML standard, section 7.1.4. */
export const COEP: WordOrder = {
  absent: 'unsafe-none',
  above: { 'require-corp': ['unsafe-none'], credentialless: ['unsafe-none'] },
  loss: 'a document can embed cross-origin resources that never agreed to it',
}

/** X-Content-Type-Options. */
export const NOSNIFF: WordOrder = {
  absent: 'none',
  above: { nosniff: ['none'] },
  loss: 'a browser can take an answer for a script or a style by its bytes',
}

/** X-DNS-Prefetch-Control. */
export const DNS_PREFETCH: WordOrder = {
  absent: 'none',
  above: { off: ['none', 'on'], none: ['on'] },
  loss: 'a browser can look up the names of links before anybody follows them',
}

/** Origin-Agent-Cluster. */
export const AGENT_CLUSTER: WordOrder = {
  absent: 'none',
  above: { '?1': ['none', '?0'], none: ['?0'] },
  loss: 'documents of sibling subdomains can share one process and reach each other by document.domain',
}

/** X-Permitted-Cross-Domain-Policies; without the header only the file at the root counts. */
export const CROSS_DOMAIN: WordOrder = {
  absent: 'master-only',
  above: { none: ['master-only'] },
  loss: 'a cross-domain policy file at the root is honoured by old plugins',
}
