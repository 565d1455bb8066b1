// Puts a cell's lines on an answer of node:http: removes what the policy owns, merges Vary, decides on the body.

import { STATUS_CODES } from 'node:http'
import { PROBLEM_TYPE, problemBody } from '../../errors/problem-document.ts'
import { type CompiledCell, mergeVary, OWNED, PASS, VARY, WATCHED } from '../../guard/compile.ts'
import type { Seen } from '../../guard/control.ts'
import { staysOnReplaced } from '../../guard/emission.ts'
import type { Exchange } from '../../guard/exchange.ts'

/** The forms in which Node hands over headers: its own table, a flat or nested list, a caller's object. */
export type NodeHeaders = Record<string, unknown> | readonly unknown[] | undefined

/** The head to send, and the body that replaces the application's where one does. */
export interface Emission {
  readonly wire: string
  readonly headers: NodeHeaders
  /** `undefined` where the application's body stands. */
  readonly body: string | undefined
}

const NOTHING_SEEN: Seen = { get: () => undefined }

/**
 * Works out an answer's head.
 *
 * @param table Node's own table (name → [name, value]) where the headers came by `setHeader`; changed in place
 */
export function emit(exchange: Exchange, status: number, headers: NodeHeaders, isTable: boolean): Emission {
  const { compiled } = exchange.cell
  const found = take(compiled, headers, isTable)
  const seen = found.seen ?? NOTHING_SEEN
  const code = exchange.answeredByGuard ? undefined : compiled.replaceBody?.(status, seen)
  let wire = compiled.fixed.wire
  for (const line of compiled.perAnswer) wire += line(exchange, status, seen).wire
  if (found.vary === undefined) wire += compiled.varyLines.wire
  else wire += `Vary: ${mergeVary(found.vary, compiled.vary)}\r\n`
  if (code === undefined) return { wire, headers: found.headers, body: undefined }
  const body = problemBody(code, exchange.requestId, status)
  wire += `Content-Type: ${PROBLEM_TYPE}\r\n`
  return { wire, headers: keepSafe(found.headers, isTable, Buffer.byteLength(body)), body }
}

/** The status line without an application's own reason phrase. */
export function plainStatusLine(status: number): string {
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'unknown'}\r\n`
}

interface Taken {
  readonly headers: NodeHeaders
  readonly vary: string | undefined
  readonly seen: Map<string, string> | undefined
}

function take(compiled: CompiledCell, headers: NodeHeaders, isTable: boolean): Taken {
  if (headers === undefined || headers === null) return { headers, vary: undefined, seen: undefined }
  const { names } = compiled
  let vary: string | undefined
  let seen: Map<string, string> | undefined
  const note = (name: string, bits: number, value: unknown): boolean => {
    const text = Array.isArray(value) ? value.join(', ') : String(value)
    if (bits & VARY) vary = vary === undefined ? text : `${vary}, ${text}`
    if (bits & WATCHED) {
      seen ??= new Map()
      const lower = name.toLowerCase()
      const before = seen.get(lower)
      seen.set(lower, before === undefined ? text : `${before}, ${text}`)
    }
    return (bits & (OWNED | VARY)) !== 0
  }

  if (isTable) {
    const table = headers as Record<string, [string, unknown]>
    for (const key in table) {
      const bits = names(key)
      if (bits !== PASS && note(key, bits, table[key]![1])) delete table[key]
    }
    return { headers, vary, seen }
  }
  if (Array.isArray(headers)) {
    const flat: readonly unknown[] = Array.isArray(headers[0]) ? headers.flat(1) : headers
    let kept: unknown[] | undefined
    for (let i = 0; i < flat.length; i += 2) {
      const name = String(flat[i])
      const bits = names(name)
      if (bits !== PASS && note(name, bits, flat[i + 1])) kept ??= flat.slice(0, i)
      else kept?.push(flat[i], flat[i + 1])
    }
    return { headers: kept ?? headers, vary, seen }
  }
  const object = headers as Record<string, unknown>
  let dropped = false
  for (const key in object) {
    const bits = names(key)
    if (bits !== PASS && note(key, bits, object[key]) && !dropped) dropped = true
  }
  if (!dropped) return { headers, vary, seen }
  const kept: Record<string, unknown> = {}
  for (const key of Object.keys(object)) if ((names(key) & (OWNED | VARY)) === 0) kept[key] = object[key]
  return { headers: kept, vary, seen }
}

function keepSafe(headers: NodeHeaders, isTable: boolean, bytes: number): NodeHeaders {
  if (isTable) {
    const table = headers as Record<string, [string, unknown]>
    for (const key in table) if (!staysOnReplaced(key)) delete table[key]
    table['content-length'] = ['Content-Length', String(bytes)]
    return table
  }
  const kept: unknown[] = ['Content-Length', String(bytes)]
  const pairs: readonly unknown[] = Array.isArray(headers)
    ? headers.flat(1)
    : Object.entries(headers ?? {}).flat(1)
  for (let i = 0; i < pairs.length; i += 2)
    if (staysOnReplaced(String(pairs[i]))) kept.push(pairs[i], pairs[i + 1])
  return kept
}
