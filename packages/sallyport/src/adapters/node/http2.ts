// The guard in front of a stream of node:http2: every request is judged, every answer carries the policy, and what is
// let in looks to its handler like a request of node:http.

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ServerHttp2Stream } from 'node:http2'
import { replyFor } from '../../guard/answer.ts'
import type { Denial, Verdict } from '../../guard/control.ts'
import type { Exchange } from '../../guard/exchange.ts'
import type { Guard } from '../../guard/guard.ts'
import { admit, respond, respondWithCode } from './attach.ts'
import { limitBody } from './body-limit.ts'
import { dropCookies } from './cookies.ts'
import { type Http2Peer, Http2Request, StreamSocket } from './http2-request.ts'
import { Http2Response } from './http2-response.ts'

/** A stream that has passed the guard, or was answered by it. */
export interface Http2Entry {
  /** What the gateway uses of these works as on node:http; `socket` stands for the stream alone. */
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** When the answer was ended, by the clock that was given; for whoever watches over the connection. */
  endedAt(): number | undefined
}

const METHOD: Denial = { kind: 'deny', code: 'method_not_allowed', close: true }
const TARGET: Denial = { kind: 'deny', code: 'target_invalid', close: true }
const HOST: Denial = { kind: 'deny', code: 'host_invalid', close: true }

/** What becomes of a stream: it was let in, or the guard has answered. */
export interface Http2Outcomes {
  admitted(request: IncomingMessage, response: ServerResponse): void
  refused(request: IncomingMessage, response: ServerResponse): void
}

/**
 * Lets a stream in, at once where nothing has to be looked up; `undefined` where its client has left already.
 *
 * @param rawHeaders names and values in turn, with the pseudo-fields, as the `stream` event gives them
 * @param now milliseconds that only go forward
 * @see RFC 9113, section 8
 */
export function enterHttp2(
  guard: Guard,
  stream: ServerHttp2Stream,
  rawHeaders: string[],
  peer: Http2Peer,
  now: () => number,
  outcomes: Http2Outcomes,
): Http2Entry | undefined {
  // Node tells of a stream one tick after it has come, and it may be reset by then. Nobody is left to read errors.
  stream.on('error', () => {})
  if (stream.destroyed || stream.closed) return undefined
  const pseudo = { method: '', path: '', scheme: '' }
  // They come first: nghttp2 has reset what holds them later, twice, or by other names (section 8.3).
  for (let i = 0; i < rawHeaders.length && rawHeaders[i]!.charCodeAt(0) === COLON; i += 2) {
    const name = rawHeaders[i]!.slice(1)
    if (Object.hasOwn(pseudo, name)) pseudo[name as keyof typeof pseudo] = rawHeaders[i + 1]!
  }
  const socket = new StreamSocket(stream, peer)
  const incoming = new Http2Request(stream, pseudo, rawHeaders, socket)
  const fault = faultOf(pseudo, peer) ?? hostFault(rawHeaders)
  const exchange = fault === METHOD ? guard.unreadable(peerOf(peer)) : guard.open(incoming)
  const outgoing = new Http2Response(stream, incoming, exchange, now)
  // The cast is the whole of the pretence: tests run each way of handling over both protocols.
  const request = incoming as unknown as IncomingMessage
  const response = outgoing as unknown as ServerResponse
  const endedAt = () => outgoing.endedAt
  const settle = (verdict: Verdict): void => {
    if (verdict !== undefined) {
      respond(request, response, exchange, replyFor(verdict, exchange))
      outcomes.refused(request, response)
      return
    }
    const expects = exchange.header('expect') !== undefined
    incoming.becomeOrdinary()
    if (exchange.cookiesIgnored) dropCookies(request)
    limit(guard, stream, request, response, exchange)
    if (expects) response.writeContinue()
    outcomes.admitted(request, response)
  }
  if (fault) guard.refused(exchange, fault.code)
  const judgement = fault ?? admit(guard, exchange)
  if (judgement instanceof Promise)
    void judgement.then((verdict) => {
      if (!stream.destroyed && !stream.closed) settle(verdict)
    })
  else settle(judgement)
  return { request, response, endedAt }
}

const COLON = 58

function peerOf({ remoteAddress, encrypted }: Http2Peer) {
  return { peer: remoteAddress, encrypted }
}

// What HTTP/1.1's parser would refuse before any policy is asked.
function faultOf(
  { method, path, scheme }: { readonly method: string; readonly path: string; readonly scheme: string },
  { encrypted }: Http2Peer,
): Denial | undefined {
  // Section 8.5: a tunnel, whose DATA would be read as requests by the next server.
  if (method === 'CONNECT') return METHOD
  // Section 8.3.1. nghttp2 looks at the path only where the scheme is one of HTTP's.
  if (scheme.toLowerCase() !== (encrypted ? 'https' : 'http')) return TARGET
  if (path.charCodeAt(0) === SLASH || (path === '*' && method === 'OPTIONS')) return undefined
  return TARGET
}

const SLASH = 47

// Section 8.3.1: a Host beside the authority must not name somebody else; two programs would take the request for two hosts.
function hostFault(rawHeaders: readonly string[]): Denial | undefined {
  let authority: string | undefined
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!
    const value = rawHeaders[i + 1]!
    if (name === ':authority') authority = value
    else if (name === 'host' && authority !== undefined && value.toLowerCase() !== authority.toLowerCase())
      return HOST
  }
  return undefined
}

function limit(
  guard: Guard,
  stream: ServerHttp2Stream,
  request: IncomingMessage,
  response: ServerResponse,
  exchange: Exchange,
): void {
  const { bodyLimit } = exchange
  if (bodyLimit === undefined || request.complete) return
  limitBody(stream as unknown as IncomingMessage, bodyLimit, () => {
    // An answer that has begun can't be taken back.
    if (response.headersSent) request.socket.destroy()
    else respondWithCode(request, response, exchange, 'body_too_large')
    guard.refused(exchange, 'body_too_large')
  })
}
