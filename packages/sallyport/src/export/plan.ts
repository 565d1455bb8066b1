// What an export is written from: the cells in the order in which they must be tried, each with the lines that the guard
// itself would put there. A platform's writer only translates.

import { requirementOf } from '../controls/access/requirement.ts'
import type { AccessSetting } from '../controls/access/setting.ts'
import { type CacheSetting, classValue } from '../controls/cache/setting.ts'
import { isOriginFault, parseOrigin } from '../controls/cors/origin.ts'
import { type CorsSetting, fullSetting, isOpen } from '../controls/cors/setting.ts'
import type { RequestSetting } from '../controls/request/setting.ts'
import { OWNED } from '../guard/compile.ts'
import type { Mode } from '../guard/control.ts'
import { createGuard } from '../guard/guard.ts'
import type { PolicyDocument } from '../guard/policy.ts'
import { gainedRoutes, type ResolvedCell, type ResolvedPolicy, resolvePolicy } from '../guard/resolve.ts'
import { digest } from '../policy/digest.ts'
import type { Segment } from '../policy/pattern.ts'

/** A platform's configuration, and what it can't say. */
export interface Export {
  readonly files: readonly { readonly name: string; readonly text: string }[]
  readonly limits: readonly Limit[]
}

/** Something that the policy says and the platform can't keep. */
export interface Limit {
  /** The control's name. */
  readonly control: string
  readonly what: string
}

/** One cell, ready to be written. */
export interface PlanCell {
  /** 0, 1, …, in the order in which the cells are tried; the last two are the default and the strict one. */
  readonly index: number
  readonly id: string
  readonly origin: ResolvedCell['origin']
  readonly method: string | undefined
  readonly segments: readonly Segment[]
  /** The lines that are the same for every answer, `Cache-Control` left out. */
  readonly headers: ReadonlyMap<string, string>
  readonly cache: PlanCache | undefined
  readonly cors: PlanCors | undefined
  readonly maxBodyBytes: number | undefined
  /** True where the policy alone sets the header here; elsewhere the application's own passes. */
  owns(name: string): boolean
}

/** How caching is decided. */
interface PlanCache {
  readonly value: string
  /** Errors and answers with cookies are not shared; where `anonymous`, whatever the caller shows. */
  readonly shareable: boolean
  readonly anonymous: boolean
  /** The application's own value holds where it sends one. */
  readonly delegated: boolean
}

/** Who may read answers in a browser. */
export interface PlanCors {
  readonly exact: readonly string[]
  /** Regular expressions without anchors. */
  readonly patterns: readonly string[]
  readonly open: boolean
  readonly expose: string
  readonly preflight: readonly (readonly [name: string, value: string])[]
}

/** All that a writer needs. */
export interface Plan {
  readonly name: string
  readonly digest: string
  /** The policy with all that it extends, without its own page. */
  readonly document: PolicyDocument
  /** Routes, most specific first; then the default, then the strict cell. */
  readonly cells: readonly PlanCell[]
  readonly default: PlanCell
  readonly strict: PlanCell
  /** Names that only the policy sets, as usually written: an upstream's own are removed. */
  readonly owned: readonly string[]
  readonly encrypted: boolean
  readonly request: RequestSetting
  readonly refusesOddPaths: boolean
  /** What no platform's configuration holds. */
  readonly limits: readonly Limit[]
}

/** Makes the plan of a policy. @throws PolicyError where the policy is wrong */
export async function exportPlan(policy: PolicyDocument | ResolvedPolicy): Promise<Plan> {
  const resolved = 'cells' in policy ? policy : resolvePolicy(policy)
  // The page is not there to be served, so its routes would be promises.
  const guard = createGuard({ ...resolved, cells: resolved.cells.map(withoutPosture) }, 'gateway', {
    trial: {},
  })
  // A page that Sallyport serves is not there without it.
  const gained = gainedRoutes(resolved.document)
  const routes = resolved.cells
    .filter(({ origin, id }) => origin === 'route' && !Object.hasOwn(gained, id))
    .sort(bySpecificity)
  const ordered = [...routes, resolved.cells.at(-2)!, resolved.cells.at(-1)!]
  const owned = new Map<string, string>()
  const cells = ordered.map((cell, index): PlanCell => {
    const { compiled } = guard.cells[resolved.cells.indexOf(cell)]!
    const headers = new Map<string, string>()
    for (const [name, value] of compiled.fixed.pairs) {
      if (name !== 'Cache-Control') headers.set(name, value)
      owned.set(name.toLowerCase(), name)
    }
    return {
      index,
      id: cell.id,
      origin: cell.origin,
      method: cell.method,
      segments: cell.pattern?.segments ?? [],
      headers,
      cache: cacheOf(cell),
      cors: corsOf(cell),
      maxBodyBytes: (cell.settings['request'] as RequestSetting).maxBodyBytes,
      owns: (name) => (compiled.names(name) & OWNED) !== 0,
    }
  })
  for (const name of stripped(ordered)) if (!owned.has(name)) owned.set(name, spelled(name))
  const base = cells.at(-2)!
  const request = ordered.at(-2)!.settings['request'] as RequestSetting
  return {
    name: (resolved.document.name ?? 'an API').replace(/[^\x20-\x7e]/g, '?'),
    digest: await digest(resolved.document),
    document: withoutPage(resolved.document),
    cells,
    default: base,
    strict: cells.at(-1)!,
    owned: [...owned.values()],
    encrypted: (ordered.at(-2)!.settings['transport'] as { tls?: string }).tls === 'here',
    request,
    refusesOddPaths: modeOf(ordered.at(-2)!, 'request') === 'enforce' && request.nonCanonical !== 'strict',
    limits: commonLimits(ordered),
  }
}

