// Puts a guard under a server of node:http, ours or a framework's: the server's answers become guarded responses,
// its events pass the guard first, and what its parser refuses is answered by the policy.

import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { ErrorCode } from '../../errors/catalogue.ts'
import { type Reply, replyFor, replyForCode } from '../../guard/answer.ts'
import type { Exchange } from '../../guard/exchange.ts'
import type { Guard } from '../../guard/guard.ts'
import { plainStatusLine } from './emit.ts'
import { NodeIncoming } from './incoming.ts'
import { GuardedResponse, guardOf, setExchange, setGuard } from './response.ts'

/** Puts the guard under the server; a second call for the same server is an error. */
export function attach(server: Server, guard: Guard): void {
  if (guardOf(server)) throw new Error('this server already has a guard: attach one policy to a server')
  setGuard(server, guard)
  adoptResponses(server)
  // Node answers these by itself unless somebody listens.
  for (const event of ['checkContinue', 'checkExpectation', 'connect']) server.on(event, () => {})
  const emit = server.emit.bind(server) as (event: string, ...args: unknown[]) => boolean
  server.emit = ((event: string, ...args: unknown[]): boolean => {
    switch (event) {
      case 'request':
        return onRequest(guard, emit, args[0] as IncomingMessage, args[1] as ServerResponse)
      case 'checkContinue':
        return onContinue(guard, server, emit, args[0] as IncomingMessage, args[1] as ServerResponse)
      case 'checkExpectation':
        return onExpectation(guard, args[0] as IncomingMessage, args[1] as ServerResponse)
      case 'connect':
        return refuseRaw(args[1] as Socket, guard, 'method_not_allowed')
      case 'upgrade':
        return onUpgrade(guard, emit, args[0] as IncomingMessage, args[1] as Socket, args)
      case 'clientError':
        return onClientError(guard, args[0] as Error & { code?: string }, args[1] as Socket)
      default:
        return emit(event, ...args)
    }
  }) as typeof server.emit
}

// The class of a server's responses stands behind a symbol of Node's; where a future Node hides it, each response is
// given the class when it appears.
function adoptResponses(server: Server): void {
  const key = Object.getOwnPropertySymbols(server).find((symbol) => symbol.description === 'ServerResponse')
  if (key) (server as unknown as Record<symbol, unknown>)[key] = GuardedResponse
}

function open(guard: Guard, request: IncomingMessage, response: ServerResponse): Exchange {
  if (!(response instanceof GuardedResponse)) Object.setPrototypeOf(response, GuardedResponse.prototype)
  const exchange = guard.open(new NodeIncoming(request))
  setExchange(response, exchange)
  // A target in absolute form reads as its path from here on (RFC 9112, section 3.2.2).
  if (exchange.target !== request.url) request.url = exchange.target
  return exchange
}

function onRequest(guard: Guard, emit: Emit, request: IncomingMessage, response: ServerResponse): boolean {
  const exchange = open(guard, request, response)
  const verdict = guard.admit(exchange)
  if (verdict !== undefined) return respond(request, response, exchange, replyFor(verdict, exchange))
  if (exchange.bodyLimit !== undefined) limitBody(request, response, exchange, exchange.bodyLimit)
  return emit('request', request, response)
}

type Emit = (event: string, ...args: unknown[]) => boolean

// RFC 9110, section 10.1.1: the refusal comes instead of 100, so that the body is never sent.
function onContinue(
  guard: Guard,
  server: Server,
  emit: Emit,
  request: IncomingMessage,
  response: ServerResponse,
): boolean {
  const exchange = open(guard, request, response)
  const verdict = guard.admit(exchange)
  if (verdict !== undefined) return respond(request, response, exchange, replyFor(verdict, exchange))
  if (exchange.bodyLimit !== undefined) limitBody(request, response, exchange, exchange.bodyLimit)
  // One listener is ours; another is the application's own.
  if (server.listenerCount('checkContinue') > 1) return emit('checkContinue', request, response)
  response.writeContinue()
  return emit('request', request, response)
}

