// Puts a cell's lines on an answer of node:http: removes what the policy owns, merges Vary, decides on the body.

import type { ErrorCode } from '../../errors/catalogue.ts'
import { PROBLEM_TYPE, problemBody } from '../../errors/problem-document.ts'
import { type CompiledCell, mergeVary, OWNED, PASS, VARY, WATCHED } from '../../guard/compile.ts'
import type { Seen } from '../../guard/control.ts'
import { staysOnReplaced } from '../../guard/emission.ts'
import type { Exchange } from '../../guard/exchange.ts'
import type { NodeHeaders } from './fast-path.ts'
import { http } from './http.ts'

/** The head to send, and the body that replaces the application's where one does. */
export interface Emission {
  /** The application's own, but where a control failed. */
  readonly status: number
  readonly wire: string
  readonly headers: NodeHeaders
  /** `undefined` where the application's body stands. */
  readonly body: string | undefined
}

const NOTHING_SEEN: Seen = { get: () => undefined }

/**
 * Works out an answer's head.
 *
 * @param isTable true for Node's own table (name → [name, value]) where the headers came by `setHeader`; it is changed in place
 * @param ownCode the code of an answer that Node gives by itself, without a body
 * @throws TypeError as Node does, for a value of `Vary` that could break out of its line
 */
export function emit(
  exchange: Exchange,
  status: number,
  headers: NodeHeaders,
  isTable: boolean,
  ownCode?: ErrorCode,
): Emission {
  const { compiled } = exchange.cell
  const noted = take(compiled, headers, isTable)
  const seen = noted?.seen ?? NOTHING_SEEN
  const vary = noted?.vary === undefined ? undefined : `Vary: ${mergeVary(noted.vary, compiled.vary)}\r\n`
  const kept = noted === undefined ? headers : noted.kept
  let wire: string
  let code = ownCode
  try {
    if (!exchange.answeredByGuard) code ??= compiled.replaceBody?.(status, seen)
    wire = compiled.joined.of(compiled, exchange, status, seen, vary)
  } catch (error) {
    return emissionOfFailure(exchange, status, error)
  }
  if (code === undefined) return { status, wire, headers: kept, body: undefined }
  const body = problemBody(code, exchange.requestId, status)
  wire += `Content-Type: ${PROBLEM_TYPE}\r\n`
  return { status, wire, headers: keepSafe(kept, isTable, Buffer.byteLength(body)), body }
}

/** The lines of an answer that no application has a part in. */
export function ownWire(exchange: Exchange, status: number): string {
  const { compiled } = exchange.cell
  let wire = compiled.fixed.wire
  for (const line of compiled.perAnswer) {
    try {
      wire += line(exchange, status, NOTHING_SEEN).wire
    } catch (error) {
      warnOfFailure(exchange, error)
    }
  }
  return wire + compiled.varyLines.wire
}

// A control that fails must not open the door: the answer is ours, with every line that could still be made, and
// nothing of the application's.
function emissionOfFailure(exchange: Exchange, status: number, error: unknown): Emission {
  warnOfFailure(exchange, error)
  const bodiless = status === 204 || status === 304
  const body = bodiless ? '' : problemBody('internal', exchange.requestId)
  let wire = ownWire(exchange, 500)
  if (!/^cache-control:/im.test(wire)) wire += 'Cache-Control: no-store\r\n'
  if (!bodiless) wire += `Content-Type: ${PROBLEM_TYPE}\r\n`
  const headers = ['Content-Length', String(Buffer.byteLength(body)), 'Connection', 'close']
  return { status: 500, wire, headers, body }
}

/** Tells that a control failed. The message may hold what a caller sent, so only the kind of error is told. */
export function warnOfFailure(exchange: Exchange, error: unknown): void {
  const kind = error instanceof Error ? error.name : typeof error
  process.emitWarning(
    `a control failed in the cell ${JSON.stringify(exchange.cell.id)} with ${kind}; the caller received 500`,
    { type: 'SallyportWarning', code: 'SALLYPORT_CONTROL_FAILED' },
  )
}

