// One request on its way to the upstream and its answer on the way back. Nothing is buffered here: each side is
// paused while the other is slow, and the end of either side is the end of both.

import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Exchange, isBodyReplaced, respondWithCode } from 'sallyport/node'
import type { Dispatcher, Pool } from 'undici'
import { cutConnection } from './cut.ts'
import { codeOfFailure, reasonOf } from './failure.ts'
import { requestHead } from './request-head.ts'
import { responseHead } from './response-head.ts'
import { Upload } from './upload.ts'

/** Milliseconds, and bytes per second. */
export interface TransferLimits {
  /** The longest silence within a body, except in a stream that the client asked for. */
  readonly bodyIdleMs: number
  /** How long a client may take to send its body before the rate counts. */
  readonly uploadStartMs: number
  readonly uploadBytesPerSecond: number
}

/** How a transfer ended, for the log and the counts. */
export interface TransferEnd {
  readonly outcome: 'answered' | 'failed' | 'client-gone'
  /** The upstream's status, where it gave one. */
  readonly status: number | undefined
  /** An error code, where it failed. */
  readonly reason: string | undefined
}

/** What a transfer needs from the gateway. */
export interface TransferSite {
  readonly limits: TransferLimits
  /** Milliseconds that only go forward. */
  readonly now: () => number
  /** Called once, when nothing of the transfer is left. */
  ended(transfer: Transfer, end: TransferEnd): void
}

// 1xx answers are not passed on; more than these come from no sane program.
const MAX_INFORMATIONAL = 8
// An error's body that nobody will see is read this far to save the connection; bytes.
const DISCARD_LIMIT = 65_536

type Controller = Dispatcher.DispatchController
type Phase = 'waiting' | 'streaming' | 'discarding' | 'over'

export class Transfer implements Dispatcher.DispatchHandler {
  readonly exchange: Exchange
  readonly response: ServerResponse
  private readonly request: IncomingMessage
  private readonly site: TransferSite
  private upload: Upload | undefined
  private controller: Controller | undefined
  private phase: Phase = 'waiting'
  private end: TransferEnd | undefined
  private status: number | undefined
  private heldHead: string[] | undefined
  private informational = 0
  private discarded = 0
  private paused = false
  private settled = false
  private isStream = false
  private lastProgress: number

  constructor(request: IncomingMessage, response: ServerResponse, exchange: Exchange, site: TransferSite) {
    this.request = request
    this.response = response
    this.exchange = exchange
    this.site = site
    this.lastProgress = site.now()
  }

  /** Sends the request on. */
  start(pool: Pool): void {
    const { headers, body } = requestHead(this.exchange)
    if (body.kind === 'chunked' || (body.kind === 'length' && body.bytes > 0))
      this.upload = new Upload(this.request, this.site.now)
    this.response.on('close', this.onClientClose)
    this.response.on('drain', this.onClientDrain)
    pool.dispatch(
      {
        path: this.exchange.target,
        method: this.exchange.incoming.method as Dispatcher.HttpMethod,
        headers,
        body: this.upload?.asBody() ?? null,
        // An upstream that ignores a body reads it as the next request, and its answer would go to another caller: a
        // connection that has carried a body carries nothing after it.
        reset: this.upload !== undefined,
      },
      this,
    )
  }

  onRequestStart(controller: Controller): void {
    this.controller = controller
    if (this.phase === 'over') controller.abort(new TransferOver())
  }

  onResponseStart(controller: Controller, status: number): void {
    if (status >= 100 && status < 200) {
      this.informational++
      if (this.informational > MAX_INFORMATIONAL) this.fail('ERR_UPSTREAM_INFORMATIONAL')
      return
    }
    // The guard has answered already: the request's body grew over its limit while the upstream was at work.
    if (this.phase !== 'waiting' || this.response.headersSent) {
      this.stop({ outcome: 'answered' })
      return
    }
    const head = responseHead(status, (controller.rawHeaders ?? []) as Buffer[])
    if (typeof head === 'string') {
      this.fail(`ERR_UPSTREAM_HEAD_${head.toUpperCase().replaceAll('-', '_')}`)
      return
    }
    this.status = status
    this.isStream =
      this.exchange.cell.data === 'stream' || /^text\/event-stream\b/i.test(head.contentType ?? '')
    this.lastProgress = this.site.now()
    this.phase = 'streaming'
    this.heldHead = head.headers
    // The first bytes of a stream may be long in coming, but the client must see at once that it is open.
    if (this.isStream) {
      this.request.socket.setTimeout(0)
      this.sendHead()
      if (!this.response.writableEnded) this.response.flushHeaders()
    } else if (this.hasNoBody(status)) this.sendHead()
  }

