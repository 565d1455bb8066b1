// Requests that ask for another protocol, for a program that hands them on: which may change to it, and how one that
// does not is answered like any other.

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Guard } from '../../guard/guard.ts'
import { NodeIncoming } from './incoming.ts'
import { closeUnread, isAnswering } from './refusal.ts'
import { exchangeOf, guardedResponse, setExchange } from './response.ts'

/**
 * True where the policy lets a WebSocket open on this request's route; for a server's `shouldUpgradeCallback`. The
 * request is not judged by it.
 */
export function mayOpenWebSocket(guard: Guard, request: IncomingMessage): boolean {
  // Behind a request that is still being answered it would have to wait with its connection already taken over.
  if (isAnswering(request.socket)) return false
  const { header, opens } = lookAt(guard, request)
  return opens && header?.toLowerCase() === 'websocket'
}

function lookAt(guard: Guard, request: IncomingMessage) {
  const exchange = guard.open(new NodeIncoming(request))
  const { request: setting } = exchange.cell.settings as {
    readonly request?: { readonly webSocket?: boolean }
  }
  return { header: exchange.header('upgrade'), opens: setting?.webSocket === true }
}

/**
 * The response of a request that a server's `upgrade` event brought and the guard has let in; `undefined` where an
 * answer before it is not out yet. It carries the policy as every other, and is the last on its connection. A head of
 * 101 leaves the connection to whoever wrote it.
 */
export function upgradeResponse(request: IncomingMessage): ServerResponse | undefined {
  const exchange = exchangeOf(request)
  const { socket } = request
  if (exchange === undefined || isAnswering(socket)) return undefined
  const response = new (guardedResponse())(request)
  setExchange(response, exchange)
  response.shouldKeepAlive = false
  // Node has taken its own listeners away. A reset by the caller must not end the process.
  socket.on('error', () => {})
  response.on('error', () => {})
  response.assignSocket(socket)
  socket.on('drain', () => void response.emit('drain'))
  response.once('finish', () => closeUnread(socket))
  return response
}
