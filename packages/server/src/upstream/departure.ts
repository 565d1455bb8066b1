// A request on its way out: the beginning of its body is held, then it takes a slot, and then it is sent, once more where
// that can do no harm.

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Readable } from 'node:stream'
import type { Dispatcher } from 'undici'
import { judgeSignIn } from '../lockout/gate.ts'
import { Attempts } from './attempts.ts'
import { requestHead } from './request-head.ts'
import type { Transfer } from './transfer.ts'
import type { TransferSite } from './transfer-site.ts'
import { Upload } from './upload.ts'

// So much of a request's body is here before it takes a slot: an idle upload keeps nobody from the upstream; bytes.
const HELD_BYTES = 65_536
// 1xx answers are not passed on; more than these come from no sane program.
const MAX_INFORMATIONAL = 8

const NO_BODY = Buffer.alloc(0)

/** What is sent, as often as it is. */
interface Outgoing {
  readonly headers: string[]
  readonly body: Buffer | Readable | null
}

export class Departure {
  private readonly transfer: Transfer
  private readonly site: TransferSite
  private readonly request: IncomingMessage
  private readonly response: ServerResponse
  private readonly opens: boolean
  private outgoing: Outgoing | undefined
  private queuedAt: number | undefined
  private upload: Upload | undefined
  private isRisky = false
  private informational = 0
  readonly attempts: Attempts
  hasSlot = false
  /** Whether undici has it, and will tell of its end. */
  isDispatched = false

  constructor(
    transfer: Transfer,
    request: IncomingMessage,
    response: ServerResponse,
    site: TransferSite,
    opens: boolean,
  ) {
    this.transfer = transfer
    this.request = request
    this.response = response
    this.site = site
    this.opens = opens
    this.attempts = new Attempts(site, transfer)
  }

  /** @param isAsked whether the client waits for our word before it sends its body (RFC 9110, section 10.1.1) */
  start(isAsked: boolean): void {
    const { transfer, site } = this
    const { headers, body } = requestHead(transfer.exchange)
    if (body.kind === 'none' || (body.kind === 'length' && body.bytes === 0)) {
      this.pass({ headers, body: null }, NO_BODY)
      return
    }
    const upload = new Upload(this.request, site.now)
    this.upload = upload
    if (isAsked) this.response.writeContinue()
    upload.hold(HELD_BYTES, (bytes, isReady) => {
      // The guard has answered already: the body grew over its limit.
      if (this.response.headersSent) transfer.refuse('unavailable', undefined)
      else if (!site.holdBytes(transfer, bytes)) this.refuseBusy()
      else if (isReady) {
        this.isRisky = upload.isRequestLike
        const whole = transfer.exchange.signIn && upload.whole()
        this.pass({ headers, body: upload.asBody(body.kind === 'length') }, whole)
      }
    })
  }

  // A guess at a password is counted before the upstream hears of it.
  private pass(outgoing: Outgoing, whole: Buffer | undefined): void {
    const { transfer } = this
    const judgement = judgeSignIn(transfer.exchange, whole)
    if (judgement === undefined) this.queue(outgoing)
    else
      void judgement.then(
        (denial) => {
          // The client may have left meanwhile.
          if (!transfer.isWaiting) return
          if (denial === undefined) this.queue(outgoing)
          else transfer.refuse(denial.code, undefined, denial.headers?.pairs, denial.challenge)
        },
        // What can't be counted is not verified, and a fault of ours ends no process.
        () => transfer.isWaiting && transfer.refuse('internal', undefined),
      )
  }

  private queue(outgoing: Outgoing): void {
    this.outgoing = outgoing
    const answer = this.site.askSlot(this.transfer)
    if (answer === 'taken') this.proceed()
    else if (answer === 'full') this.refuseBusy()
    else this.queuedAt = this.site.now()
  }

  private refuseBusy(): void {
    this.transfer.refuse('unavailable', undefined, [['Retry-After', '1']])
  }

  /** The slot is there. */
  proceed(): void {
    this.hasSlot = true
    this.queuedAt = undefined
    this.isDispatched = true
    this.site.dispatched(this.transfer)
    this.send()
  }

  private send(): void {
    const { transfer, outgoing, opens, site } = this
    // Over already, where the client left between two attempts.
    if (!transfer.isWaiting || outgoing === undefined) {
      transfer.settle()
      return
    }
    const { exchange } = transfer
    const { method } = exchange.incoming
    const retires = opens || method === 'HEAD' || (this.isRisky && site.keepAlive === 'clean')
    this.attempts.next().dispatch(
      {
        path: exchange.target,
        method: method as Dispatcher.HttpMethod,
        headers: outgoing.headers,
        body: outgoing.body,
        // An upstream that ignores a body reads it as the next request, and its answer would go to another caller: a
        // connection that has carried such a body carries nothing after it. Nor after HEAD, which some answer with a
        // body.
        reset: retires,
        upgrade: opens ? 'websocket' : null,
      },
      transfer,
    )
  }

  /** Sends it once more where that can do no harm; by another address where there is one. */
  sendAgain(reason: string, isAnswered: boolean): boolean {
    if (!this.transfer.isWaiting || this.response.headersSent) return false
    const { method } = this.transfer.exchange.incoming
    const body = this.outgoing?.body
    const isWhole = body === null || Buffer.isBuffer(body)
    if (!this.attempts.mayRepeat({ method, reason, isWhole, isAnswered })) return false
    // Not from within undici, which has not yet put its own house in order.
    queueMicrotask(() => this.send())
    return true
  }

  /** Ends what has waited too long for a place, for its body or for a head; called while no answer has begun. */
  sweep(now: number): void {
    const { transfer, site, upload } = this
    const { limits } = site
    if (this.queuedAt !== undefined) {
      if (now - this.queuedAt <= limits.queueMs) return
      site.leaveQueue(transfer)
      this.refuseBusy()
    } else if ((upload?.overdueMs(now, limits.uploadStartMs, limits.uploadBytesPerSecond) ?? 0) > 0)
      transfer.refuse('request_timeout', 'ERR_UPLOAD_SLOW')
    else this.checkHeadDeadline(now)
  }

  /** An answer of the class 1xx has come. */
  informed(now: number): void {
    this.informational++
    if (this.informational > MAX_INFORMATIONAL) this.transfer.fail('ERR_UPSTREAM_INFORMATIONAL')
    else this.checkHeadDeadline(now)
  }

  // undici's own timer begins anew with each 1xx answer.
  private checkHeadDeadline(now: number): void {
    const { startedAt } = this.attempts
    if (startedAt === undefined) return
    const since = this.upload === undefined ? startedAt : this.upload.waitingSince
    if (since !== undefined && now - Math.max(since, startedAt) > this.site.limits.headMs)
      this.transfer.fail('UND_ERR_HEADERS_TIMEOUT')
  }

  /** Nobody will send the body any more. */
  giveUp(): void {
    this.upload?.destroy()
  }

  /** A client that still sends must see its answer. */
  discardRest(): void {
    this.upload?.discardRest()
  }
}
