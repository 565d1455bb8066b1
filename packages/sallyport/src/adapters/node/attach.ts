// Puts a guard under a server of node:http, ours or a framework's: the server's answers become guarded responses,
// its events pass the guard first, and what its parser refuses is answered by the policy.

import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { ErrorCode } from '../../errors/catalogue.ts'
import { type Reply, replyFor } from '../../guard/answer.ts'
import type { Denial, Judgement, Verdict } from '../../guard/control.ts'
import type { Exchange } from '../../guard/exchange.ts'
import type { Guard } from '../../guard/guard.ts'
import type { Challenge } from '../../ports/challenges.ts'
import { limitBody } from './body-limit.ts'
import { dropCookies } from './cookies.ts'
import { http, isHttpServer } from './http.ts'
import { NodeIncoming } from './incoming.ts'
import { closeUnread, isRefused, onClientError, refuseFurther, refuseRaw, refuseUpgrade } from './refusal.ts'
import {
  exchangeOf,
  guardedResponse,
  guardOf,
  guardPrototype,
  guardResponse,
  setExchange,
  setGuard,
} from './response.ts'

type Emit = (event: string, ...args: unknown[]) => boolean

/**
 * Puts the guard under the server.
 *
 * @throws Error where the server has a guard already, since two policies can't own the same answers; and for servers of
 * node:http2
 */
export function attach(server: Server, guard: Guard): void {
  if (guardOf(server))
    throw new Error('attach: this server already has a guard; attach one policy to a server, and only once')
  refuseOtherServers(server)
  setGuard(server, guard)
  adoptResponses(server)
  // Node answers these by itself unless somebody listens.
  for (const event of ['checkContinue', 'checkExpectation', 'connect']) server.on(event, () => {})
  const own = server.emit as Emit
  const emit: Emit = (event, first, second) => own.call(server, event, first, second)
  server.emit = function guardedEmit(event: string, first?: unknown, second?: unknown): boolean {
    switch (event) {
      case 'request':
        return onRequest(guard, emit, first as IncomingMessage, second as ServerResponse)
      case 'checkContinue':
        return onContinue(guard, server, emit, first as IncomingMessage, second as ServerResponse)
      case 'checkExpectation':
        return onExpectation(guard, first as IncomingMessage, second as ServerResponse)
      case 'connect':
        return onConnect(guard, (first as IncomingMessage).socket)
      case 'upgrade':
        // biome-ignore lint/complexity/noArguments: every event of a server passes here, and a list would be made of each
        return onUpgrade(guard, own.bind(server), Array.from(arguments).slice(1))
      case 'clientError':
        return onClientError(guard, first as Error & { code?: string }, second as Socket)
      default:
        // biome-ignore lint/complexity/noArguments: as many values as there were
        return own.apply(server, arguments as unknown as [string, ...unknown[]])
    }
  } as typeof server.emit
}

// Answers of HTTP/2 are another class, which would pass without a header of the policy.
function refuseOtherServers(server: object): void {
  if (isHttpServer(server)) return
  throw new Error(
    `attach: the guard speaks HTTP/1.1 only, but this is a ${server.constructor.name}; pass a server of node:http or node:https`,
  )
}

// The class of a server's responses stands behind a symbol of Node's; where a future Node hides it, each response is
// given the class when it appears. A class of the application's own keeps its methods.
function adoptResponses(server: Server): void {
  const key = Object.getOwnPropertySymbols(server).find((symbol) => symbol.description === 'ServerResponse')
  if (!key) return
  const slots = server as unknown as Record<symbol, { readonly prototype: object }>
  if (slots[key] === http().ServerResponse) slots[key] = guardedResponse()
  else if (slots[key]) guardPrototype(slots[key].prototype)
}

/** Opens the exchange of a request and binds it to its response. */
function open(guard: Guard, request: IncomingMessage, response: ServerResponse): Exchange {
  guardResponse(response)
  const exchange = guard.open(new NodeIncoming(request, response))
  setExchange(response, exchange)
  // A target in absolute form reads as its path from here on (RFC 9112, section 3.2.2).
  if (exchange.target !== request.url) request.url = exchange.target
  return exchange
}

