// Who may frame an answer: frame-ancestors decides where it stands, X-Frame-Options otherwise.

import type { Change } from '../../guard/control.ts'
import { type CspSetting, parseCsp } from './csp.ts'
import { type Policies, surplusOf } from './csp-compare.ts'

/** The framing rule as policies that hold together; empty where everyone may frame. */
export type Framing = Policies

const KIND = 'frame-ancestors'

/** The rule of one X-Frame-Options word. */
export function framingOfXfo(word: string | undefined): Framing {
  if (word === 'DENY') return [{ [KIND]: ["'none'"] }]
  return word === 'SAMEORIGIN' ? [{ [KIND]: ["'self'"] }] : []
}

/** The rule of the policies that have frame-ancestors; `undefined` where none has. */
export function framingOfCsp(policies: Policies): Framing | undefined {
  const ruling = policies.filter((csp) => csp[KIND] !== undefined)
  return ruling.length > 0 ? ruling.map((csp) => ({ [KIND]: csp[KIND]! })) : undefined
}

/** What a setting says of framing; `undefined` where it leaves that to the application. */
export function framingOf(setting: {
  readonly frameOptions?: 'DENY' | 'SAMEORIGIN' | false
  readonly contentSecurityPolicy?: CspSetting | false
}): Framing | undefined {
  const csp = setting.contentSecurityPolicy
  const byCsp = csp ? framingOfCsp([csp]) : undefined
  if (byCsp) return byCsp
  return setting.frameOptions === undefined ? undefined : framingOfXfo(setting.frameOptions || undefined)
}

/**
 * The rule that a browser reads from the lines of an answer.
 *
 * @see HTML standard, section 7.3.1, "the X-Frame-Options header"
 */
export function observedFraming(csp: readonly string[], xfo: readonly string[]): Framing {
  const byCsp = framingOfCsp(parseCsp(csp).map((policy) => policy.csp))
  if (byCsp) return byCsp
  const words = new Set(xfo.flatMap((value) => value.split(',')).map((word) => word.trim().toUpperCase()))
  const known = ['DENY', 'SAMEORIGIN', 'ALLOWALL'].filter((word) => words.has(word))
  if (words.size > 1) return known.length > 0 ? framingOfXfo('DENY') : []
  return framingOfXfo(known[0])
}

/** What `inner` lets frame an answer beyond `outer`. */
export function framingSurplus(outer: Framing, inner: Framing): string | undefined {
  return surplusOf(outer, inner, KIND)
}

/** Compares who may frame. */
export function compareFraming(before: Framing, after: Framing): readonly Change[] {
  const gained = framingSurplus(before, after)
  const lost = framingSurplus(after, before)
  const what = 'framing'
  if (gained === undefined && lost === undefined) return []
  if (gained === undefined)
    return [{ what, strength: 'stronger', because: `fewer pages may frame: no longer ${lost}` }]
  if (lost === undefined)
    return [{ what, strength: 'weaker', because: `a page can be framed, and clicks stolen: ${gained}` }]
  return [{ what, strength: 'incomparable', because: `other pages may frame: ${gained}; no longer ${lost}` }]
}
