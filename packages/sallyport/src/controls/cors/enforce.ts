// Decides what a page of an origin may do, and puts the decision on every answer. What the browser does with it is
// the Fetch standard's; the steps are cited where they are decided: https://fetch.spec.whatwg.org/

import type { CellInfo } from '../../guard/cell.ts'
import type { Denial, EmitStage, Stage, Verdict } from '../../guard/control.ts'
import type { Exchange } from '../../guard/exchange.ts'
import { joinLines, type Lines, lines, NO_LINES } from '../../guard/lines.ts'
import { compilePatterns } from './matcher.ts'
import { isOriginFault, type ListedOrigin, parseOrigin } from './origin.ts'
import { type CorsSetting, type FullCorsSetting, fullSetting, isOpen } from './setting.ts'

/** The names that only the policy sets, once it says anything about origins. */
export const OWNED = [
  'access-control-allow-origin',
  'access-control-allow-credentials',
  'access-control-allow-methods',
  'access-control-allow-headers',
  'access-control-expose-headers',
  'access-control-max-age',
  'access-control-allow-private-network',
] as const

const DENIED: Denial = { kind: 'deny', code: 'origin_not_allowed' }
// Its lines come by `emit`, as on every other answer.
const ALLOWED = { kind: 'answer', status: 204, headers: NO_LINES, body: '' } as const

/** What an origin of one class is granted. */
interface Grant {
  /** On answers to requests. */
  readonly actual: (origin: string) => Lines
  /** On the answer to a preflight. */
  readonly preflight: (origin: string) => Lines
}

/** The grant of an origin; `undefined` where it has none. */
type Decide = (origin: string) => Grant | undefined

export function compileCors(setting: CorsSetting, cell: CellInfo): Stage {
  const full = fullSetting(setting)
  // Without a word on origins the application answers for them; but no answer can keep a page from a WebSocket.
  if (!full) return { admit: (exchange) => (isForeignSocket(exchange) ? DENIED : undefined) }
  const listed = full.origins.map(parseOrigin).filter((origin) => !isOriginFault(origin)) as ListedOrigin[]
  const everybody = isOpen(full, cell) ? anonymousGrant(full) : undefined
  const decide: Decide = listed.length === 0 ? () => everybody : byOrigin(full, listed, everybody)
  return {
    admit:
      setting.mode === 'report' ? reportOnly(decide) : judge(decide, everybody, cell.origin === 'strict'),
    emit: emitStage(decide, listed.length > 0, everybody),
  }
}

function judge(
  decide: Decide,
  everybody: Grant | undefined,
  isStrict: boolean,
): (exchange: Exchange) => Verdict {
  return function admitOrigin(exchange) {
    // Fetch, "CORS request": one that has an Origin header. All others are not ours to judge.
    const origin = exchange.header('origin')
    if (origin === undefined) return undefined
    const grant = decide(origin)
    if (grant === undefined && isForeignSocket(exchange)) return DENIED
    if (isPreflight(exchange))
      // "CORS-preflight fetch", steps 7 and 8: a status that is not ok, without any grant, ends in a network error.
      return grant === undefined ? DENIED : ALLOWED
    // A page that may call without cookies must not act with them either, whatever the browser sends along. Nor may any
    // other where the path has two readings, since one of them may be a place where cookies are ignored.
    if ((isStrict || (grant !== undefined && grant === everybody)) && !isSameOrigin(exchange))
      exchange.cookiesIgnored = true
    return undefined
  }
}

// What is only reported must not change a request: no answer of ours, no cookies dropped.
function reportOnly(decide: Decide): (exchange: Exchange) => Verdict {
  return function reportOrigin(exchange) {
    const origin = exchange.header('origin')
    if (origin === undefined || decide(origin) !== undefined) return undefined
    return isPreflight(exchange) || isForeignSocket(exchange) ? DENIED : undefined
  }
}

// A WebSocket opens without a preflight, with cookies, and no browser asks whether its page may read what comes: the
// server alone can refuse (RFC 6455, section 10.2). A page of this very host asks across no origins.
function isForeignSocket(exchange: Exchange): boolean {
  if (!exchange.webSocket) return false
  const origin = exchange.header('origin')
  if (origin === undefined || isSameOrigin(exchange)) return false
  const { host = '', scheme } = exchange.client
  const own = host.toLowerCase()
  return origin !== `https://${own}` && (scheme === 'https' || origin !== `http://${own}`)
}