const entering = new WeakSet<ServerResponse>()

/**
 * Lets a request in, at once where nothing has to be looked up; `go` is not called where the guard has answered it. For
 * adapters that meet a request before its server has the guard; a request that was let in before passes.
 *
 * @returns what `go` returned at once; `undefined` else
 */
export function enter<T>(
  guard: Guard,
  request: IncomingMessage,
  response: ServerResponse,
  go: () => T,
): T | undefined {
  if (exchangeOf(response)) return entering.has(response) ? undefined : go()
  if (isRefused(request.socket)) return undefined
  const exchange = open(guard, request, response)
  const judgement = admit(guard, exchange)
  if (!(judgement instanceof Promise))
    return letIn(guard, request, response, exchange, judgement) ? go() : undefined
  entering.add(response)
  void judgement.then((verdict) => {
    entering.delete(response)
    // Who has left meanwhile, or was refused on the same connection, is owed no answer.
    if (response.destroyed || request.socket.destroyed || isRefused(request.socket)) return
    if (letIn(guard, request, response, exchange, verdict)) go()
  })
  return undefined
}

function letIn(
  guard: Guard,
  request: IncomingMessage,
  response: ServerResponse,
  exchange: Exchange,
  verdict: Verdict,
): boolean {
  if (verdict !== undefined) {
    respond(request, response, exchange, replyFor(verdict, exchange))
    return false
  }
  if (exchange.cookiesIgnored) dropCookies(request)
  // Where nobody speaks the protocol asked for, Node answers as if nothing had been asked, but has lost what its parser
  // took for bytes of that protocol: the rest of it would be read as a request.
  if (exchange.header('upgrade') !== undefined) {
    response.shouldKeepAlive = false
    refuseFurther(request.socket)
  }
  const { bodyLimit } = exchange
  if (bodyLimit !== undefined)
    limitBody(request, bodyLimit, () => {
      // An answer that has begun can't be taken back.
      if (response.headersSent) request.socket.destroy()
      else respondWithCode(request, response, exchange, 'body_too_large')
      guard.refused(exchange, 'body_too_large')
    })
  return true
}

/** Judges a request. A control that fails while it judges has not let the request in. The promise never rejects. */
export function admit(guard: Guard, exchange: Exchange): Judgement {
  try {
    const judgement = guard.admit(exchange)
    return judgement instanceof Promise
      ? judgement.catch((error: unknown) => controlFailed(exchange, error))
      : judgement
  } catch (error) {
    return controlFailed(exchange, error)
  }
}

function controlFailed({ cell }: Exchange, error: unknown): Verdict {
  const kind = error instanceof Error ? error.name : typeof error
  process.emitWarning(
    `a control failed in the cell ${JSON.stringify(cell.id)} with ${kind}; the request was refused with 500`,
    { type: 'SallyportWarning', code: 'SALLYPORT_CONTROL_FAILED' },
  )
  return { kind: 'deny', code: 'internal', close: true }
}

function onRequest(guard: Guard, emit: Emit, request: IncomingMessage, response: ServerResponse): boolean {
  return enter(guard, request, response, () => handOver(emit, 'request', request, response)) ?? true
}

// RFC 9110, section 10.1.1: the refusal comes instead of 100, so that the body is never sent.
function onContinue(
  guard: Guard,
  server: Server,
  emit: Emit,
  request: IncomingMessage,
  response: ServerResponse,
): boolean {
  const heard = enter(guard, request, response, () => {
    // One listener is ours; another is the application's own.
    if (server.listenerCount('checkContinue') > 1) return handOver(emit, 'checkContinue', request, response)
    response.writeContinue()
    return handOver(emit, 'request', request, response)
  })
  return heard ?? true
}

function handOver(emit: Emit, event: string, request: IncomingMessage, response: ServerResponse): boolean {
  try {
    const heard = emit(event, request, response)
    // A framework that gave the response a prototype of its own is met here once, and its prototype is guarded from
    // then on; `sallyport/express` does so before the first request.
    guardResponse(response)
    return heard
  } catch (error) {
    answerCrash(request, response)
    throw error
  }
}

