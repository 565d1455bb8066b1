// The response of node:http whose head is written under the policy. Every answer that Node makes after parsing goes
// through `writeHead` and `_storeHeader`: handlers', frameworks', and Node's own 400, 417 and 503.

import { type IncomingMessage, type Server, ServerResponse } from 'node:http'
import type { Exchange } from '../../guard/exchange.ts'
import type { Guard } from '../../guard/guard.ts'
import { emit, type NodeHeaders, plainStatusLine } from './emit.ts'
import { NodeIncoming } from './incoming.ts'

const guards = new WeakMap<object, Guard>()

/** Remembers which guard a server's answers are written under. */
export function setGuard(server: Server, guard: Guard): void {
  guards.set(server, guard)
}

/** The guard of a server, where it has one. */
export function guardOf(server: object): Guard | undefined {
  return guards.get(server)
}

const EXCHANGE = Symbol('sallyport.exchange')
const REPLACEMENT = Symbol('sallyport.replacement')

// Underscore methods that have kept name and signature since Node 0.x; proved at start-up by `fastPath`.
interface Internals {
  _storeHeader(firstLine: string, headers: NodeHeaders): void
  _implicitHeader(): void
  readonly _header: string | null
}

/** The exchange of a response, once the guard has seen its request. */
export function exchangeOf(response: object): Exchange | undefined {
  return (response as { [EXCHANGE]?: Exchange })[EXCHANGE]
}

/** True once a head is written whose body is the policy's own: what the application writes is dropped, `end` sends ours. */
export function isBodyReplaced(response: object): boolean {
  return (response as { [REPLACEMENT]?: string })[REPLACEMENT] !== undefined
}

export function setExchange(response: object, exchange: Exchange): void {
  ;(response as { [EXCHANGE]?: Exchange })[EXCHANGE] = exchange
}

function ensureExchange(response: ServerResponse): Exchange | undefined {
  const known = exchangeOf(response)
  if (known) return known
  // Node answered by itself before any listener ran.
  const server = (response.req?.socket as { server?: object } | undefined)?.server
  const guard = server && guards.get(server)
  if (!guard) return undefined
  const exchange = guard.open(new NodeIncoming(response.req))
  exchange.answeredByGuard = true
  setExchange(response, exchange)
  return exchange
}

type Callback = (error?: Error | null) => void

/** A response that carries the policy, whatever the application does to its headers. */
export class GuardedResponse<
  Request extends IncomingMessage = IncomingMessage,
> extends ServerResponse<Request> {
  [EXCHANGE]: Exchange | undefined = undefined;
  [REPLACEMENT]: string | undefined = undefined

  _storeHeader(firstLine: string, headers: NodeHeaders): void {
    const exchange = ensureExchange(this)
    const store = (ServerResponse.prototype as unknown as Internals)._storeHeader
    if (!exchange || !FAST) {
      store.call(this, firstLine, headers)
      return
    }
    const emission = emit(exchange, this.statusCode, headers, isTable(this, headers))
    this[REPLACEMENT] = emission.body
    const line = emission.body === undefined ? firstLine : plainStatusLine(this.statusCode)
    store.call(this, line + emission.wire, emission.headers)
  }

  // Only where this Node has no usable `_storeHeader`: the same by the public way, at a higher price.
  override writeHead(status: number, ...rest: unknown[]): this {
    if (FAST) return super.writeHead(status, ...(rest as [never]))
    const exchange = ensureExchange(this)
    const own = (typeof rest[0] === 'string' ? rest[1] : (rest[0] ?? rest[1])) as NodeHeaders
    if (!exchange) return super.writeHead(status, ...(rest as [never]))
    const pairs: unknown[] = []
    for (const name of (this as unknown as { getRawHeaderNames(): string[] }).getRawHeaderNames())
      pairs.push(name, this.getHeader(name))
    for (const name of this.getHeaderNames()) this.removeHeader(name)
    const given = Array.isArray(own) ? own.flat(1) : Object.entries(own ?? {}).flat(1)
    const emission = emit(exchange, status, replaceNames(pairs, given), false)
    this[REPLACEMENT] = emission.body
    const flat = [...(emission.headers as unknown[])]
    for (const line of emission.wire.split('\r\n')) {
      const colon = line.indexOf(':')
      if (colon > 0) flat.push(line.slice(0, colon), line.slice(colon + 2))
    }
    const reason = emission.body === undefined && typeof rest[0] === 'string' ? [rest[0]] : []
    if (emission.body !== undefined) this.statusMessage = ''
    return super.writeHead(status, ...(reason as [string]), flat as string[])
  }

  override write(chunk: unknown, encoding?: BufferEncoding | Callback, callback?: Callback): boolean {
    if (this.statusCode >= 400 && this.replaces()) {
      const done = typeof encoding === 'function' ? encoding : callback
      if (done) process.nextTick(done)
      return true
    }
    return super.write(chunk, encoding as BufferEncoding, callback)
  }

  override end(chunk?: unknown, encoding?: BufferEncoding | (() => void), callback?: () => void): this {
    if (this.statusCode >= 400 && this.replaces()) {
      const done = [chunk, encoding, callback].find((value) => typeof value === 'function') as
        | (() => void)
        | undefined
      return super.end(this[REPLACEMENT] ?? '', done)
    }
    return super.end(chunk, encoding as BufferEncoding, callback)
  }

  override addTrailers(trailers: Parameters<ServerResponse['addTrailers']>[0]): void {
    const exchange = exchangeOf(this)
    const entries = Array.isArray(trailers) ? trailers : Object.entries(trailers ?? {})
    // A trailer that a client merges into the head must not stand against the policy.
    super.addTrailers(
      entries.filter(([name]) => exchange?.cell.compiled.names(String(name)) !== 1) as [string, string][],
    )
  }

  private replaces(): boolean {
    if (!exchangeOf(this)?.cell.compiled.replaceBody) return false
    const internals = this as unknown as Internals
    if (!internals._header) internals._implicitHeader()
    return this[REPLACEMENT] !== undefined
  }
}

