// One request on its way to the upstream and its answer on the way back. But for the beginning of a request's body
// nothing is buffered here: each side is paused while the other is slow, and the end of either is the end of both.

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex, Readable } from 'node:stream'
import { type Exchange, isBodyReplaced, respondWithCode } from 'sallyport/node'
import type { Dispatcher } from 'undici'
import { judgeSignIn } from '../lockout/gate.ts'
import { Attempts } from './attempts.ts'
import { cutConnection } from './cut.ts'
import { codeOfFailure, isGatewayStatus, isOfUpstream, reasonOf } from './failure.ts'
import { openingHead } from './handshake.ts'
import type { Line, OnLine } from './pool.ts'
import { requestHead } from './request-head.ts'
import { responseHead } from './response-head.ts'
import type { Waiting } from './slots.ts'
import type { Opening, TransferEnd, TransferSite } from './transfer-site.ts'
import { openTunnel, type Tunnel } from './tunnel.ts'
import type { Member } from './under-way.ts'
import { Upload } from './upload.ts'

// 1xx answers are not passed on; more than these come from no sane program.
const MAX_INFORMATIONAL = 8
// So much of a request's body is here before it takes a slot: an idle upload keeps nobody from the upstream; bytes.
const HELD_BYTES = 65_536
// An error's body that nobody will see is read this far to save the connection; bytes.
const DISCARD_LIMIT = 65_536
// Pieces up to here are written as text; bytes.
const SMALL_CHUNK = 4_096

const NO_BODY = Buffer.alloc(0)

type Controller = Dispatcher.DispatchController
type Phase = 'waiting' | 'streaming' | 'discarding' | 'tunnel' | 'over'

/** What is sent, as often as it is. */
interface Outgoing {
  readonly headers: string[]
  readonly body: Buffer | Readable | null
}

