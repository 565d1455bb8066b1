// HTTP/2 in front: takes connections on which ALPN has chosen it, hands each request on like one of HTTP/1.1, and
// watches over what a connection costs.

import type { IncomingMessage, ServerResponse } from 'node:http'
import { performServerHandshake, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import { performance } from 'node:perf_hooks'
import type { TLSSocket } from 'node:tls'
import { clientCertificateOf, enterHttp2, type Guard, type Http2Entry, type Http2Peer } from 'sallyport/node'
import { HTTP2_OPTIONS, HTTP2_TIMES, type Http2Times, MAX_REQUESTS } from './limits.ts'

/** The HTTP/2 side of a listener. */
export interface Http2Front {
  /** Takes a connection whose handshake is done. */
  accept(socket: TLSSocket): void
  /** Tells every client to send no more on its connection (GOAWAY), and lets what is under way end. */
  drain(): void
  /** Ends the watch; the connections are their owner's to end. */
  stop(): void
}

/** Takes a request with its answer. */
export type Handler = (request: IncomingMessage, response: ServerResponse) => void

interface Connection {
  readonly session: ServerHttp2Session
  readonly socket: TLSSocket
  readonly open: Map<ServerHttp2Stream, Http2Entry | undefined>
  requests: number
  /** Since when there is no request; milliseconds. */
  idleSince: number
  closingSince: number | undefined
}

// RFC 9113, section 7.
const NO_ERROR = 0x0
const CANCEL = 0x8
const PROTOCOL_ERROR = 0x1

/**
 * @param times for tests
 * @param onRefused hears of requests that the guard has answered
 */
export function createHttp2Front(
  guard: Guard,
  handle: Handler,
  times: Http2Times = HTTP2_TIMES,
  onRefused: Handler = () => {},
): Http2Front {
  const connections = new Set<Connection>()
  const outcomes = { admitted: handle, refused: onRefused }
  const now = () => performance.now()
  let isDraining = false

  function accept(socket: TLSSocket): void {
    const session = performServerHandshake(socket, HTTP2_OPTIONS)
    const connection: Connection = {
      session,
      socket,
      open: new Map(),
      requests: 0,
      idleSince: now(),
      closingSince: undefined,
    }
    connections.add(connection)
    // What a client does to its own connection is no event for anybody else, and must not end the process.
    session.on('error', () => {})
    socket.on('error', () => {})
    session.on('close', () => connections.delete(connection))
    const { remoteAddress } = socket
    const peer = {
      remoteAddress,
      encrypted: true,
      clientCertificate: clientCertificateOf(socket),
      tlsVersion: socket.getProtocol(),
    }
    session.on('stream', (stream, _headers, _flags, rawHeaders: string[]) => {
      onStream(connection, stream, rawHeaders, peer)
    })
    if (isDraining) close(connection)
  }

  function onStream(
    connection: Connection,
    stream: ServerHttp2Stream,
    rawHeaders: string[],
    peer: Http2Peer,
  ): void {
    const { open } = connection
    connection.requests++
    if (connection.requests >= MAX_REQUESTS) close(connection)
    open.set(stream, undefined)
    stream.once('close', () => {
      open.delete(stream)
      connection.idleSince = now()
    })
    if (hasOuterSpace(rawHeaders)) {
      // A reset with an error is an error of the stream for Node, too.
      stream.on('error', () => {})
      stream.close(PROTOCOL_ERROR)
      return
    }
    const entry = enterHttp2(guard, stream, rawHeaders, peer, now, outcomes)
    if (entry === undefined) open.delete(stream)
    else if (open.has(stream)) open.set(stream, entry)
  }

  function close(connection: Connection): void {
    connection.closingSince ??= now()
    if (!connection.session.closed) connection.session.close()
  }

  function sweepStreams({ open }: Connection, at: number): void {
    for (const [stream, entry] of open) {
      const endedAt = entry?.endedAt()
      if (endedAt === undefined) continue
      const since = at - endedAt
      // Written out, and open only because the request has no end: the client may stop sending (section 8.1).
      if (stream.writableFinished) {
        if (since > times.restMs) stream.close(NO_ERROR)
      } else if (since > times.readMs) stream.close(CANCEL)
    }
  }

  function sweep(connection: Connection, at: number): void {
    const { closingSince, session, socket } = connection
    sweepStreams(connection, at)
    if (connection.open.size > 0) return
    const idleMs = at - connection.idleSince
    if (closingSince !== undefined) {
      // Nothing is under way, and the client does not take our leave.
      if (Math.min(idleMs, at - closingSince) > times.closeMs) socket.destroy()
    } else if (connection.requests === 0) {
      if (idleMs > times.firstRequestMs) socket.destroy()
    } else if (idleMs > times.idleMs || session.closed) close(connection)
  }

  // One timer for all: a timer for each stream costs more than many a stream.
  const sweeper = setInterval(
    () => {
      const at = now()
      for (const connection of connections) sweep(connection, at)
    },
    Math.min(1_000, ...Object.values(times).map((ms: number) => ms / 4)),
  )
  sweeper.unref()

  return {
    accept,
    drain() {
      isDraining = true
      for (const connection of connections) close(connection)
    },
    stop() {
      clearInterval(sweeper)
    },
  }
}

const SPACE = 0x20
const TAB = 0x09

// RFC 9113, section 8.2.1: a value that begins or ends with white space is malformed, and so is its request.
function hasOuterSpace(rawHeaders: readonly string[]): boolean {
  for (let i = 1; i < rawHeaders.length; i += 2) {
    const value = rawHeaders[i]!
    if (value === '') continue
    const first = value.charCodeAt(0)
    const last = value.charCodeAt(value.length - 1)
    if (first === SPACE || first === TAB || last === SPACE || last === TAB) return true
  }
  return false
}