function withoutPosture(cell: ResolvedCell): ResolvedCell {
  const disclosure = cell.settings['disclosure'] as { posture?: unknown }
  return disclosure.posture
    ? { ...cell, settings: { ...cell.settings, disclosure: { ...disclosure, posture: false } } }
    : cell
}

function withoutPage(document: PolicyDocument): PolicyDocument {
  const { posture: _posture, ...disclosure } = document.disclosure ?? {}
  return document.disclosure === undefined ? document : { ...document, disclosure }
}

function modeOf(cell: ResolvedCell, control: string): Mode {
  return (cell.settings[control] as { mode?: Mode }).mode ?? 'enforce'
}

// A word beats a parameter beats a wildcard, segment by segment; then a method beats every method.
const RANK = { static: 0, param: 1, wildcard: 2 } as const

function bySpecificity(a: ResolvedCell, b: ResolvedCell): number {
  const [left, right] = [a.pattern!.segments, b.pattern!.segments]
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const [x, y] = [left[i], right[i]]
    // `/x` before `/x/*`: the bare path is the weakest that a wildcard covers.
    if (x === undefined || y === undefined) return x === undefined ? (y ? -1 : 0) : 1
    const difference = RANK[x.kind] - RANK[y.kind]
    if (difference !== 0) return difference
  }
  // HEAD goes where GET goes unless it has a route of its own.
  const rank = ({ method }: ResolvedCell) => (method === 'HEAD' ? 0 : method === undefined ? 2 : 1)
  return rank(a) - rank(b)
}

function cacheOf(cell: ResolvedCell): PlanCache | undefined {
  const setting = cell.settings['cache'] as CacheSetting
  if (modeOf(cell, 'cache') !== 'enforce') return undefined
  return {
    value: classValue(cell, setting),
    shareable: cell.data === 'public' || cell.data === 'asset',
    anonymous: cell.credentials === 'none',
    delegated: setting.owner === 'handler' && (setting.floor ?? 'none') === 'none',
  }
}

function corsOf(cell: ResolvedCell): PlanCors | undefined {
  const full = fullSetting(cell.settings['cors'] as CorsSetting)
  if (full === undefined || modeOf(cell, 'cors') !== 'enforce') return undefined
  const listed = full.origins.map(parseOrigin).flatMap((origin) => (isOriginFault(origin) ? [] : [origin]))
  return {
    exact: listed.filter(({ isPattern }) => !isPattern).map(({ text }) => text),
    patterns: listed
      .filter(({ isPattern }) => isPattern)
      .map(({ scheme, host, port }) => {
        const label = '[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?'
        const suffix = host.replaceAll('.', '[.]')
        return `${scheme}://(?:${label}[.])+${suffix}${port === '' ? '' : `:${port}`}`
      }),
    open: isOpen(full, cell),
    expose: full.exposeHeaders.join(', '),
    preflight: [
      ['Access-Control-Allow-Methods', full.allowMethods.join(', ')] as const,
      ['Access-Control-Allow-Headers', full.allowHeaders.join(', ')] as const,
      ['Access-Control-Max-Age', String(full.maxAgeSeconds)] as const,
    ].filter(([, value]) => value !== ''),
  }
}

function stripped(cells: readonly ResolvedCell[]): readonly string[] {
  const names = new Set<string>()
  for (const cell of cells) {
    if (modeOf(cell, 'headers') !== 'enforce') continue
    const { strip } = cell.settings['headers'] as { strip?: Record<string, string | false> | false }
    for (const [name, reason] of Object.entries(strip || {})) if (reason !== false) names.add(name)
  }
  return [...names]
}

function spelled(name: string): string {
  return name.replace(/(?:^|-)[a-z]/g, (start) => start.toUpperCase())
}

// Said once for every platform: what needs a program that sees each request.
function commonLimits(cells: readonly ResolvedCell[]): readonly Limit[] {
  const some = (control: string, has: (setting: Record<string, unknown>) => boolean) =>
    cells.some(
      (cell) => modeOf(cell, control) !== 'off' && has(cell.settings[control] as Record<string, unknown>),
    )
  const limits: Limit[] = []
  const say = (control: string, what: string) => limits.push({ control, what })
  if (some('client', () => true))
    say('client', 'Request ids and trace contexts are not made, and forwarded addresses not judged.')
  if (some('errors', () => true))
    say(
      'errors',
      'Errors keep the body that the application or the platform writes; problem documents are not made.',
    )
  if (
    some('disclosure', (setting) =>
      Object.values(setting).some((value) => typeof value === 'object' || value === 'public'),
    )
  )
    say('disclosure', 'security.txt, the disclosure policy and the posture page are not served.')
  if (some('request', () => true))
    say(
      'request',
      'Duplicate fields, ambiguous framing and Host forms are judged by the platform’s own parser.',
    )
  if (
    cells.some(
      (cell) =>
        modeOf(cell, 'access') !== 'off' &&
        requirementOf(cell.settings['access'] as AccessSetting, cell).level !== 'open',
    )
  )
    say('access', 'Nobody is asked who calls: every route is as open as the application leaves it.')
  if (some('lockout', (setting) => setting['name'] !== undefined))
    say('lockout', 'Guesses at passwords and codes are not counted: that needs the body and a memory.')
  if (some('headers', (setting) => JSON.stringify(setting).includes("'nonce'")))
    say('headers', 'A nonce of a Content-Security-Policy can’t be made; the token is left out.')
  for (const [control, title] of [
    ['headers', 'headers'],
    ['cache', 'caching'],
    ['cors', 'cross-origin rules'],
    ['transport', 'transport'],
  ] as const)
    if (cells.some((cell) => modeOf(cell, control) === 'report'))
      say(control, `What would have been done about ${title} is not counted: report mode needs Sallyport.`)
  return limits
}
