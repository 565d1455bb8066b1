// An answer on HTTP/2 with the surface of node:http that the gateway uses. Every head passes the policy.

import type { ServerHttp2Stream } from 'node:http2'
import type { Exchange } from '../../guard/exchange.ts'
import { flatHeaders } from './emit.ts'
import type { NodeHeaders } from './fast-path.ts'
import { emitHttp2 } from './http2-emit.ts'
import type { Http2Request } from './http2-request.ts'
import { replaceBody, setExchange } from './response.ts'

type Done = (error?: Error | null) => void

// RFC 9113, section 7.
const NO_ERROR = 0x0

export class Http2Response {
  statusCode = 200
  statusMessage = ''
  /** Connections are ended by their owner, for all streams together. */
  shouldKeepAlive = true
  readonly req: Http2Request
  readonly socket: Http2Request['socket']
  /** When `end` was called, by the front's clock; for the owner's sweep. */
  endedAt: number | undefined
  private readonly stream: ServerHttp2Stream
  private readonly exchange: Exchange
  private readonly now: () => number
  // Worked out, and not yet sent: a head without a body ends the stream by itself.
  private head: string[] | undefined
  private isHeadMade = false
  private isEnded = false
  private replacement: string | undefined
  private set: Map<string, unknown> | undefined

  constructor(stream: ServerHttp2Stream, request: Http2Request, exchange: Exchange, now: () => number) {
    this.stream = stream
    this.req = request
    this.socket = request.socket
    this.exchange = exchange
    this.now = now
    setExchange(this, exchange)
  }

  get headersSent(): boolean {
    return this.isHeadMade
  }

  get writableEnded(): boolean {
    return this.isEnded
  }

  get writableFinished(): boolean {
    return this.isEnded && this.stream.writableFinished
  }

  get writableLength(): number {
    return this.stream.writableLength
  }

  get writableNeedDrain(): boolean {
    return this.stream.writableNeedDrain
  }

  get destroyed(): boolean {
    return this.stream.destroyed
  }

  setHeader(name: string, value: unknown): this {
    this.set ??= new Map()
    this.set.set(name.toLowerCase(), value)
    return this
  }

  getHeader(name: string): unknown {
    return this.set?.get(name.toLowerCase())
  }

  getHeaderNames(): string[] {
    return [...(this.set?.keys() ?? [])]
  }

  removeHeader(name: string): void {
    this.set?.delete(name.toLowerCase())
  }

  writeHead(status: number, reason?: unknown, headers?: unknown): this {
    if (this.isHeadMade) throw new Error('writeHead: the head of this answer is written already')
    const given = (typeof reason === 'string' ? headers : reason) as NodeHeaders
    const flat = flatHeaders(given)
    const emission = emitHttp2(
      this.exchange,
      status,
      this.set === undefined ? flat : [...this.set, flat].flat(1),
    )
    this.isHeadMade = true
    this.statusCode = emission.status
    this.head = [':status', String(emission.status), ...emission.headers]
    if (emission.body !== undefined) {
      this.replacement = emission.body
      replaceBody(this, emission.body)
    }
    // RFC 9113, section 8.1: a whole answer may be followed by a reset without an error, where the rest of the request
    // is not wanted.
    if (emission.close) this.stream.once('finish', () => this.stream.close(NO_ERROR))
    return this
  }

  writeContinue(): void {
    if (!this.isGone) this.stream.additionalHeaders({ ':status': 100 })
  }

  flushHeaders(): void {
    this.sendHead(false)
  }

  write(chunk: string | Uint8Array, encoding?: BufferEncoding | Done, done?: Done): boolean {
    if (!this.isHeadMade) this.writeHead(this.statusCode)
    const callback = typeof encoding === 'function' ? encoding : done
    if (this.replacement !== undefined || !this.hasBody || this.isEnded) {
      if (callback) process.nextTick(callback)
      return true
    }
    this.sendHead(false)
    if (this.isGone) return false
    return typeof encoding === 'string'
      ? this.stream.write(chunk, encoding, callback)
      : this.stream.write(chunk, callback)
  }

  end(chunk?: string | Uint8Array | Done | null, encoding?: BufferEncoding | Done, done?: Done): this {
    if (this.isEnded) return this
    if (!this.isHeadMade) this.writeHead(this.statusCode)
    const callback = [chunk, encoding, done].find((value) => typeof value === 'function')
    if (callback) this.stream.once('finish', callback)
    this.isEnded = true
    this.endedAt = this.now()
    const given = typeof chunk === 'function' || chunk === null ? undefined : chunk
    const body = this.hasBody ? (this.replacement ?? given) : undefined
    const isEmpty = body === undefined || body.length === 0
    this.sendHead(isEmpty)
    if (this.isGone || this.stream.writableEnded) return this
    if (isEmpty) this.stream.end()
    else if (typeof encoding === 'string' && this.replacement === undefined) this.stream.end(body, encoding)
    else this.stream.end(body)
    return this
  }

  destroy(): this {
    this.socket.destroy()
    return this
  }

  on(event: string, listener: (...values: never[]) => void): this {
    this.stream.on(event, listener as () => void)
    return this
  }

  once(event: string, listener: (...values: never[]) => void): this {
    this.stream.once(event, listener as () => void)
    return this
  }

  off(event: string, listener: (...values: never[]) => void): this {
    this.stream.off(event, listener as () => void)
    return this
  }

  // RFC 9110, sections 9.3.2, 15.3.5 and 15.4.5.
  private get hasBody(): boolean {
    return this.req.method !== 'HEAD' && this.statusCode !== 204 && this.statusCode !== 304
  }

  // Whoever asked may be gone at any time, and what is written then is for nobody.
  private get isGone(): boolean {
    return this.stream.destroyed || this.stream.closed
  }

  private sendHead(endStream: boolean): void {
    const { head } = this
    if (head === undefined || this.isGone) return
    this.head = undefined
    this.stream.respond(head as never, { endStream })
  }
}