export class Transfer implements Dispatcher.DispatchHandler, Member, Waiting, OnLine {
  readonly exchange: Exchange
  readonly response: ServerResponse
  /** Whose share it takes from. */
  readonly client: string | undefined
  /** Kept by the upstream for its accounts. */
  heldBytes = 0
  place = -1
  line: Line | undefined
  private readonly request: IncomingMessage
  private readonly site: TransferSite
  private readonly opening: Opening | undefined
  private tunnel: Tunnel | undefined
  private outgoing: Outgoing | undefined
  private hasSlot = false
  private queuedAt: number | undefined
  private readonly attempts: Attempts
  private upload: Upload | undefined
  private controller: Controller | undefined
  private phase: Phase = 'waiting'
  private end: TransferEnd | undefined
  private status: number | undefined
  private heldHead: string[] | undefined
  private isBegun = false
  private informational = 0
  private discarded = 0
  private paused = false
  private settled = false
  private isStream = false
  private isRetired = false
  private isRisky = false
  private isDispatched = false
  private lastProgress: number

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    exchange: Exchange,
    site: TransferSite,
    client: string | undefined,
    opening?: Opening,
  ) {
    this.opening = opening
    this.client = client
    this.request = request
    this.response = response
    this.exchange = exchange
    this.site = site
    this.attempts = new Attempts(site, this)
    this.lastProgress = site.now()
  }

  /**
   * Sends the request on, as soon as enough of its body is here.
   *
   * @param isAsked whether the client waits for our word before it sends its body (RFC 9110, section 10.1.1)
   */
  start(isAsked: boolean): void {
    const { headers, body } = requestHead(this.exchange)
    this.response.on('close', this.onClientClose)
    if (body.kind === 'none' || (body.kind === 'length' && body.bytes === 0)) {
      this.pass({ headers, body: null }, NO_BODY)
      return
    }
    const upload = new Upload(this.request, this.site.now)
    this.upload = upload
    if (isAsked) this.response.writeContinue()
    upload.hold(HELD_BYTES, (bytes, isReady) => {
      // The guard has answered already: the body grew over its limit.
      if (this.response.headersSent) this.refuse('unavailable', undefined)
      else if (!this.site.holdBytes(this, bytes)) this.refuseBusy()
      else if (isReady) {
        this.isRisky = upload.isRequestLike
        const whole = this.exchange.signIn && upload.whole()
        this.pass({ headers, body: upload.asBody(body.kind === 'length') }, whole)
      }
    })
  }

  // A guess at a password is counted before the upstream hears of it.
  private pass(outgoing: Outgoing, whole: Buffer | undefined): void {
    const judgement = judgeSignIn(this.exchange, whole)
    if (judgement === undefined) this.queue(outgoing)
    else
      void judgement.then((denial) => {
        // The client may have left meanwhile.
        if (this.phase !== 'waiting') return
        if (denial === undefined) this.queue(outgoing)
        else this.refuse(denial.code, undefined, denial.headers?.pairs)
      })
  }

  private queue(outgoing: Outgoing): void {
    this.outgoing = outgoing
    const answer = this.site.askSlot(this)
    if (answer === 'taken') this.proceed()
    else if (answer === 'full') this.refuseBusy()
    else this.queuedAt = this.site.now()
  }

  proceed(): void {
    this.hasSlot = true
    this.queuedAt = undefined
    this.isDispatched = true
    this.site.dispatched(this)
    this.send()
  }

  private send(): void {
    // Over already, where the client left between two attempts.
    if (this.phase !== 'waiting' || this.outgoing === undefined) {
      this.settle()
      return
    }
    const { headers, body } = this.outgoing
    const { method } = this.exchange.incoming
    const opens = this.opening !== undefined
    const retires = opens || method === 'HEAD' || (this.isRisky && this.site.keepAlive === 'clean')
    this.attempts.next().dispatch(
      {
        path: this.exchange.target,
        method: method as Dispatcher.HttpMethod,
        headers,
        body,
        // An upstream that ignores a body reads it as the next request, and its answer would go to another caller: a
        // connection that has carried such a body carries nothing after it. Nor after HEAD, which some answer with a
        // body.
        reset: retires,
        upgrade: opens ? 'websocket' : null,
      },
      this,
    )
  }

  onRequestStart(controller: Controller): void {
    this.controller = controller
    this.attempts.begun(this.line)
    if (this.phase === 'over') controller.abort(new TransferOver())
  }

  // Sends the request once more where that can do no harm; by another address where there is one.
  private sendAgain(reason: string): boolean {
    if (this.phase !== 'waiting' || this.response.headersSent) return false
    const { method } = this.exchange.incoming
    const body = this.outgoing?.body
    const isWhole = body === null || Buffer.isBuffer(body)
    if (!this.attempts.mayRepeat({ method, reason, isWhole, isAnswered: this.isBegun })) return false
    this.controller = undefined
    // Not from within undici, which has not yet put its own house in order.
    queueMicrotask(() => this.send())
    return true
  }

  // The first byte has come. A head of which only a part came is none for undici, but the upstream has begun to act.
  onResponseStarted(): void {
    this.isBegun = true
  }

  onResponseStart(controller: Controller, status: number): void {
    if (status >= 100 && status < 200) {
      this.informational++
      if (this.informational > MAX_INFORMATIONAL) this.fail('ERR_UPSTREAM_INFORMATIONAL')
      else this.checkHeadDeadline(this.site.now())
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
    this.attempts.judge(isGatewayStatus(status) ? `status_${status}` : undefined)
    this.status = status
    this.isStream =
      this.exchange.cell.data === 'stream' || /^text\/event-stream\b/i.test(head.contentType ?? '')
    this.lastProgress = this.site.now()
    this.phase = 'streaming'
    this.heldHead = head.headers
    // What an upstream writes after such an answer can reach us when the next request is already on its way, and would
    // be taken for its answer. After any other answer the same is possible, and only a connection for each request
    // would end it; but an answer with a body is the one whose end a sane program can't mistake.
    this.isRetired = this.site.keepAlive === 'clean' && (head.isEmpty || this.hasNoBody(status))
    // The first bytes of a stream may be long in coming, but the client must see at once that it is open.
    if (this.isStream) {
      this.request.socket.setTimeout(0)
      this.sendHead()
      if (!this.response.writableEnded) this.response.flushHeaders()
    } else if (this.isRetired || this.hasNoBody(status)) this.sendHead()
    if (this.isRetired && !this.isOver) this.retire()
  }

  onRequestUpgrade(controller: Controller, status: number, _headers: unknown, socket: Duplex): void {
    const { opening, response, request } = this
    if (opening === undefined || this.phase !== 'waiting' || response.headersSent) {
      this.stop({ outcome: 'answered' })
      return
    }
    const head = openingHead(opening.handshake, (controller.rawHeaders ?? []) as Buffer[])
    if (typeof head === 'string') {
      this.fail(`ERR_UPSTREAM_HANDSHAKE_${head.toUpperCase()}`)
      return
    }
    this.attempts.judge()
    this.status = status
    this.phase = 'tunnel'
    response.writeHead(status, head)
    response.flushHeaders()
    this.tunnel = openTunnel(request.socket, socket, opening.ahead, this.site.now(), () => {
      this.finish({ outcome: 'answered' })
      this.settle()
    })
  }

  private get isOver(): boolean {
    return this.phase === 'over'
  }

  // The answer is whole with its head, so the connection can end at once.
  private retire(): void {
    if (this.phase === 'streaming') this.response.end()
    this.stop({ outcome: 'answered' })
    this.upload?.discardRest()
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
    if (!this.writeChunk(chunk)) {
      this.paused = true
      controller.pause()
      this.response.once('drain', () => this.clientDrained())
    }
  }

  // With a text node:http sends head and body in one piece; the copy costs less than the second piece. Latin-1 keeps
  // every byte.
  private writeChunk(chunk: Buffer): boolean {
    return chunk.length <= SMALL_CHUNK
      ? this.response.write(chunk.toString('latin1'), 'latin1')
      : this.response.write(chunk)
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
      const reason = reasonOf(error)
      if (this.sendAgain(reason)) return
      if (this.phase !== 'over') this.fail(reason)
    } catch {
      // undici has nobody to give an error of its handler to, and would end the process by it.
      this.request.socket.destroy()
    }
    this.settle()
  }

  private clientDrained(): void {
    if (this.phase !== 'streaming') return
    this.paused = false
    this.lastProgress = this.site.now()
    this.controller?.resume()
  }

  private readonly onClientClose = (): void => {
    if (this.phase === 'over' || this.phase === 'discarding' || this.phase === 'tunnel') return
    this.stop({ outcome: this.response.writableFinished ? 'answered' : 'client-gone' })
  }

  /** Ends what has been silent or slow for too long; called about once a second. */
  sweep(now: number): void {
    const { limits } = this.site
    if (this.phase === 'tunnel') {
      this.tunnel?.sweep(now, limits.tunnelIdleMs)
      return
    }
    if (this.phase === 'waiting') {
      if (this.queuedAt !== undefined) {
        if (now - this.queuedAt > limits.queueMs) {
          this.site.leaveQueue(this)
          this.refuseBusy()
        }
      } else if ((this.upload?.overdueMs(now, limits.uploadStartMs, limits.uploadBytesPerSecond) ?? 0) > 0)
        this.refuse('request_timeout', 'ERR_UPLOAD_SLOW')
      else this.checkHeadDeadline(now)
      return
    }
    if (this.phase === 'over' || now - this.lastProgress <= limits.bodyIdleMs) return
    // A stream may be silent, but a reader that takes nothing of what is there holds an upstream's connection.
    if (!this.isStream || this.paused) this.fail(this.paused ? 'ERR_CLIENT_STALLED' : 'UND_ERR_BODY_TIMEOUT')
  }

  // undici's own timer begins anew with each 1xx answer.
  private checkHeadDeadline(now: number): void {
    const { startedAt } = this.attempts
    if (startedAt === undefined) return
    const since = this.upload === undefined ? startedAt : this.upload.waitingSince
    if (since !== undefined && now - Math.max(since, startedAt) > this.site.limits.headMs)
      this.fail('UND_ERR_HEADERS_TIMEOUT')
  }

  /** No further request comes after this one on the client's connection. */
  closeAfterwards(): void {
    if (!this.response.headersSent) this.response.shouldKeepAlive = false
  }

  /** Breaks it off on both sides. */
  abandon(): void {
    if (this.phase === 'tunnel') this.tunnel?.cut()
    else if (this.phase !== 'over') this.fail('ERR_GATEWAY_CLOSING')
  }

  // RFC 9112, section 6.3, rule 1.
  private hasNoBody(status: number): boolean {
    return status === 204 || status === 304 || this.exchange.incoming.method === 'HEAD'
  }

  private fail(reason: string): void {
    if (isOfUpstream(reason)) this.attempts.judge(reason)
    this.refuse(codeOfFailure(reason), reason)
  }

  private refuseBusy(): void {
    this.refuse('unavailable', undefined, [['Retry-After', '1']])
  }

  // Without a reason it is no failure of the upstream's.
  private refuse(
    code: Parameters<typeof respondWithCode>[3],
    reason: string | undefined,
    headers: readonly (readonly [string, string])[] = [],
  ): void {
    const { phase } = this
    const isHeld = phase === 'waiting' || this.heldHead !== undefined
    this.heldHead = undefined
    this.stop(
      phase === 'discarding' || reason === undefined
        ? { outcome: 'answered' }
        : { outcome: 'failed', reason },
    )
    if (isHeld) {
      if (!this.response.headersSent && !this.response.destroyed)
        respondWithCode(this.request, this.response, this.exchange, code, headers)
    } else if (phase === 'streaming') cutConnection(this.request.socket)
    this.upload?.discardRest()
  }

  // Takes the upstream's connection down where an answer is still due on it.
  private stop(end: { outcome: TransferEnd['outcome']; reason?: string }): void {
    this.finish(end)
    this.controller?.abort(new TransferOver())
    if (!this.isDispatched) {
      this.upload?.destroy()
      this.settle()
    }
  }

  private finish(end: { outcome: TransferEnd['outcome']; reason?: string }): void {
    this.phase = 'over'
    this.end ??= { outcome: end.outcome, status: this.status, reason: end.reason }
  }

  // undici reports the end of every request it was given exactly once, so a slot is free again exactly once.
  private settle(): void {
    if (this.settled) return
    this.settled = true
    this.attempts.leave()
    const end = this.end ?? { outcome: 'failed', status: this.status, reason: 'unknown' }
    this.site.ended(this, end, this.hasSlot)
  }
}

class TransferOver extends Error {
  readonly code = 'ERR_TRANSFER_OVER'
  constructor() {
    super('this transfer is over')
  }
}
