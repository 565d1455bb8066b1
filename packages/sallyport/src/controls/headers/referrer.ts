// Referrer-Policy: what each policy gives away, and to whom.

import type { Change } from '../../guard/control.ts'

/** How much of the URL goes to pages of the same origin, of other origins, and over plain HTTP. 0 none, 1 origin, 2 all. */
type Leaks = readonly [sameOrigin: number, crossOrigin: number, downgrade: number]

const LEAKS: Readonly<Record<string, Leaks>> = {
  'no-referrer': [0, 0, 0],
  'same-origin': [2, 0, 0],
  'strict-origin': [1, 1, 0],
  'strict-origin-when-cross-origin': [2, 1, 0],
  origin: [1, 1, 1],
  'origin-when-cross-origin': [2, 1, 1],
  'no-referrer-when-downgrade': [2, 2, 0],
  'unsafe-url': [2, 2, 2],
}

/** What browsers do without the header. */
export const DEFAULT_REFERRER_POLICY = 'strict-origin-when-cross-origin'

/** The last token that is known counts; `undefined` where none is. W3C Referrer Policy, section 8.1. */
export function effectiveReferrerPolicy(values: readonly string[]): string | undefined {
  return values
    .flatMap((value) => value.split(','))
    .map((token) => token.trim().toLowerCase())
    .findLast((token) => Object.hasOwn(LEAKS, token))
}

const TO = ['pages of the same origin', 'pages of other origins', 'pages over plain HTTP'] as const
const PART = ['nothing', 'the origin', 'the whole URL'] as const

/** Compares two policies by what they give away. */
export function compareReferrer(before: string, after: string): readonly Change[] {
  const [from, to] = [LEAKS[before]!, LEAKS[after]!]
  const more = to.findIndex((leak, index) => leak > from[index]!)
  const less = to.findIndex((leak, index) => leak < from[index]!)
  const what = 'referrerPolicy'
  const tells = (index: number) => `${TO[index]} learn ${PART[to[index]!]} instead of ${PART[from[index]!]}`
  if (more < 0 && less < 0) return []
  if (more < 0) return [{ what, strength: 'stronger', because: tells(less) }]
  if (less < 0) return [{ what, strength: 'weaker', because: tells(more) }]
  return [{ what, strength: 'incomparable', because: `${tells(more)}, but ${tells(less)}` }]
}
