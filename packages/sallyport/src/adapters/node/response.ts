// The response of node:http whose head is written under the policy. Every answer that Node makes after parsing goes
// through `writeHead` and `_storeHeader`: handlers', frameworks', and Node's own 400, 417 and 503.

import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { ErrorCode } from '../../errors/catalogue.ts'
import { OWNED } from '../../guard/compile.ts'
import type { Exchange } from '../../guard/exchange.ts'
import type { Guard } from '../../guard/guard.ts'
import { emit, flatHeaders, plainStatusLine } from './emit.ts'
import { isHeaderTable, type NodeHeaders, storeHead, usesFastPath } from './fast-path.ts'
import { http } from './http.ts'
import { NodeIncoming } from './incoming.ts'
import { refuseFurther } from './refusal.ts'

const guards = new WeakMap<object, Guard>()

/** Remembers which guard a server's answers are written under. */
export function setGuard(server: Server, guard: Guard): void {
  choosePath()
  guards.set(server, guard)
}

/** The guard of a server, where it has one. */
export function guardOf(server: object): Guard | undefined {
  return guards.get(server)
}

const EXCHANGE = Symbol('sallyport.exchange')
const REPLACEMENT = Symbol('sallyport.replacement')
// Stands on the guarded prototype, and so is seen on everything below it.
const GUARDED = Symbol('sallyport.guarded')

/** The exchange of a response, once the guard has seen its request. */
export function exchangeOf(response: object): Exchange | undefined {
  return (response as { [EXCHANGE]?: Exchange })[EXCHANGE]
}

/** True once a head is written whose body is the policy's own: what the application writes is dropped, `end` sends ours. */
export function isBodyReplaced(response: object): boolean {
  return (response as { [REPLACEMENT]?: string })[REPLACEMENT] !== undefined
}

/** Marks an answer whose head is the policy's own. */
export function replaceBody(response: object, body: string): void {
  ;(response as { [REPLACEMENT]?: string })[REPLACEMENT] = body
}

export function setExchange(response: object, exchange: Exchange): void {
  ;(response as { [EXCHANGE]?: Exchange })[EXCHANGE] = exchange
}

// Node's own answers, and those of a handler that was called past the server, come without an exchange.
function openLate(response: ServerResponse, status: number): Exchange | undefined {
  const request = response.req as IncomingMessage | undefined
  const server = (request?.socket as { server?: object } | undefined)?.server
  const guard = server && guards.get(server)
  if (!request || !guard) return undefined
  const exchange = guard.open(new NodeIncoming(request))
  setExchange(response, exchange)
  const code = codeOfNode(response, status)
  exchange.answeredByGuard = code !== undefined
  if (code === 'host_invalid') guard.refused(exchange, code)
  // Node reads on after its own refusal.
  if (exchange.answeredByGuard) refuseFurther(request.socket)
  return exchange
}

// Node answers these two before any listener runs, and without a body.
function codeOfNode(response: ServerResponse, status: number): ErrorCode | undefined {
  const { req } = response
  if (status === 400 && req.httpVersion === '1.1' && req.headers.host === undefined) return 'host_invalid'
  const dropped = (response as { maxRequestsOnConnectionReached?: boolean }).maxRequestsOnConnectionReached
  return status === 503 && dropped ? 'unavailable' : undefined
}

type Callback = (error?: Error | null) => void

function makeGuardedResponse() {
  return class GuardedResponse<Request extends IncomingMessage = IncomingMessage> extends http()
    .ServerResponse<Request> {
    // Declared only: V8 defines class fields with computed names by a slow way, on every response.
    declare [EXCHANGE]: Exchange | undefined
    declare [REPLACEMENT]: string | undefined
    declare readonly [GUARDED]: true

    _storeHeader(firstLine: string, headers: NodeHeaders): void {
      const { statusCode } = this
      const known = this[EXCHANGE]
      const exchange = known ?? (isFast ? openLate(this, statusCode) : undefined)
      if (exchange === undefined || !isFast) {
        storeHead(this, firstLine, headers)
        return
      }
      const code = known ? undefined : codeOfNode(this, statusCode)
      const emission = emit(exchange, statusCode, headers, isHeaderTable(this, headers), code)
      let line = firstLine
      if (emission.body !== undefined) {
        this[REPLACEMENT] = emission.body
        this.statusCode = emission.status
        line = plainStatusLine(emission.status)
      }
      storeHead(this, line + emission.wire, emission.headers)
    }

    override write(chunk: unknown, encoding?: BufferEncoding | Callback, callback?: Callback): boolean {
      if (this.statusCode >= 400) this.decideOnBody()
      if (this[REPLACEMENT] === undefined || this.writableEnded)
        return super.write(chunk, encoding as BufferEncoding, callback)
      const done = typeof encoding === 'function' ? encoding : callback
      if (done) process.nextTick(done)
      return true
    }

    override end(chunk?: unknown, encoding?: BufferEncoding | (() => void), callback?: () => void): this {
      if (this.statusCode >= 400) {
        const bytes = byteLength(chunk, encoding)
        if (bytes !== undefined) this.decideOnBody(bytes)
      }
      const replacement = this[REPLACEMENT]
      if (replacement === undefined || this.writableEnded)
        return super.end(chunk, encoding as BufferEncoding, callback)
      const done = [chunk, encoding, callback].find((value) => typeof value === 'function')
      const body = this.req?.method === 'HEAD' ? '' : replacement
      return super.end(body, done as (() => void) | undefined)
    }

    override addTrailers(trailers: Parameters<ServerResponse['addTrailers']>[0]): void {
      const names = exchangeOf(this)?.cell.compiled.names
      const entries = Array.isArray(trailers) ? trailers : Object.entries(trailers)
      // A trailer that a client merges into the head must not stand against the policy.
      const kept = names ? entries.filter(([name]) => (names(String(name)) & OWNED) === 0) : entries
      super.addTrailers(kept as [string, string][])
    }

    // Whether the body is replaced is known when the head is written, so the head comes first. A body that comes whole
    // still gets its Content-Length from Node; what is no body is left for Node to say, before a head is written.
    decideOnBody(wholeBytes?: number): void {
      if (this.headersSent || !exchangeOf(this)?.cell.compiled.replaceBody) return
      if (wholeBytes !== undefined)
        (this as unknown as { _contentLength: number })._contentLength = wholeBytes
      this.writeHead(this.statusCode)
    }
  }
}