// Names given to writeHead replace those set before, as Node itself does it.
function replaceNames(before: readonly unknown[], given: readonly unknown[]): unknown[] {
  const names = new Set<string>()
  for (let i = 0; i < given.length; i += 2) names.add(String(given[i]).toLowerCase())
  const kept: unknown[] = []
  for (let i = 0; i < before.length; i += 2)
    if (!names.has(String(before[i]).toLowerCase())) kept.push(before[i], before[i + 1])
  return [...kept, ...given]
}

function dummy(): ServerResponse {
  return new ServerResponse({ method: 'GET', httpVersionMajor: 1, httpVersionMinor: 1 } as IncomingMessage)
}

const TABLE = Object.getOwnPropertySymbols(dummy()).find((symbol) => symbol.description === 'kOutHeaders')

function isTable(response: ServerResponse, headers: NodeHeaders): boolean {
  return headers !== undefined && headers === (response as unknown as Record<symbol, unknown>)[TABLE!]
}

/**
 * Proves on a dummy response that Node still writes a head the way the fast path relies on: what is handed to
 * `_storeHeader` after the status line stands in the head once, and the table of set headers is the one we read.
 */
function fastPath(): boolean {
  try {
    if (TABLE === undefined) return false
    let sawTable = false
    class Probe extends ServerResponse {
      _storeHeader(firstLine: string, headers: NodeHeaders): void {
        sawTable = headers === (this as unknown as Record<symbol, unknown>)[TABLE!]
        delete (headers as Record<string, unknown>)['x-removed']
        ;(ServerResponse.prototype as unknown as Internals)._storeHeader.call(
          this,
          `${firstLine}X-Probe: 1\r\n`,
          headers,
        )
      }
    }
    const probe = new Probe({ method: 'GET', httpVersionMajor: 1, httpVersionMinor: 1 } as IncomingMessage)
    probe.setHeader('X-Kept', 'yes')
    probe.setHeader('X-Removed', 'no')
    probe.writeHead(200)
    const head = (probe as unknown as Internals)._header ?? ''
    return (
      sawTable &&
      head.startsWith('HTTP/1.1 200 OK\r\nX-Probe: 1\r\n') &&
      head.includes('X-Kept: yes\r\n') &&
      !head.includes('X-Removed')
    )
  } catch {
    return false
  }
}

// The environment variable lets the tests run the public way on a Node that has the fast one.
const FAST = process.env.SALLYPORT_PUBLIC_API_ONLY !== '1' && fastPath()

/** True where heads are written by the fast path. */
export const usesFastPath: boolean = FAST
