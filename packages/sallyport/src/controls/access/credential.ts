// Which credential a request shows, and what is known of it. A key has been looked at before, by `keys`.

import type { CellInfo } from '../../guard/cell.ts'
import type { Needs } from '../../guard/control.ts'
import type { Exchange } from '../../guard/exchange.ts'
import type { Principal } from '../../guard/principal.ts'
import type { TokenSource } from '../../ports/tokens.ts'
import { createTokenVerifier } from '../../tokens/verifier.ts'
import type { AccessSetting } from './setting.ts'

/**
 * Who calls: a principal, `none` where no credential was shown, or why the one that was shown is not taken.
 * `ambiguous`: two were shown.
 */
export type Caller = Principal | 'none' | 'invalid' | 'unavailable' | 'ambiguous'

type Find = (exchange: Exchange) => Caller | Promise<Caller>

/** Reads the credentials that a cell takes. */
export function callerFinder(setting: AccessSetting, cell: CellInfo, needs: Needs): Find {
  const { services } = needs
  const takesBearer = cell.credentials === 'bearer' || cell.credentials === 'mixed'
  const tokens = takesBearer ? tokenSource(setting, needs) : undefined
  const cookie = cell.credentials === 'bearer' ? undefined : setting.sessions?.cookie
  const sessions = cookie === undefined ? undefined : services.sessions

  return function findCaller(exchange) {
    const { principal } = exchange
    const line = cookie === undefined || exchange.cookiesIgnored ? undefined : cookieLine(exchange)
    const cookies = line === undefined ? 0 : cookiesNamed(line, cookie!)
    const authorization = exchange.header('authorization')
    const bearer = bearerIn(authorization)
    // Two programs could take the request for two callers: neither of them is let in.
    if (cookies > 1 || (cookies > 0 && (principal ?? bearer) !== undefined)) return 'ambiguous'
    if (authorization !== undefined && linesOf(exchange, 'authorization') > 1) return 'ambiguous'
    if (principal)
      return principal.credential.kind === 'key' && bearer !== undefined && !isKeyShaped(bearer)
        ? 'ambiguous'
        : principal
    if (bearer !== undefined && takesBearer) {
      if (bearer === '' || isKeyShaped(bearer) || !tokens) return 'invalid'
      return settled(() => tokens.find(bearer))
    }
    if (cookies === 0) return 'none'
    return sessions ? settled(() => sessions.find(line!)) : 'unavailable'
  }
}

// One verifier for all cells of a guard: what it has found out is worth as much in each.
const verifiers = new WeakMap<Needs, Map<string, TokenSource>>()

function tokenSource({ tokens = [] }: AccessSetting, needs: Needs): TokenSource | undefined {
  if (tokens.length === 0) return undefined
  const known = verifiers.get(needs) ?? new Map<string, TokenSource>()
  verifiers.set(needs, known)
  const key = JSON.stringify(tokens)
  let found = known.get(key)
  if (found === undefined) {
    const { fetch = globalThis.fetch, secret = () => undefined, tokens: own } = needs.services
    found = createTokenVerifier(tokens, { fetch, clock: needs.clock, secret, tokens: own })
    known.set(key, found)
  }
  return found
}

type Answer = { readonly principal: Principal } | 'unknown' | 'unavailable'

// What fails has said nothing, and nobody comes in by that.
function settled(find: () => Answer | Promise<Answer>): Caller | Promise<Caller> {
  try {
    const answer = find()
    return answer instanceof Promise ? answer.then(callerOf, () => 'unavailable' as const) : callerOf(answer)
  } catch {
    return 'unavailable'
  }
}

function callerOf(answer: Answer): Caller {
  if (answer === 'unavailable') return answer
  return answer === 'unknown' ? 'invalid' : answer.principal
}

/** What stands behind `Bearer` (RFC 6750, section 2.1); `undefined` for other schemes, `''` for none of its form. */
function bearerIn(line: string | undefined): string | undefined {
  if (line === undefined) return undefined
  const match = /^bearer(?: +|$)/i.exec(line)
  if (!match) return undefined
  const token = line.slice(match[0].length)
  return /[\s,]/.test(token) ? '' : token
}

// Keys of any vendor: what looks like one and was not taken is refused, and never sent to an issuer.
function isKeyShaped(token: string): boolean {
  return /^[sp]k_/.test(token)
}

/** How many lines of a name came; none where the runtime hides them and has joined them itself. */
function linesOf({ incoming: { rawHeaders } }: Exchange, name: string): number {
  let count = 0
  for (let i = 0; i < rawHeaders.length; i += 2)
    if (rawHeaders[i]!.length === name.length && rawHeaders[i]!.toLowerCase() === name) count++
  return count
}

// Programs join the lines of Cookie, so what stands in the second counts as much as what stands in the first.
function cookieLine(exchange: Exchange): string | undefined {
  const first = exchange.header('cookie')
  if (first === undefined || linesOf(exchange, 'cookie') <= 1) return first
  const { rawHeaders } = exchange.incoming
  return rawHeaders.filter((_, i) => i % 2 === 1 && rawHeaders[i - 1]!.toLowerCase() === 'cookie').join('; ')
}

/** How often the cookie stands in the request: programs differ on which of two they take. */
function cookiesNamed(line: string, name: string): number {
  if (!line.includes(name)) return 0
  let count = 0
  for (const part of line.split(';')) {
    const equals = part.indexOf('=')
    if (equals > 0 && part.slice(0, equals).trim() === name) count++
  }
  return count
}
