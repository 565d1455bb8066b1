// A request's body on its way to the upstream: as much of a stream as undici's writer asks for, without the cost of a
// second one. Pausing reaches the client's socket. Its beginning is held here before there is a way to the upstream.

import { EventEmitter } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { isRequestLike } from './request-like.ts'

// A body that nobody wants is read this far, so that the answer reaches a client which is still sending; bytes.
const DRAIN_LIMIT = 1_048_576

export class Upload extends EventEmitter {
  private readonly request: IncomingMessage
  private readonly clock: () => number
  private held: Buffer[] | undefined
  private onHeld: ((bytes: number, isReady: boolean) => void) | undefined
  private attached = false
  private ended = false
  private endedAt = 0
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

  /** Collects the beginning; tells of each piece, and whether enough is there: all of the body, or this many bytes. */
  hold(enoughBytes: number, onHeld: (bytes: number, isReady: boolean) => void): void {
    this.held = []
    this.onHeld = (bytes, isEnd) => {
      const isReady = isEnd || this.bytes >= enoughBytes
      if (isReady) {
        this.onHeld = undefined
        if (!isEnd) this.pause()
      }
      onHeld(bytes, isReady)
    }
    this.attach()
    this.request.resume()
  }

  /** Whether the body could be read as a request; to be asked while its beginning is held. */
  get isRequestLike(): boolean {
    const [first] = this.held ?? []
    if (first === undefined) return !this.ended
    return isRequestLike(first, this.ended && this.held!.length === 1)
  }

  /** All of the body where it is here; to be asked while its beginning is held. */
  whole(): Buffer | undefined {
    return this.ended && this.held !== undefined ? Buffer.concat(this.held) : undefined
  }

  /**
   * What undici is given: the body itself where its length was said and all of it is here, which costs much less than
   * a stream; else this, since a body of unknown length must go on in chunks. undici's writer uses no more of a
   * stream than stands here.
   */
  asBody(isLengthSaid: boolean): Buffer | Readable {
    const { held } = this
    if (!isLengthSaid || !this.ended || held === undefined) return this as unknown as Readable
    this.destroy()
    return held.length === 1 ? held[0]! : Buffer.concat(held)
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
    this.attach()
    // The writer is still setting itself up while it calls this.
    if (this.held !== undefined) queueMicrotask(this.flush)
    else this.request.resume()
    return this
  }

  private attach(): void {
    if (this.attached) return
    this.attached = true
    this.request.on('data', this.onData)
    this.request.on('end', this.onEnd)
  }

  private readonly flush = (): void => {
    while (this.held !== undefined && !this.paused && !this.destroyed) {
      const chunk = this.held.shift()
      if (chunk !== undefined) {
        this.emit('data', chunk)
        continue
      }
      this.held = undefined
      if (this.ended) this.emit('end')
      else this.request.resume()
    }
  }

  private readonly onData = (chunk: Buffer): void => {
    this.bytes += chunk.length
    if (this.held === undefined) {
      this.emit('data', chunk)
      return
    }
    this.held.push(chunk)
    this.onHeld?.(chunk.length, false)
  }

  private readonly onEnd = (): void => {
    this.ended = true
    this.endedAt = this.clock()
    if (this.held === undefined) this.emit('end')
    else this.onHeld?.(0, true)
  }

  /** Since when the upstream, rather than the client, is waited for; `undefined` while it is the client. */
  get waitingSince(): number | undefined {
    if (this.ended) return this.endedAt
    return this.paused ? this.pausedSince : undefined
  }

  /** The upstream takes no more. */
  destroy(): this {
    if (this.destroyed) return this
    this.destroyed = true
    this.held = undefined
    this.onHeld = undefined
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
