// Which of two settings grants more. What a setting grants is a set of pairs (origin, with or without cookies), times
// the methods, request headers and exposed headers that the pairs get: more of any of them is weaker.

import type { CellInfo } from '../../guard/cell.ts'
import type { Change } from '../../guard/control.ts'
import { compareModes, placeWords } from '../faces.ts'
import { exampleOrigin } from './examples.ts'
import { isOriginFault, type ListedOrigin, parseOrigin } from './origin.ts'
import { type CorsSetting, type FullCorsSetting, fullSetting, isOpen } from './setting.ts'

/** One side: what is set, and in which cell. */
interface Side {
  readonly full: FullCorsSetting
  readonly cell: CellInfo
}

export function compareCors(
  before: CorsSetting,
  after: CorsSetting,
  cell: CellInfo,
  was: CellInfo = cell,
): readonly Change[] {
  const where = placeWords(cell)
  const modes = compareModes(before, after)
  const a = inForce(before, was)
  const b = inForce(after, cell)
  if (!a && !b) return modes
  if (!a || !b) return [...modes, handover(a, b, where)]
  const granted = [...modes, ...credentialedChanges(a.full, b.full, where), ...openChanges(a, b, where)]
  // Lists of methods and headers grant nothing where nobody is granted anything.
  if (!grantsAnything(a) || !grantsAnything(b)) return granted
  return [...granted, ...nameChanges(a.full, b.full, where), ...ageChanges(a.full, b.full)]
}

// What is not set, or not enforced, the application decides.
function inForce(setting: CorsSetting, cell: CellInfo): Side | undefined {
  const full = (setting.mode ?? 'enforce') === 'enforce' ? fullSetting(setting) : undefined
  return full && { full, cell }
}

// What the application grants by itself is not in the policy: it may be nothing or everything. Only a setting that
// grants nothing to anybody can be set against that.
function handover(a: Side | undefined, b: Side | undefined, where: string): Change {
  if (a)
    return change(
      'origins',
      grantsAnything(a) ? 'incomparable' : 'weaker',
      `the application alone decides who can read ${where}: https://evil.example can where it says so`,
    )
  return change(
    'origins',
    grantsAnything(b!) ? 'incomparable' : 'stronger',
    `the policy alone decides who can read ${where}, whatever the application says`,
  )
}

function grantsAnything({ full, cell }: Side): boolean {
  return full.origins.length > 0 || isOpen(full, cell)
}

function change(what: string, strength: Change['strength'], because: string): Change {
  return { what, strength, because }
}

// The pairs with cookies.
function credentialedChanges(a: FullCorsSetting, b: FullCorsSetting, where: string): Change[] {
  const changes: Change[] = []
  const added = uncovered(b, a)
  const removed = uncovered(a, b)
  if (added.length > 0)
    changes.push(change('origins', 'weaker', `${named(added, a)} can now read ${where} with cookies`))
  if (removed.length > 0)
    changes.push(
      change('origins', 'stronger', `${named(removed, b)} can no longer read ${where} with cookies`),
    )
  return changes
}

function parsed(full: FullCorsSetting): readonly ListedOrigin[] {
  return full.origins.map(parseOrigin).filter((origin) => !isOriginFault(origin)) as ListedOrigin[]
}

/** The entries of one setting that name origins outside the other. */
function uncovered(some: FullCorsSetting, other: FullCorsSetting): readonly ListedOrigin[] {
  const others = parsed(other)
  return parsed(some).filter((origin) => !others.some((entry) => includes(entry, origin)))
}

/**
 * True where every origin of `inner` is one of `outer`. Asking entry by entry is exact: a pattern stands for endlessly
 * many names, which no number of exact origins or of longer patterns makes up.
 */
function includes(outer: ListedOrigin, inner: ListedOrigin): boolean {
  if (outer.scheme !== inner.scheme || outer.port !== inner.port) return false
  if (!outer.isPattern) return !inner.isPattern && outer.host === inner.host
  if (inner.host === outer.host) return inner.isPattern
  // Names with an underscore can be listed, but no pattern covers them.
  return inner.host.endsWith(`.${outer.host}`) && !inner.host.includes('_')
}

// One origin that only one side grants, for the sentence.
function named(origins: readonly ListedOrigin[], other: FullCorsSetting): string {
  const others = parsed(other)
  const first = origins[0]!
  const label = ['evil', 'evil2', 'evil3'].find(
    (each) => !first.isPattern || !others.some((entry) => entry.text === exampleOrigin(first.text, each)),
  )
  const rest = origins.length - 1
  const one = exampleOrigin(first.text, label ?? 'evil4')
  return rest === 0 ? one : `${one} and ${rest} more`
}

