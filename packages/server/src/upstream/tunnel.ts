// A WebSocket that is open: bytes in both directions, as they come. Each side waits for the other, and the end of one is
// the end of both.

import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { closeFrame, FrameBoundary, maskedCloseFrame } from './frames.ts'

/** An open tunnel. */
export interface Tunnel {
  /** Ends it where nothing has come from either side for too long; called about once a second. */
  sweep(now: number, idleMs: number): void
  /** Ends it at once. */
  cut(): void
  /** Tells both sides that we go, where that does not fall into the middle of a frame, and ends it. */
  leave(): void
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
  const toPeer = new FrameBoundary()
  const toClient = new FrameBoundary()
  if (ahead.length > 0) {
    toPeer.pass(ahead)
    peer.write(ahead)
  }
  client.on('data', (chunk: Buffer) => toPeer.pass(chunk))
  peer.on('data', (chunk: Buffer) => toClient.pass(chunk))
  client.pipe(peer)
  peer.pipe(client)

  // Nothing of the other side comes after it; an end within a frame is seen as what it is.
  function farewell(to: Socket, from: Socket, boundary: FrameBoundary, frame: () => Buffer): void {
    from.unpipe(to)
    if (boundary.isBetween && !to.writableEnded) {
      to.end(frame())
      // The answer is for nobody, but a side that is not read is not closed.
      to.resume()
    } else to.destroy()
  }

  return {
    cut,
    leave() {
      farewell(client, peer, toClient, closeFrame)
      farewell(peer, client, toPeer, maskedCloseFrame)
    },
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
