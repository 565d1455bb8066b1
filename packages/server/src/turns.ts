// Requests of one connection are handed on one after the other. Node reports pipelined requests as they are read;
// handed on at once they would overtake each other on the way to the upstream (RFC 9112, section 9.3.2), and those
// behind a request that ends the connection would be carried out although nobody can be told.

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

// No browser pipelines, and no library sends this many requests without reading an answer.
const MAX_WAITING = 64

const waiting = new WeakMap<Socket, number>()

/** Calls back when it is this request's turn; never, where the connection ends before. */
export function inTurn(request: IncomingMessage, response: ServerResponse, proceed: () => void): void {
  const { socket } = request
  // Node gives a response the connection when those before it are out, and says so by this event.
  if (response.socket !== null) {
    proceed()
    return
  }
  const before = waiting.get(socket) ?? 0
  if (before >= MAX_WAITING) {
    socket.destroy()
    return
  }
  waiting.set(socket, before + 1)
  response.once('socket', () => {
    waiting.set(socket, waiting.get(socket)! - 1)
    proceed()
  })
}