// The pairs without cookies, beyond those of listed origins.
function openChanges(a: Side, b: Side, where: string): Change[] {
  const before = isOpen(a.full, a.cell)
  const after = isOpen(b.full, b.cell)
  if (before === after) return cookieChanges(a, b, where)
  return [
    after
      ? change(
          'bearer',
          'weaker',
          `https://evil.example can now read ${where} without cookies, with a credential of its own`,
        )
      : change('bearer', 'stronger', `pages of unlisted origins can no longer read ${where}`),
    ...cookieChanges(a, b, where),
  ]
}

// Where every page may call without cookies, the cookies that come with unlisted ones are taken away, as on paths with
// two readings; elsewhere a form of theirs still reaches the application, and its cookies with it.
function cookieChanges(a: Side, b: Side, where: string): Change[] {
  const drops = ({ full, cell }: Side) => isOpen(full, cell) || cell.origin === 'strict'
  // They matter where they are let through to a route that takes them.
  if (drops(a) === drops(b) || !takesCookies((drops(a) ? b : a).cell)) return []
  return [
    drops(b)
      ? change('bearer', 'stronger', `cookies that pages of unlisted origins send to ${where} are taken away`)
      : change(
          'bearer',
          'weaker',
          `a form of https://evil.example reaches ${where} with its visitor’s cookies, which were taken away before`,
        ),
  ]
}

function takesCookies({ credentials }: CellInfo): boolean {
  return credentials === 'mixed' || credentials === 'cookie'
}

// Browsers send these without asking (Fetch standard, "CORS-safelisted method").
const SAFELISTED_METHODS = ['GET', 'HEAD', 'POST']
// Pages may read these without being told (Fetch standard, "CORS-safelisted response-header name").
const SAFELISTED_RESPONSE_HEADERS = [
  'cache-control',
  'content-language',
  'content-length',
  'content-type',
  'expires',
  'last-modified',
  'pragma',
]

function nameChanges(a: FullCorsSetting, b: FullCorsSetting, where: string): Change[] {
  const lower = (names: readonly string[]) => names.map((name) => name.toLowerCase())
  const methods = (full: FullCorsSetting) => [...full.allowMethods, ...SAFELISTED_METHODS]
  const exposed = (full: FullCorsSetting) => [...lower(full.exposeHeaders), ...SAFELISTED_RESPONSE_HEADERS]
  return [
    ...listChanges('allowMethods', methods(a), methods(b), (names) => `send ${names} to ${where}`),
    ...listChanges(
      'allowHeaders',
      lower(a.allowHeaders),
      lower(b.allowHeaders),
      (names) => `set ${names} on requests to ${where}`,
    ),
    ...listChanges('exposeHeaders', exposed(a), exposed(b), (names) => `read ${names} from ${where}`),
  ]
}

function listChanges(
  what: 'allowMethods' | 'allowHeaders' | 'exposeHeaders',
  a: readonly string[],
  b: readonly string[],
  act: (names: string) => string,
): Change[] {
  const missing = (from: readonly string[], names: readonly string[]) =>
    names
      .filter((name) => !coversName(what, from, name))
      .map((name) => (name === '*' ? 'anything else' : name))
  const added = missing(a, b)
  const removed = missing(b, a)
  return [
    ...(added.length > 0 ? [change(what, 'weaker', `an allowed page can now ${act(added.join(', '))}`)] : []),
    ...(removed.length > 0
      ? [change(what, 'stronger', `no page can ${act(removed.join(', '))} any more`)]
      : []),
  ]
}

function coversName(what: string, names: readonly string[], name: string): boolean {
  if (names.includes(name)) return true
  // Fetch standard, "CORS non-wildcard request-header name".
  return names.includes('*') && !(what === 'allowHeaders' && name === 'authorization')
}

function ageChanges(a: FullCorsSetting, b: FullCorsSetting): Change[] {
  if (a.maxAgeSeconds === b.maxAgeSeconds) return []
  return [
    b.maxAgeSeconds > a.maxAgeSeconds
      ? change(
          'maxAgeSeconds',
          'weaker',
          `a browser may act on a withdrawn permission for ${b.maxAgeSeconds} seconds instead of ${a.maxAgeSeconds}`,
        )
      : change(
          'maxAgeSeconds',
          'stronger',
          `a withdrawn permission ends after ${b.maxAgeSeconds} seconds instead of ${a.maxAgeSeconds}`,
        ),
  ]
}