  // The head is held until the body begins, so that an answer which is broken from its first byte is still a problem.
  private sendHead(): void {
    const headers = this.heldHead
    if (headers === undefined || this.status === undefined) return
    this.heldHead = undefined
    this.response.writeHead(this.status, headers)
    // Where no body follows, the client has its answer now: nothing that comes after can be a part of it.
    if (isBodyReplaced(this.response) || this.hasNoBody(this.status)) {
      this.phase = 'discarding'
      this.response.end()
    }
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    this.sendHead()
    if (this.phase === 'discarding') {
      this.discarded += chunk.length
      if (this.discarded > DISCARD_LIMIT) this.stop({ outcome: 'answered' })
      return
    }
    if (this.phase !== 'streaming') return
    this.lastProgress = this.site.now()
    if (!this.response.write(chunk)) {
      this.paused = true
      controller.pause()
    }
  }

  onResponseEnd(): void {
    this.sendHead()
    const { phase } = this
    this.finish({ outcome: 'answered' })
    this.settle()
    // Trailers are not passed on: a field that is merged late passes every check that was made early.
    if (phase === 'streaming') this.response.end()
    this.upload?.discardRest()
  }

  onResponseError(_controller: Controller, error: Error): void {
    try {
      if (this.phase !== 'over') this.fail(reasonOf(error))
    } catch {
      // undici has nobody to give an error of its handler to, and would end the process by it.
      this.request.socket.destroy()
    } finally {
      this.settle()
    }
  }

  private readonly onClientDrain = (): void => {
    if (!this.paused) return
    this.paused = false
    this.lastProgress = this.site.now()
    this.controller?.resume()
  }

  private readonly onClientClose = (): void => {
    if (this.phase === 'over' || this.phase === 'discarding') return
    this.stop({ outcome: this.response.writableFinished ? 'answered' : 'client-gone' })
  }

  /** Ends what has been silent or slow for too long; called about once a second. */
  sweep(now: number): void {
    const { limits } = this.site
    if (this.phase === 'waiting') {
      if ((this.upload?.overdueMs(now, limits.uploadStartMs, limits.uploadBytesPerSecond) ?? 0) > 0)
        this.refuse('request_timeout', 'ERR_UPLOAD_SLOW')
      return
    }
    if (this.phase === 'over' || now - this.lastProgress <= limits.bodyIdleMs) return
    // A stream may be silent, but a reader that takes nothing of what is there holds an upstream's connection.
    if (!this.isStream || this.paused) this.fail(this.paused ? 'ERR_CLIENT_STALLED' : 'UND_ERR_BODY_TIMEOUT')
  }

  /** No further request comes after this one on the client's connection. */
  closeAfterwards(): void {
    if (!this.response.headersSent) this.response.shouldKeepAlive = false
  }

  /** Breaks it off on both sides. */
  abandon(): void {
    if (this.phase !== 'over') this.fail('ERR_GATEWAY_CLOSING')
  }

  // RFC 9112, section 6.3, rule 1.
  private hasNoBody(status: number): boolean {
    return status === 204 || status === 304 || this.exchange.incoming.method === 'HEAD'
  }

  private fail(reason: string): void {
    this.refuse(codeOfFailure(reason), reason)
  }

  private refuse(code: Parameters<typeof respondWithCode>[3], reason: string): void {
    const { phase } = this
    const isHeld = phase === 'waiting' || this.heldHead !== undefined
    this.heldHead = undefined
    this.stop(phase === 'discarding' ? { outcome: 'answered' } : { outcome: 'failed', reason })
    if (isHeld) {
      if (!this.response.headersSent && !this.response.destroyed)
        respondWithCode(this.request, this.response, this.exchange, code)
    } else if (phase === 'streaming') cutConnection(this.request.socket)
    this.upload?.discardRest()
  }

  // Takes the upstream's connection down where an answer is still due on it.
  private stop(end: { outcome: TransferEnd['outcome']; reason?: string }): void {
    this.finish(end)
    this.controller?.abort(new TransferOver())
  }

  private finish(end: { outcome: TransferEnd['outcome']; reason?: string }): void {
    this.phase = 'over'
    this.response.off('close', this.onClientClose)
    this.response.off('drain', this.onClientDrain)
    this.end ??= { outcome: end.outcome, status: this.status, reason: end.reason }
  }

  // undici reports every request's end exactly once, so a slot is free again exactly once.
  private settle(): void {
    if (this.settled) return
    this.settled = true
    this.site.ended(this, this.end ?? { outcome: 'failed', status: this.status, reason: 'unknown' })
  }
}

class TransferOver extends Error {
  readonly code = 'ERR_TRANSFER_OVER'
  constructor() {
    super('this transfer is over')
  }
}
