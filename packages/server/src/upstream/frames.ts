// Where one frame of a WebSocket ends and the next begins, and the frame that says goodbye. What a frame holds is not
// looked at. RFC 6455, section 5.2.

import { randomBytes } from 'node:crypto'

/** Follows the bytes of one direction. */
export class FrameBoundary {
  // Of the head of a frame that has come in part.
  private readonly head = Buffer.alloc(14)
  private headBytes = 0
  /** Bytes of the frame's payload that are still to come. */
  private left = 0

  /** True where the next byte begins a frame: another one may be put in between. */
  get isBetween(): boolean {
    return this.headBytes === 0 && this.left === 0
  }

  pass(chunk: Uint8Array): void {
    let at = 0
    while (at < chunk.length) {
      if (this.left > 0) {
        const skipped = Math.min(this.left, chunk.length - at)
        this.left -= skipped
        at += skipped
        continue
      }
      this.head[this.headBytes++] = chunk[at++]!
      if (this.headBytes < 2 || this.headBytes < headLength(this.head)) continue
      this.left = payloadLength(this.head)
      this.headBytes = 0
    }
  }
}

function headLength(head: Buffer): number {
  const second = head[1]!
  const short = second & 0x7f
  return 2 + (short === 127 ? 8 : short === 126 ? 2 : 0) + (second & 0x80 ? 4 : 0)
}

// A length beyond 2^53 loses its last bits, and nobody lives to see its end.
function payloadLength(head: Buffer): number {
  const short = head[1]! & 0x7f
  if (short === 126) return head.readUInt16BE(2)
  return short === 127 ? Number(head.readBigUInt64BE(2)) : short
}

const CLOSE = 0x88
/** Section 7.4.1: an end that goes away. */
const GOING_AWAY = Buffer.from([1001 >> 8, 1001 & 0xff])

/** The close frame of a server. */
export function closeFrame(): Buffer {
  return Buffer.from([CLOSE, GOING_AWAY.length, ...GOING_AWAY])
}

/** The close frame of a client, which is masked (section 5.3). */
export function maskedCloseFrame(): Buffer {
  const mask = randomBytes(4)
  const payload = GOING_AWAY.map((byte, index) => byte ^ mask[index]!)
  return Buffer.from([CLOSE, 0x80 | payload.length, ...mask, ...payload])
}