// Pages can't set Sec-Fetch-Site (a forbidden request-header), and it speaks of every redirect on the way: where a
// browser says "same-origin" the request crosses no origins, though browsers send Origin with every POST.
function isSameOrigin(exchange: Exchange): boolean {
  return exchange.header('sec-fetch-site') === 'same-origin'
}

// Fetch, "CORS-preflight request": OPTIONS with Origin and Access-Control-Request-Method. Every other OPTIONS is the
// application's.
function isPreflight(exchange: Exchange): boolean {
  return (
    exchange.incoming.method === 'OPTIONS' &&
    exchange.header('access-control-request-method') !== undefined &&
    exchange.header('origin') !== undefined
  )
}

function emitStage(decide: Decide, byOrigin: boolean, everybody: Grant | undefined): EmitStage {
  if (!byOrigin) {
    // Nobody is granted anything: no line of these names, whoever asks.
    if (everybody === undefined) return { owns: OWNED }
    // The same for everybody: the answer does not depend on Origin, so no Vary, and no Origin is needed.
    return { owns: OWNED, perAnswer: (exchange, status) => linesFor(everybody, exchange, status, '') }
  }
  return {
    owns: OWNED,
    // Fetch, "CORS protocol and HTTP caches": also on answers to requests without Origin, and on refusals.
    vary: ['Origin'],
    perAnswer(exchange, status) {
      const origin = exchange.header('origin')
      if (origin === undefined) return NO_LINES
      const grant = decide(origin)
      return grant === undefined ? NO_LINES : linesFor(grant, exchange, status, origin)
    },
  }
}

// A preflight that another control refused is an answer like any other; the browser stops at its status.
function linesFor(grant: Grant, exchange: Exchange, status: number, origin: string): Lines {
  return status >= 200 && status <= 299 && isPreflight(exchange)
    ? grant.preflight(origin)
    : grant.actual(origin)
}

function byOrigin(
  full: FullCorsSetting,
  listed: readonly ListedOrigin[],
  everybody: Grant | undefined,
): Decide {
  const ofPattern = patternGrant(full)
  const exact = new Map<string, Grant>()
  for (const { text, isPattern } of listed)
    if (!isPattern) exact.set(text, fixedGrant(ofPattern.actual(text), ofPattern.preflight(text)))
  const matches = compilePatterns(listed)
  // A request is asked for twice, when it is judged and when it is answered, and most come from the same page.
  let lastOrigin: string | undefined
  let lastGrant: Grant | undefined
  return function decideByOrigin(origin) {
    if (origin !== lastOrigin) {
      // Whoever is in neither is "null", a look-alike or anybody else.
      lastGrant = exact.get(origin) ?? (matches(origin) ? ofPattern : everybody)
      lastOrigin = origin
    }
    return lastGrant
  }
}

function fixedGrant(actual: Lines, preflight: Lines): Grant {
  return { actual: () => actual, preflight: () => preflight }
}

// "CORS check", steps 4, 6 and 7: the very origin, and `true`. The lines are made for each answer, for the origins are
// as many as callers care to invent. They need no check: the origin is one that was listed, or labels below one.
function patternGrant(full: FullCorsSetting): Grant {
  const after = (tail: Lines) => {
    const rest = joinLines(lines([['Access-Control-Allow-Credentials', 'true']]), tail)
    return (origin: string): Lines => ({
      pairs: [['Access-Control-Allow-Origin', origin], ...rest.pairs],
      wire: `Access-Control-Allow-Origin: ${origin}\r\n${rest.wire}`,
      once: true,
    })
  }
  return { actual: after(actualTail(full)), preflight: after(preflightTail(full)) }
}

// "CORS check", step 3: `*` is enough without credentials; with credentials step 4 fails, as it must.
function anonymousGrant(full: FullCorsSetting): Grant {
  const star = lines([['Access-Control-Allow-Origin', '*']])
  return fixedGrant(joinLines(star, actualTail(full)), joinLines(star, preflightTail(full)))
}

function actualTail(full: FullCorsSetting): Lines {
  return listLine('Access-Control-Expose-Headers', full.exposeHeaders)
}

// "CORS-preflight fetch", steps 7.1, 7.2 and 7.8: the whole lists, whatever was asked for, so that one answer serves
// every later request.
function preflightTail(full: FullCorsSetting): Lines {
  return joinLines(
    listLine('Access-Control-Allow-Methods', full.allowMethods),
    listLine('Access-Control-Allow-Headers', full.allowHeaders),
    lines([['Access-Control-Max-Age', String(full.maxAgeSeconds)]]),
  )
}

function listLine(name: string, values: readonly string[]): Lines {
  return values.length === 0 ? NO_LINES : lines([[name, values.join(', ')]])
}
