// A request of HTTP/2 with the surface of node:http that the gateway uses, so that one way of handling serves both.

import type { ServerHttp2Stream } from 'node:http2'
import type { ClientCertificate, Incoming } from '../../guard/exchange.ts'
import { wholeBody } from './whole-body.ts'

/** The connection that a stream came on. */
export interface Http2Peer {
  readonly remoteAddress: string | undefined
  readonly encrypted: boolean
  readonly clientCertificate?: ClientCertificate | undefined
  /** `TLSv1.3`, as Node's TLS sockets say it. */
  readonly tlsVersion?: string | null
}

type Listener = (...values: never[]) => void
type Table = Record<string, string | string[]>

/**
 * The place of the socket: what ends "the connection" on HTTP/1.1 ends this one stream here, since the others of the
 * connection are somebody else's business.
 */
export class StreamSocket {
  readonly encrypted: boolean
  readonly remoteAddress: string | undefined
  readonly clientCertificate: ClientCertificate | undefined
  private readonly stream: ServerHttp2Stream
  private readonly tlsVersion: string | null

  constructor(stream: ServerHttp2Stream, peer: Http2Peer) {
    this.stream = stream
    this.remoteAddress = peer.remoteAddress
    this.encrypted = peer.encrypted
    this.clientCertificate = peer.clientCertificate
    this.tlsVersion = peer.tlsVersion ?? null
  }

  getProtocol(): string | null {
    return this.tlsVersion
  }

  get destroyed(): boolean {
    return this.stream.destroyed
  }

  get writable(): boolean {
    return this.stream.writable
  }

  /**
   * Resets the stream, so that a part of an answer can't be taken for the whole (RFC 9113, section 8.1.1). Not by Node's
   * `close`, which ends the writable side first: the part would go out with END_STREAM, and the reset come too late.
   */
  destroy(): this {
    this.stream.destroy(new StreamCut())
    return this
  }

  resetAndDestroy(): this {
    return this.destroy()
  }

  /** Silence is judged by the connection's owner, per connection and per stream. */
  setTimeout(): this {
    return this
  }
}

class StreamCut extends Error {
  readonly code = 'ERR_STREAM_CUT'
  constructor() {
    super('this stream was broken off')
  }
}

/** The request. Until it is admitted, `rawHeaders` holds the pseudo-fields; afterwards what HTTP/1.1 would have. */
export class Http2Request implements Incoming {
  readonly httpVersion = '2.0'
  readonly httpVersionMajor = 2
  readonly httpVersionMinor = 0
  readonly method: string
  url: string
  rawHeaders: string[]
  readonly rawTrailers: string[] = []
  readonly socket: StreamSocket
  /** True once the whole body is here. */
  complete: boolean
  private readonly stream: ServerHttp2Stream
  private tables: { headers: Table; headersDistinct: Record<string, string[]> } | undefined
  private whole: Map<Listener, Listener> | undefined

  constructor(
    stream: ServerHttp2Stream,
    pseudo: { readonly method: string; readonly path: string },
    rawHeaders: string[],
    socket: StreamSocket,
  ) {
    this.stream = stream
    this.method = pseudo.method
    this.url = pseudo.path
    this.rawHeaders = rawHeaders
    this.socket = socket
    this.complete = stream.endAfterHeaders
  }

  get target(): string {
    return this.url
  }

  get peer(): string | undefined {
    return this.socket.remoteAddress
  }

  get encrypted(): boolean {
    return this.socket.encrypted
  }

  get clientCertificate(): ClientCertificate | undefined {
    return this.socket.clientCertificate
  }

  get destroyed(): boolean {
    return this.stream.destroyed
  }

  get headers(): Table {
    return this.made.headers
  }

  get headersDistinct(): Record<string, string[]> {
    return this.made.headersDistinct
  }

  private get made() {
    if (this.tables !== undefined) return this.tables
    const headers: Table = Object.create(null)
    const headersDistinct: Record<string, string[]> = Object.create(null)
    for (let i = 0; i < this.rawHeaders.length; i += 2) {
      const name = this.rawHeaders[i]!
      const value = this.rawHeaders[i + 1]!
      headers[name] ??= value
      headersDistinct[name] ??= []
      headersDistinct[name].push(value)
    }
    this.tables = { headers, headersDistinct }
    return this.tables
  }

  /** Names come in small letters (RFC 9113, section 8.2.1). The authority stands for the host (section 8.3.1). */
  header(name: string): string | undefined {
    const raw = this.rawHeaders
    for (let i = 0; i < raw.length; i += 2) if (raw[i] === name) return raw[i + 1]
    return name === 'host' ? this.header(':authority') : undefined
  }

  /** Turns the list into what HTTP/1.1 would have: no pseudo-fields, a Host, one Cookie (sections 8.2.3 and 8.3.1). */
  becomeOrdinary(): void {
    const ordinary: string[] = []
    let cookies: string | undefined
    const host = this.header('host')
    if (host !== undefined) ordinary.push('host', host)
    for (let i = 0; i < this.rawHeaders.length; i += 2) {
      const name = this.rawHeaders[i]!
      const value = this.rawHeaders[i + 1]!
      if (name === 'cookie') cookies = cookies === undefined ? value : `${cookies}; ${value}`
      else if (name !== 'host' && name.charCodeAt(0) !== COLON) ordinary.push(name, value)
    }
    if (cookies !== undefined) ordinary.push('cookie', cookies)
    // A body of no declared length is chunked on HTTP/1.1.
    if (!this.complete && this.header('content-length') === undefined)
      ordinary.push('transfer-encoding', 'chunked')
    this.rawHeaders = ordinary
  }

  on(event: string, listener: Listener): this {
    if (event === 'end') this.stream.on('end', this.onlyWhole(listener))
    else this.stream.on(event, listener as () => void)
    return this
  }

  once(event: string, listener: Listener): this {
    if (event === 'end') this.stream.once('end', this.onlyWhole(listener))
    else this.stream.once(event, listener as () => void)
    return this
  }

  off(event: string, listener: Listener): this {
    this.stream.off(event, (this.whole?.get(listener) ?? listener) as () => void)
    return this
  }

  // Node ends the readable side of a stream that was reset as well: half a body must not look like a whole one.
  private onlyWhole(listener: Listener): () => void {
    this.whole ??= new Map()
    let wrapped = this.whole.get(listener)
    if (wrapped === undefined) {
      wrapped = () => {
        if (this.stream.aborted || this.stream.closed) return
        this.complete = true
        listener()
      }
      this.whole.set(listener, wrapped)
    }
    return wrapped as () => void
  }

  body(maxBytes: number): ReturnType<typeof wholeBody> {
    // RFC 9110, section 10.1.1: whoever expects it sends no body before it.
    if (this.header('expect') !== undefined && !this.stream.headersSent)
      this.stream.additionalHeaders({ ':status': 100 })
    return wholeBody(this, maxBytes)
  }

  pause(): this {
    this.stream.pause()
    return this
  }

  resume(): this {
    if (!this.stream.destroyed) this.stream.resume()
    return this
  }

  destroy(): this {
    this.socket.destroy()
    return this
  }
}

const COLON = 58
