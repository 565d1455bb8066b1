// Any program of the machine can open connections and say nothing. Were new ones refused then, nobody could ask whether
// the gateway is ready; so the one that has been silent the longest gives way.

import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** Keeps no more than `most` connections of a server open. One on which an answer is due is never ended for another. */
export function boundConnections(server: Server, most: number): void {
  let open = 0
  // In the order in which they fell silent.
  const silent = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    open += 1
    socket.once('close', () => {
      open -= 1
      silent.delete(socket)
    })
    silent.add(socket)
    if (open <= most) return
    const [longest] = silent
    silent.delete(longest!)
    longest!.destroy()
  })
  // Before the request is answered, which may be done at once.
  server.prependListener('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    silent.delete(socket)
    response.once('close', () => {
      if (!socket.destroyed) silent.add(socket)
    })
  })
}
