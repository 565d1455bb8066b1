// A WebSocket that is open: bytes in both directions, as they come. Each side waits for the other, and the end of one is
// the end of both.

import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'

/** An open tunnel. */
export interface Tunnel {
  /** Ends it where nothing has come from either side for too long; called about once a second. */
  sweep(now: number, idleMs: number): void
  /** Ends it at once. */
  cut(): void
}

/** How a tunnel ended: by one of its sides, or by silence. */
export type TunnelEnd = 'closed' | 'failed' | 'idle'

/** When one side has said its last, the other has this long; milliseconds. */
const CLOSING_MS = 5_000

/**
 * Joins two sides.
 *
 * @param ahead what the client sent behind its request
 * @param onEnd called once, when both sides are gone
 */
export function openTunnel(
  client: Socket,
  upstream: Duplex,
  ahead: Buffer,
  startedAt: number,
  onEnd: (end: TunnelEnd) => void,
): Tunnel {
  const peer = upstream as Socket
  let end: TunnelEnd = 'closed'
  let open = 2
  let seen = 0
  let lastSeen = startedAt
  let isClosing = false

  function cut(): void {
    client.destroy()
    peer.destroy()
  }

  for (const [side, other] of [
    [client, peer],
    [peer, client],
  ] as const) {
    side.on('error', () => {
      end = 'failed'
      cut()
    })
    side.once('end', () => {
      isClosing = true
    })
    side.once('close', () => {
      // What has been read from it is on its way still.
      if (side.readableEnded) other.end()
      else other.destroy()
      if (--open === 0) onEnd(end)
    })
    side.setTimeout(0)
  }
  if (ahead.length > 0) peer.write(ahead)
  client.pipe(peer)
  peer.pipe(client)

  return {
    cut,
    sweep(now, idleMs) {
      // What is written counts nothing: a reader that takes nothing lets the other side wait, and both are silent.
      const bytes = client.bytesRead + peer.bytesRead
      if (bytes !== seen) {
        seen = bytes
        lastSeen = now
      }
      if (now - lastSeen <= (isClosing ? CLOSING_MS : idleMs)) return
      end = isClosing ? end : 'idle'
      cut()
    },
  }
}
