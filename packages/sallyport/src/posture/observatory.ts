// The score that the HTTP Observatory (algorithm 6) gives an answer, worked out from the answer itself, so that an API
// can be graded at any path and any status. What can't be seen in one answer comes in as facts.
// The order of severity and the numbers are the Observatory's; the reading of the headers is ours, by meaning.

import { parseCsp } from '../controls/headers/csp.ts'
import { type Grant, grantOf } from '../controls/headers/csp-grants.ts'
import { effectiveReferrerPolicy } from '../controls/headers/referrer.ts'
import { parseHsts } from '../controls/transport/faces.ts'

/** One answer, and what is known beside it. */
export interface Graded {
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly encrypted: boolean
  /** The foreign origin that the request named, where it did. */
  readonly askedOrigin?: string
  /** What plain HTTP met; left out where there is no plain HTTP. */
  readonly redirection?: 'to-https' | 'off-host' | 'http-first' | 'missing'
  /** True where the host stands on the browsers' HSTS list. */
  readonly preloaded?: boolean
}

/** One of the tests. */
interface Test {
  readonly test: string
  readonly modifier: number
  readonly result: string
}

/** The score and how it came about. */
export interface Score {
  readonly score: number
  readonly grade: string
  readonly tests: readonly Test[]
}

type Lookup = (name: string) => readonly string[]
type Outcome = readonly [modifier: number, result: string]

const BASE = 100
/** Bonuses count only from this score on. */
const BONUS_FROM = 90

const GRADES: readonly (readonly [from: number, grade: string])[] = [
  [100, 'A+'],
  [90, 'A'],
  [85, 'A-'],
  [80, 'B+'],
  [70, 'B'],
  [65, 'B-'],
  [60, 'C+'],
  [50, 'C'],
  [45, 'C-'],
  [40, 'D+'],
  [30, 'D'],
  [25, 'D-'],
]

/** Grades one answer. */
export function observatoryScore(graded: Graded): Score {
  const lookup: Lookup = (name) =>
    graded.headers.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value)
  const tests = Object.entries(TESTS).map(([test, judge]): Test => {
    const [modifier, result] = judge(lookup, graded)
    return { test, modifier, result }
  })
  const sum = (sign: 1 | -1) =>
    tests.filter(({ modifier }) => modifier * sign > 0).reduce((total, { modifier }) => total + modifier, 0)
  const withoutBonus = BASE + sum(-1)
  const score = Math.max(0, withoutBonus >= BONUS_FROM ? withoutBonus + sum(1) : withoutBonus)
  return { score, grade: GRADES.find(([from]) => score >= from)?.[1] ?? 'F', tests }
}

const TESTS: Readonly<Record<string, (lookup: Lookup, graded: Graded) => Outcome>> = {
  'content-security-policy': csp,
  cookies,
  'cross-origin-resource-sharing': cors,
  redirection: (_lookup, { redirection }) => REDIRECTION[redirection ?? 'to-https'],
  'referrer-policy': referrer,
  'strict-transport-security': hsts,
  'x-content-type-options': (lookup) => {
    const lines = lookup('x-content-type-options')
    if (lines.length === 0) return [-5, 'missing']
    return lines.length === 1 && lines[0]!.trim().toLowerCase() === 'nosniff'
      ? [0, 'nosniff']
      : [-5, 'invalid']
  },
  'x-frame-options': framing,
  'cross-origin-resource-policy': (lookup) => {
    const [value] = lookup('cross-origin-resource-policy')
    if (value === undefined) return [0, 'missing']
    const word = value.trim().toLowerCase()
    if (word === 'same-origin' || word === 'same-site') return [10, word]
    return word === 'cross-origin' ? [0, word] : [-5, 'invalid']
  },
  'cross-origin-opener-policy': isolating('cross-origin-opener-policy', [
    'same-origin',
    'same-origin-allow-popups',
    'noopener-allow-popups',
  ]),
  'cross-origin-embedder-policy': isolating('cross-origin-embedder-policy', [
    'require-corp',
    'credentialless',
  ]),
}

const REDIRECTION: Readonly<Record<NonNullable<Graded['redirection']>, Outcome>> = {
  'to-https': [0, 'plain HTTP leads to HTTPS on the same host, or is not spoken'],
  'off-host': [-5, 'plain HTTP leads to another host first'],
  'http-first': [-10, 'plain HTTP leads to plain HTTP first'],
  missing: [-20, 'plain HTTP is answered'],
}

// Case matters in these two: they are structured items.
function isolating(name: string, restrictive: readonly string[]) {
  return (lookup: Lookup): Outcome => {
    const [value] = lookup(name)
    if (value === undefined) return [0, 'missing']
    const word = value.split(';')[0]!.trim()
    if (restrictive.includes(word)) return [10, word]
    return word === 'unsafe-none' ? [0, word] : [-5, 'invalid']
  }
}

const BROAD = new Set(['*', 'http:', 'https:', 'data:', 'blob:'])

