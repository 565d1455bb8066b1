// Requests that ask for another protocol. A WebSocket goes its own way where the policy lets one open; everything else is
// answered as if nothing had been asked (RFC 9110, section 7.8).

import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { type Guard, mayOpenWebSocket, upgradeResponse } from 'sallyport/node'

/**
 * Takes them on a server that has its guard already.
 *
 * @param guard the one whose policy holds now, and to which a look at a request is no request
 * @param handle is given the bytes that came behind the request
 */
export function takeUpgrades(
  server: Server,
  guard: () => Guard,
  handle: (request: IncomingMessage, response: ServerResponse, ahead: Buffer) => void,
): void {
  // Node before 24.9 asks nobody, and hands over every request with such a field once somebody listens.
  Object.assign(server, {
    shouldUpgradeCallback: (request: IncomingMessage) => mayOpenWebSocket(guard(), request),
  })
  server.on('upgrade', (request: IncomingMessage, _stream, ahead: Buffer) => {
    const response = upgradeResponse(request)
    if (response === undefined) request.socket.destroy()
    else handle(request, response, ahead)
  })
}
