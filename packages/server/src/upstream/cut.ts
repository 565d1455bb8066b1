// Ends a client's connection in the middle of an answer so that nobody can take the part for the whole.

import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'

/**
 * A reset on plain TCP, where a clean end would complete a body that is delimited by closing; on TLS the missing
 * close_notify says the same (RFC 8446, section 6.1).
 */
export function cutConnection(socket: Socket): void {
  if ((socket as TLSSocket).encrypted === true) socket.destroy()
  else socket.resetAndDestroy()
}