/** Answers for a handler that failed. The error itself stays the application's: it is thrown on as without a guard. */
export function answerCrash(request: IncomingMessage, response: ServerResponse): void {
  if (response.writableEnded) return
  const exchange = exchangeOf(response)
  if (exchange && !response.headersSent) respondWithCode(request, response, exchange, 'internal')
  else request.socket.destroy()
}

const EXPECTATION: Denial = { kind: 'deny', code: 'expectation_failed', close: true }

function onExpectation(guard: Guard, request: IncomingMessage, response: ServerResponse): boolean {
  if (isRefused(request.socket)) return true
  const exchange = open(guard, request, response)
  const refuse = (judged: Verdict) => {
    if (judged === undefined) guard.refused(exchange, EXPECTATION.code)
    return respond(request, response, exchange, replyFor(judged ?? EXPECTATION, exchange))
  }
  const judgement = admit(guard, exchange)
  if (!(judgement instanceof Promise)) return refuse(judgement)
  void judgement.then((verdict) => {
    if (!response.destroyed && !isRefused(request.socket)) refuse(verdict)
  })
  return true
}

// RFC 9110, section 9.3.6: no tunnels.
function onConnect(guard: Guard, socket: Socket): boolean {
  return isRefused(socket) ? true : refuseRaw(socket, guard, 'method_not_allowed')
}

function onUpgrade(guard: Guard, emit: Emit, args: readonly unknown[]): boolean {
  const request = args[0] as IncomingMessage
  if (isRefused(request.socket)) return true
  const exchange = guard.open(new NodeIncoming(request))
  // There is no response that could carry it; see `upgradeResponse`.
  setExchange(request, exchange)
  const settle = (verdict: Verdict): boolean => {
    if (verdict === undefined) {
      if (exchange.target !== request.url) request.url = exchange.target
      if (exchange.cookiesIgnored) dropCookies(request)
      return emit('upgrade', ...args)
    }
    refuseUpgrade(request.socket, args[1] as Duplex, exchange, replyFor(verdict, exchange))
    return true
  }
  const judgement = admit(guard, exchange)
  if (!(judgement instanceof Promise)) return settle(judgement)
  // Node has taken its own listeners away. A reset by the caller must not end the process while we look something up.
  const { socket } = request
  const ignore = () => {}
  socket.on('error', ignore)
  void judgement.then((verdict) => {
    if (socket.destroyed || isRefused(socket)) return
    settle(verdict)
    socket.off('error', ignore)
  })
  return true
}

/** Writes a reply of the guard's own. */
export function respond(
  request: IncomingMessage,
  response: ServerResponse,
  exchange: Exchange,
  reply: Reply,
): boolean {
  exchange.answeredByGuard = true
  if (reply.close) refuseFurther(request.socket)
  const hasBody = reply.status !== 204 && reply.status !== 304
  const headers = reply.headers.flat(1)
  if (hasBody) headers.push('Content-Length', String(Buffer.byteLength(reply.body)))
  if (reply.close) headers.push('Connection', 'close')
  // What a framework set before it was refused is not part of the refusal.
  for (const name of response.getHeaderNames()) response.removeHeader(name)
  response.statusMessage = ''
  // Node closes as soon as the answer is out, while the body may still be on its way.
  if (reply.close && !request.complete) {
    const { socket } = request
    socket.destroySoon = () => closeUnread(socket)
  }
  response.writeHead(reply.status, headers)
  response.end(hasBody && request.method !== 'HEAD' ? reply.body : '')
  request.resume()
  return true
}

/**
 * Writes the guard's own answer on a response; for front ends that find out late.
 *
 * @param headers lines that belong to this refusal, such as `Allow` or `Retry-After`
 * @param challenge what the caller is asked to solve
 */
export function respondWithCode(
  request: IncomingMessage,
  response: ServerResponse,
  exchange: Exchange,
  code: ErrorCode,
  headers: Reply['headers'] = [],
  challenge?: Challenge,
): void {
  const reply = replyFor({ kind: 'deny', code, close: true, ...(challenge && { challenge }) }, exchange)
  respond(request, response, exchange, { ...reply, headers: [...reply.headers, ...headers] })
}