type GuardedResponse = InstanceType<ReturnType<typeof makeGuardedResponse>>

let made: ReturnType<typeof makeGuardedResponse> | undefined

/** The class of responses that carry the policy, whatever the application does to their headers. */
export function guardedResponse(): typeof ServerResponse {
  if (made === undefined) {
    made = makeGuardedResponse()
    Object.defineProperty(made.prototype, GUARDED, { value: true })
  }
  return made
}

/** The same by Node's public `writeHead` alone, at a higher price. */
function writeGuardedHead(this: GuardedResponse, status: number, ...rest: unknown[]): ServerResponse {
  const { writeHead } = http().ServerResponse.prototype
  const known = this[EXCHANGE]
  const exchange = this.headersSent ? undefined : (known ?? openLate(this, status))
  if (!exchange) return writeHead.call(this, status, ...(rest as [never]))
  const reason = typeof rest[0] === 'string' ? rest[0] : undefined
  const given = flatHeaders((reason === undefined ? (rest[1] ?? rest[0]) : rest[1]) as NodeHeaders)
  const before = setBefore(this)
  const code = known ? undefined : codeOfNode(this, status)
  const emission = emit(exchange, Number(status) | 0, overlaid(before, given), false, code)
  for (let i = 0; i < before.length; i += 2) this.removeHeader(String(before[i]))
  const flat = [...flatHeaders(emission.headers)]
  for (const line of emission.wire.split('\r\n')) {
    const colon = line.indexOf(':')
    if (colon > 0) flat.push(line.slice(0, colon), line.slice(colon + 2))
  }
  if (emission.body === undefined)
    return writeHead.call(this, status, ...((reason === undefined ? [flat] : [reason, flat]) as [never]))
  this[REPLACEMENT] = emission.body
  this.statusMessage = ''
  return writeHead.call(this, emission.status, flat as string[])
}

let isFast = true

// Only where this Node has no `_storeHeader` that we know; an override costs even where it does nothing.
function choosePath(): void {
  isFast = usesFastPath()
  if (!isFast) guardedResponse().prototype.writeHead = writeGuardedHead as GuardedResponse['writeHead']
}

function byteLength(chunk: unknown, encoding: unknown): number | undefined {
  if (chunk === undefined || chunk === null || typeof chunk === 'function') return 0
  if (typeof chunk === 'string') return Buffer.byteLength(chunk, encoding as BufferEncoding)
  return chunk instanceof Uint8Array ? chunk.byteLength : undefined
}

function setBefore(response: ServerResponse): readonly unknown[] {
  const { getRawHeaderNames } = response as unknown as { getRawHeaderNames(): string[] }
  return getRawHeaderNames.call(response).flatMap((name) => [name, response.getHeader(name)])
}

// Names given to writeHead replace those set before, as Node itself does it.
function overlaid(before: readonly unknown[], given: readonly unknown[]): readonly unknown[] {
  const names = new Set<string>()
  for (let i = 0; i < given.length; i += 2) names.add(String(given[i]).toLowerCase())
  const kept: unknown[] = []
  for (let i = 0; i < before.length; i += 2)
    if (!names.has(String(before[i]).toLowerCase())) kept.push(before[i], before[i + 1])
  return [...kept, ...given]
}

/**
 * Puts the guarded response under a prototype that ends in Node's own: a framework's, or a class of the application's.
 * Answers of servers without a guard pass through it unchanged.
 */
export function guardPrototype(prototype: object): void {
  const plain = http().ServerResponse.prototype
  const guarded = guardedResponse().prototype
  for (let at: object | null = prototype; at !== null; at = Object.getPrototypeOf(at)) {
    if (at === guarded || at === plain) return
    if (Object.getPrototypeOf(at) !== plain) continue
    Object.setPrototypeOf(at, guarded)
    return
  }
}

/** Makes a response a guarded one, where its class is not one already. */
export function guardResponse(response: ServerResponse): void {
  // The mark is looked at on every request, and costs far less than to walk up the prototypes.
  if ((response as Partial<GuardedResponse>)[GUARDED]) return
  const prototype = Object.getPrototypeOf(response) as object
  if (prototype === http().ServerResponse.prototype)
    Object.setPrototypeOf(response, guardedResponse().prototype)
  else guardPrototype(prototype)
}