function onExpectation(guard: Guard, request: IncomingMessage, response: ServerResponse): boolean {
  const exchange = open(guard, request, response)
  const verdict = guard.admit(exchange) ?? {
    kind: 'deny' as const,
    code: 'expectation_failed' as const,
    close: true,
  }
  return respond(request, response, exchange, replyFor(verdict, exchange))
}

function onUpgrade(
  guard: Guard,
  emit: Emit,
  request: IncomingMessage,
  socket: Socket,
  args: unknown[],
): boolean {
  const exchange = guard.open(new NodeIncoming(request))
  const verdict = guard.admit(exchange)
  if (verdict === undefined) return emit('upgrade', ...args)
  writeRaw(socket, exchange, replyFor(verdict, exchange))
  return true
}

function respond(
  request: IncomingMessage,
  response: ServerResponse,
  exchange: Exchange,
  reply: Reply,
): boolean {
  exchange.answeredByGuard = true
  const hasBody = reply.status !== 204 && reply.status !== 304
  const headers = reply.headers.flat(1)
  if (hasBody) headers.push('Content-Length', String(Buffer.byteLength(reply.body)))
  if (reply.close) headers.push('Connection', 'close')
  response.writeHead(reply.status, headers)
  response.end(hasBody ? reply.body : undefined)
  request.resume()
  return true
}

/** Writes the guard's own answer on a response; for front ends that find out late. */
export function respondWithCode(
  request: IncomingMessage,
  response: ServerResponse,
  exchange: Exchange,
  code: ErrorCode,
): void {
  respond(request, response, exchange, replyForCode(code, exchange))
}

// Bodies without a Content-Length are counted as Node hands them over; past the limit the application sees no more.
function limitBody(
  request: IncomingMessage,
  response: ServerResponse,
  exchange: Exchange,
  limit: number,
): void {
  const push = request.push
  let bytes = 0
  let over = false
  request.push = function (this: IncomingMessage, chunk: unknown, encoding?: BufferEncoding): boolean {
    if (over) return false
    if (chunk !== null && chunk !== undefined) {
      bytes += typeof chunk === 'string' ? Buffer.byteLength(chunk) : (chunk as Uint8Array).byteLength
      if (bytes > limit) {
        over = true
        if (!response.headersSent) {
          respondWithCode(request, response, exchange, 'body_too_large')
          response.once('finish', () => request.socket.destroySoon())
        } else request.socket.destroy()
        return false
      }
    }
    return push.call(this, chunk, encoding)
  }
}

const CODE_OF_PARSER_ERROR: Readonly<Record<string, ErrorCode>> = {
  HPE_HEADER_OVERFLOW: 'headers_too_large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 'body_too_large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
}

function onClientError(guard: Guard, error: Error & { code?: string }, socket: Socket): boolean {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return true
  }
  // An answer that has begun can't be taken back: bytes after it would be read as part of it.
  const current = (socket as unknown as { _httpMessage?: { _headerSent?: boolean } })._httpMessage
  if (current?._headerSent) {
    socket.destroy()
    return true
  }
  return refuseRaw(socket, guard, CODE_OF_PARSER_ERROR[error.code ?? ''] ?? 'malformed_request')
}

function refuseRaw(socket: Socket, guard: Guard, code: ErrorCode): boolean {
  const exchange = guard.unreadable({
    peer: socket.remoteAddress,
    encrypted: (socket as TLSSocket).encrypted === true,
  })
  writeRaw(socket, exchange, replyForCode(code, exchange))
  return true
}

const NOTHING_SEEN = { get: () => undefined }

function writeRaw(socket: Socket, exchange: Exchange, reply: Reply): void {
  const { compiled } = exchange.cell
  let head = plainStatusLine(reply.status) + compiled.fixed.wire
  for (const line of compiled.perAnswer) head += line(exchange, reply.status, NOTHING_SEEN).wire
  head += compiled.varyLines.wire
  for (const [name, value] of reply.headers) head += `${name}: ${value}\r\n`
  head += `Date: ${new Date().toUTCString()}\r\nContent-Length: ${Buffer.byteLength(reply.body)}\r\nConnection: close\r\n\r\n`
  socket.end(head + reply.body, 'latin1', () => socket.destroy())
}
