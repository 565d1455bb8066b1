// A request's body on its way to the upstream: as much of a stream as undici's writer asks for, without the cost of a
// second one. Pausing reaches the client's socket.

import { EventEmitter } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'

// A body that nobody wants is read this far, so that the answer reaches a client which is still sending; bytes.
const DRAIN_LIMIT = 1_048_576

export class Upload extends EventEmitter {
  private readonly request: IncomingMessage
  private readonly clock: () => number
  private attached = false
  private ended = false
  destroyed = false
  /** Bytes taken from the client. */
  bytes = 0
  private paused = false
  private pausedSince = 0
  private pausedMs = 0
  private readonly startedAt: number

  constructor(request: IncomingMessage, clock: () => number) {
    super()
    this.request = request
    this.clock = clock
    this.startedAt = clock()
  }

  /** What undici's types ask for; its writer uses no more than stands here. */
  asBody(): Readable {
    return this as unknown as Readable
  }

  // undici tells streams from other bodies by the presence of `pipe`.
  pipe(): never {
    throw new Error('an upload is read by events, not by pipe')
  }

  pause(): this {
    if (!this.paused) {
      this.paused = true
      this.pausedSince = this.clock()
      this.request.pause()
    }
    return this
  }

  resume(): this {
    if (this.destroyed) return this
    if (this.paused) {
      this.paused = false
      this.pausedMs += this.clock() - this.pausedSince
    }
    if (!this.attached) {
      this.attached = true
      this.request.on('data', this.onData)
      this.request.on('end', this.onEnd)
    }
    this.request.resume()
    return this
  }

  private readonly onData = (chunk: Buffer): void => {
    this.bytes += chunk.length
    this.emit('data', chunk)
  }

  private readonly onEnd = (): void => {
    this.ended = true
    this.emit('end')
  }

  /** The upstream takes no more. */
  destroy(): this {
    if (this.destroyed) return this
    this.destroyed = true
    this.detach()
    return this
  }

  private detach(): void {
    this.request.off('data', this.onData)
    this.request.off('end', this.onEnd)
  }

  /** Reads on without an upstream, up to a bound: a client that still sends must see its answer. */
  discardRest(): void {
    this.destroy()
    if (this.ended || this.request.complete || this.request.destroyed) return
    let left = DRAIN_LIMIT
    this.request.on('data', (chunk: Buffer) => {
      left -= chunk.length
      if (left < 0) this.request.socket.destroy()
    })
    this.request.resume()
  }

  /** Milliseconds that the client has taken beyond what it was given: a start, and time for each byte. */
  overdueMs(now: number, startMs: number, bytesPerSecond: number): number {
    if (this.ended || this.paused || this.request.complete) return 0
    const taken = now - this.startedAt - this.pausedMs
    return taken - startMs - (this.bytes * 1_000) / bytesPerSecond
  }
}
