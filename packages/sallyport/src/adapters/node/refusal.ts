// Answers written on a bare socket, where no response object exists: what the parser refuses, and upgrades that are
// denied. Each is complete, and the last on its connection.

import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import type { ErrorCode } from '../../errors/catalogue.ts'
import { type Reply, replyForCode } from '../../guard/answer.ts'
import type { Exchange } from '../../guard/exchange.ts'
import type { Guard } from '../../guard/guard.ts'
import { ownWire, plainStatusLine } from './emit.ts'

const CODE_OF_PARSER_ERROR: Readonly<Record<string, ErrorCode>> = {
  HPE_HEADER_OVERFLOW: 'headers_too_large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 'body_too_large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
}

// A mark on the connection itself: it is looked for on every request, and a set of connections would be asked by hash.
const REFUSED = Symbol('sallyport.refused')

interface Markable {
  [REFUSED]?: true
}

/**
 * Marks a connection on which nothing more is served. Requests that follow a refused one were perhaps parsed in the same
 * read, before the connection could be closed: they begin where the end of the refused one was guessed to be.
 */
export function refuseFurther(socket: object): void {
  ;(socket as Markable)[REFUSED] = true
}

/** True where a request on this connection was refused for good. */
export function isRefused(socket: object): boolean {
  return (socket as Markable)[REFUSED] === true
}

// The response at the head of the connection's queue. Node sets it where it does so itself (`socketOnError`).
interface Current {
  readonly headersSent: boolean
  readonly writableEnded: boolean
  readonly req: { readonly complete: boolean }
  once(event: 'close' | 'finish', listener: () => void): unknown
}

function currentResponse(socket: object): Current | undefined {
  return (socket as { _httpMessage?: Current | null })._httpMessage ?? undefined
}

/** True while an answer on this connection is not out yet. */
export function isAnswering(socket: object): boolean {
  return currentResponse(socket) !== undefined
}

/** Answers what the parser refuses, or closes where an answer could be read as something else. */
export function onClientError(guard: Guard, error: Error & { code?: string }, socket: Socket): boolean {
  // After the first error the parser reports every further byte as one.
  if (isRefused(socket)) return true
  const code = error.code ?? ''
  // Errors of the connection or of the TLS handshake leave nobody to answer to.
  const readable = code.startsWith('HPE_') || code === 'ERR_HTTP_REQUEST_TIMEOUT'
  if (!readable || !socket.writable) {
    socket.destroy()
    return true
  }
  return refuseRaw(socket, guard, CODE_OF_PARSER_ERROR[code] ?? 'malformed_request')
}

/** Answers on a connection whose request can't be read. */
export function refuseRaw(socket: Socket, guard: Guard, code: ErrorCode): boolean {
  refuseFurther(socket)
  // A tunnel's socket comes without the server's listeners; a reset by the peer must not end the process.
  socket.on('error', () => {})
  const exchange = guard.unreadable({
    peer: socket.remoteAddress,
    encrypted: (socket as TLSSocket).encrypted === true,
  })
  guard.refused(exchange, code)
  inTurn(socket, () => writeRaw(socket, exchange, replyForCode(code, exchange)))
  return true
}

/**
 * Answers a denied upgrade.
 *
 * @param stream what Node hands over for the upgraded protocol: the socket, or a stream over it while a body is read
 */
export function refuseUpgrade(socket: Socket, stream: Duplex, exchange: Exchange, reply: Reply): void {
  refuseFurther(socket)
  socket.on('error', () => {})
  stream.on('error', () => {})
  inTurn(socket, () => writeRaw(socket, exchange, reply))
}

// Requests that came whole before on this connection are answered first: an answer out of turn would be read as theirs.
// Where the broken request is itself the one being answered, its answer is this one. An answer that has begun and has no
// end in sight can't be taken back, and bytes after it would be read as part of it.
function inTurn(socket: Socket, write: () => void): void {
  const current = currentResponse(socket)
  if (!current) {
    if (socket.writable) write()
    else socket.destroy()
  } else if (current.headersSent && !current.writableEnded) socket.destroy()
  else if (!current.req.complete) {
    // Where it has been answered already, there is nothing left to say.
    if (current.writableEnded) socket.destroySoon()
    else write()
  } else {
    // A caller who stops sending here has left, as for any answer of Node's.
    const leave = () => void socket.destroy()
    socket.once('end', leave)
    current.once('finish', () => {
      socket.off('end', leave)
      inTurn(socket, write)
    })
  }
}

function writeRaw(socket: Socket, exchange: Exchange, reply: Reply): void {
  const inFlight = currentResponse(socket) !== undefined
  let head = plainStatusLine(reply.status) + ownWire(exchange, reply.status)
  for (const [name, value] of reply.headers) head += `${name}: ${value}\r\n`
  head += `Date: ${new Date().toUTCString()}\r\n`
  head += `Content-Length: ${Buffer.byteLength(reply.body)}\r\nConnection: close\r\n\r\n`
  socket.write(head + reply.body, 'utf8')
  // What an application still writes for the broken request must not come after this answer.
  if (inFlight) socket.end(() => socket.destroy())
  else closeUnread(socket)
}

const UNREAD_MS = 1_000

/**
 * Closes a connection on which the peer may still be sending: reads and drops it for a second. A socket that is closed
 * with unread bytes is reset, and a reset can take the answer away from the peer before it is read (RFC 9112,
 * section 9.6).
 */
export function closeUnread(socket: Socket): void {
  if (socket.destroyed) return
  // The parser hears no more of it, so nothing that follows can become a request.
  socket.removeAllListeners('data')
  socket.on('data', () => {})
  socket.resume()
  socket.end()
  const timer = setTimeout(() => socket.destroy(), UNREAD_MS)
  timer.unref()
  socket.once('close', () => clearTimeout(timer))
}