function csp(lookup: Lookup): Outcome {
  const lines = lookup('content-security-policy')
  if (lines.length === 0)
    return [-25, lookup('content-security-policy-report-only').length > 0 ? 'only reported' : 'missing']
  const policies = parseCsp(lines).map((policy) => policy.csp)
  if (policies.length === 0) return [-25, 'invalid']
  // Several policies hold together, so the best of them counts for each question.
  const every = (test: (grant: Grant) => boolean, kind: string) =>
    policies.every((policy) => test(grantOf(policy, kind)))
  const insecure = ({ places }: Grant) =>
    places.some((place) => ('scheme' in place ? place.scheme : undefined) === 'http')
  const broad = (grant: Grant) =>
    grant.everything || grant.powers.has('inline') || grant.places.some(({ text }) => BROAD.has(text))
  if (every(broad, 'script-src-elem') || every(broad, 'object-src') || every(broad, 'script-src-attr'))
    return [-20, 'scripts or plugins are not restricted']
  if (
    ['script-src-elem', 'style-src-elem', 'connect-src', 'frame-src', 'font-src'].some((kind) =>
      every(insecure, kind),
    )
  )
    return [-20, 'http: sources for active content']
  if (every(({ powers }) => powers.has('eval'), 'eval()')) return [-10, 'unsafe-eval']
  if (['img-src', 'media-src'].some((kind) => every(insecure, kind)))
    return [-10, 'http: sources for images or media']
  if (every(broad, 'style-src-elem') || every(broad, 'style-src-attr'))
    return [0, 'styles are not restricted']
  const nothing = policies.some((policy) => isNone(policy['default-src']))
  const form = policies.some(
    ({ 'form-action': list }) => isNone(list) || list?.join(' ').toLowerCase() === "'self'",
  )
  return nothing && form ? [10, "default-src 'none'"] : [5, 'nothing unsafe']
}

function isNone(list: readonly string[] | undefined): boolean {
  return list !== undefined && (list.length === 0 || list.join(' ').toLowerCase() === "'none'")
}

function framing(lookup: Lookup): Outcome {
  const ancestors = parseCsp(lookup('content-security-policy')).flatMap(
    ({ csp }) => csp['frame-ancestors'] ?? [],
  )
  if (ancestors.length > 0 && !ancestors.some((source) => BROAD.has(source))) return [5, 'by frame-ancestors']
  const lines = lookup('x-frame-options')
  if (lines.length === 0) return [-20, 'missing']
  const word = lines.length === 1 ? lines[0]!.trim().toUpperCase() : ''
  return word === 'DENY' || word === 'SAMEORIGIN' ? [0, word] : [-20, 'invalid']
}

const PRIVATE_REFERRER = ['no-referrer', 'same-origin', 'strict-origin', 'strict-origin-when-cross-origin']

function referrer(lookup: Lookup): Outcome {
  const lines = lookup('referrer-policy')
  if (lines.length === 0) return [0, 'missing']
  const policy = effectiveReferrerPolicy(lines)
  if (policy === undefined) return [-5, 'invalid']
  return [PRIVATE_REFERRER.includes(policy) ? 5 : -5, policy]
}

/** 180 days, in seconds. */
const SIX_MONTHS = 15_552_000

function hsts(lookup: Lookup, { encrypted, preloaded }: Graded): Outcome {
  if (!encrypted) return [-20, 'not served over HTTPS']
  if (preloaded === true) return [5, 'on the list of browsers']
  const [value] = lookup('strict-transport-security')
  if (value === undefined) return [-20, 'missing']
  const parsed = parseHsts(value)
  if (!parsed) return [-20, 'invalid']
  return parsed.maxAge < SIX_MONTHS ? [-10, 'shorter than six months'] : [0, `max-age=${parsed.maxAge}`]
}

function cors(lookup: Lookup, { askedOrigin }: Graded): Outcome {
  const [origin] = lookup('access-control-allow-origin')
  if (origin === undefined) return [0, 'none']
  const credentials = lookup('access-control-allow-credentials')[0]?.trim().toLowerCase() === 'true'
  if (credentials && (origin === '*' || origin === askedOrigin))
    return [-50, 'every origin, with credentials']
  return [0, origin === '*' ? 'public' : 'restricted']
}

function cookies(lookup: Lookup): Outcome {
  const all = lookup('set-cookie').map(parseCookie)
  if (all.length === 0) return [0, 'none']
  const protectedByHsts = (parseHsts(lookup('strict-transport-security')[0] ?? '')?.maxAge ?? 0) >= SIX_MONTHS
  const sessions = all.filter(({ name }) => /sess|login/i.test(name))
  const worst: (readonly [boolean, Outcome])[] = [
    [sessions.some(({ secure }) => !secure) && !protectedByHsts, [-40, 'a session cookie without Secure']],
    [sessions.some(({ httpOnly }) => !httpOnly), [-30, 'a session cookie without HttpOnly']],
    [all.some(({ secure }) => !secure) && !protectedByHsts, [-20, 'a cookie without Secure']],
    [all.some(({ sameSite }) => sameSite === 'invalid'), [-20, 'a SameSite that is no word of its own']],
    [sessions.some(({ secure }) => !secure), [-10, 'a session cookie without Secure, under HSTS']],
    [all.some(({ secure }) => !secure), [-5, 'a cookie without Secure, under HSTS']],
  ]
  const found = worst.find(([applies]) => applies)
  if (found) return found[1]
  return all.every(({ sameSite }) => sameSite === 'strict' || sameSite === 'lax')
    ? [5, 'all with Secure and SameSite']
    : [0, 'all with Secure']
}

function parseCookie(line: string) {
  const [pair = '', ...attributes] = line.split(';').map((part) => part.trim())
  const has = (name: string) => attributes.some((attribute) => attribute.toLowerCase() === name)
  const sameSite = attributes
    .find((attribute) => /^samesite(?:=|$)/i.test(attribute))
    ?.slice(9)
    .toLowerCase()
  return {
    name: pair.split('=')[0]!,
    secure: has('secure'),
    httpOnly: has('httponly'),
    sameSite: sameSite === undefined || ['strict', 'lax', 'none'].includes(sameSite) ? sameSite : 'invalid',
  }
}
