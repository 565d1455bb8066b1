// An answer's head on HTTP/2: the same lines, the same decisions as on HTTP/1.1 (see emit.ts), as the flat list that
// node:http2 takes, with names in small letters and without what belongs to one HTTP/1.1 connection.

import { PROBLEM_TYPE, problemBody } from '../../errors/problem-document.ts'
import { type CompiledCell, mergeVary, OWNED, PASS, VARY, WATCHED } from '../../guard/compile.ts'
import type { Seen } from '../../guard/control.ts'
import { staysOnReplaced } from '../../guard/emission.ts'
import type { Exchange } from '../../guard/exchange.ts'
import type { Lines } from '../../guard/lines.ts'
import { warnOfFailure } from './emit.ts'

/** A head to send, and the body that replaces the application's where one does. */
export interface Http2Emission {
  readonly status: number
  /** Names and values in turn, the names in small letters; without `:status`. */
  readonly headers: string[]
  readonly body: string | undefined
  /** True where the application, or the guard, wants nothing more to come after this answer. */
  readonly close: boolean
}

// RFC 9113, section 8.2.2, with the names that older programs treat the same way: framing is the protocol's own here.
const CONNECTION_SPECIFIC: ReadonlySet<string> = new Set([
  'connection',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
])

const NOTHING_SEEN: Seen = { get: () => undefined }

/**
 * Works out an answer's head.
 *
 * @param given the application's names and values in turn
 */
export function emitHttp2(exchange: Exchange, status: number, given: readonly unknown[]): Http2Emission {
  const { compiled } = exchange.cell
  const taken = take(compiled, given)
  const headers: string[] = []
  let code = undefined as ReturnType<NonNullable<CompiledCell['replaceBody']>>
  try {
    if (!exchange.answeredByGuard) code = compiled.replaceBody?.(status, taken.seen)
    pushLines(headers, compiled.fixed)
    for (const line of compiled.perAnswer) pushLines(headers, line(exchange, status, taken.seen))
  } catch (error) {
    return emissionOfFailure(exchange, status, error)
  }
  if (taken.vary === undefined) pushLines(headers, compiled.varyLines)
  else headers.push('vary', mergeVary(taken.vary, compiled.vary))
  if (code === undefined) {
    for (const part of taken.headers) headers.push(part)
    return { status, headers, body: undefined, close: taken.close }
  }
  const body = problemBody(code, exchange.requestId, status)
  headers.push('content-type', PROBLEM_TYPE, 'content-length', String(Buffer.byteLength(body)))
  for (let i = 0; i < taken.headers.length; i += 2)
    if (staysOnReplaced(taken.headers[i]!)) headers.push(taken.headers[i]!, taken.headers[i + 1]!)
  return { status, headers, body, close: taken.close }
}

// A control that fails must not open the door: the answer is ours, with every line that could still be made, and
// nothing of the application's.
function emissionOfFailure(exchange: Exchange, status: number, error: unknown): Http2Emission {
  warnOfFailure(exchange, error)
  const { compiled } = exchange.cell
  const bodiless = status === 204 || status === 304
  const body = bodiless ? '' : problemBody('internal', exchange.requestId)
  const headers: string[] = []
  pushLines(headers, compiled.fixed)
  for (const line of compiled.perAnswer) {
    try {
      pushLines(headers, line(exchange, 500, NOTHING_SEEN))
    } catch {
      // Told already, or of the same kind.
    }
  }
  pushLines(headers, compiled.varyLines)
  if (!headers.includes('cache-control')) headers.push('cache-control', 'no-store')
  if (!bodiless) headers.push('content-type', PROBLEM_TYPE)
  headers.push('content-length', String(Buffer.byteLength(body)))
  return { status: 500, headers, body, close: true }
}

// Most lines are the same objects for every answer of a cell.
const lowered = new WeakMap<Lines, readonly string[]>()

function pushLines(headers: string[], lines: Lines): void {
  if (lines.pairs.length === 0) return
  let flat = lowered.get(lines)
  if (flat === undefined) {
    flat = lines.pairs.flatMap(([name, value]) => [name.toLowerCase(), value])
    lowered.set(lines, flat)
  }
  for (const part of flat) headers.push(part)
}

interface Taken {
  readonly headers: readonly string[]
  readonly seen: Seen
  readonly vary: string | undefined
  readonly close: boolean
}

function take({ names }: CompiledCell, given: readonly unknown[]): Taken {
  const headers: string[] = []
  let seen: Map<string, string> | undefined
  let vary: string | undefined
  let close = false
  for (let i = 0; i < given.length; i += 2) {
    const name = String(given[i]).toLowerCase()
    const value = given[i + 1]
    const bits = names(name)
    if (bits !== PASS) {
      const text = Array.isArray(value) ? value.join(', ') : String(value)
      if (bits & VARY) vary = vary === undefined ? text : `${vary}, ${text}`
      if (bits & WATCHED) {
        seen ??= new Map()
        const before = seen.get(name)
        seen.set(name, before === undefined ? text : `${before}, ${text}`)
      }
      if (bits & (OWNED | VARY)) continue
    }
    if (CONNECTION_SPECIFIC.has(name)) close ||= name === 'connection' && /\bclose\b/i.test(String(value))
    else if (Array.isArray(value)) for (const line of value) headers.push(name, String(line))
    else headers.push(name, String(value))
  }
  return { headers, seen: seen ?? NOTHING_SEEN, vary, close }
}