/** The status line without an application's own reason phrase. */
export function plainStatusLine(status: number): string {
  return `HTTP/1.1 ${status} ${http().STATUS_CODES[status] ?? 'unknown'}\r\n`
}

/** Names and values in turn, from a flat list, a nested list or an object; a value may be a list of lines. */
export function flatHeaders(headers: NodeHeaders): readonly unknown[] {
  if (headers === undefined || headers === null) return []
  if (!Array.isArray(headers)) return Object.entries(headers).flat(1)
  return Array.isArray(headers[0]) ? headers.flat(1) : headers
}

// What the policy wants to know of the application's headers; most answers have nothing of it.
class Noted {
  /** The headers without those that are not sent as they are. */
  kept: NodeHeaders
  vary: string | undefined = undefined
  seen: Map<string, string> | undefined = undefined

  constructor(headers: NodeHeaders) {
    this.kept = headers
  }

  /** Takes one header; true where it is not sent as it is. */
  take(name: string, bits: number, value: unknown): boolean {
    const text = Array.isArray(value) ? value.join(', ') : String(value)
    if (bits & VARY) {
      // Merged, it is written past Node's own check.
      http().validateHeaderValue(name, value === undefined ? (value as never) : text)
      this.vary = this.vary === undefined ? text : `${this.vary}, ${text}`
    }
    if (bits & WATCHED) {
      this.seen ??= new Map()
      const lower = name.toLowerCase()
      const before = this.seen.get(lower)
      this.seen.set(lower, before === undefined ? text : `${before}, ${text}`)
    }
    return (bits & (OWNED | VARY)) !== 0
  }
}

/** Takes out of an application's headers what the policy sets; `undefined` where there is nothing of it. */
function take({ names }: CompiledCell, headers: NodeHeaders, isTable: boolean): Noted | undefined {
  if (headers === undefined || headers === null) return undefined
  let noted: Noted | undefined
  if (isTable) {
    const table = headers as Record<string, [string, unknown]>
    for (const key in table) {
      const bits = names(key)
      if (bits === PASS) continue
      noted ??= new Noted(headers)
      if (noted.take(key, bits, table[key]![1])) delete table[key]
    }
    return noted
  }
  if (Array.isArray(headers)) {
    const flat = flatHeaders(headers)
    let kept: unknown[] | undefined
    for (let i = 0; i < flat.length; i += 2) {
      const name = String(flat[i])
      const bits = names(name)
      if (bits !== PASS) noted ??= new Noted(headers)
      if (bits !== PASS && noted!.take(name, bits, flat[i + 1])) kept ??= flat.slice(0, i)
      else kept?.push(flat[i], flat[i + 1])
    }
    if (kept) noted!.kept = kept
    return noted
  }
  const object = headers as Record<string, unknown>
  let kept: Record<string, unknown> | undefined
  for (const key in object) {
    const bits = names(key)
    if (bits === PASS || !Object.hasOwn(object, key)) continue
    noted ??= new Noted(headers)
    if (noted.take(key, bits, object[key])) {
      kept ??= { ...object }
      delete kept[key]
    }
  }
  if (kept) noted!.kept = kept
  return noted
}

function keepSafe(headers: NodeHeaders, isTable: boolean, bytes: number): NodeHeaders {
  if (isTable) {
    const table = headers as Record<string, [string, unknown]>
    for (const key in table) if (!staysOnReplaced(key)) delete table[key]
    table['content-length'] = ['Content-Length', String(bytes)]
    return table
  }
  const kept: unknown[] = ['Content-Length', String(bytes)]
  const pairs = flatHeaders(headers)
  for (let i = 0; i < pairs.length; i += 2)
    if (staysOnReplaced(String(pairs[i]))) kept.push(pairs[i], pairs[i + 1])
  return kept
}
