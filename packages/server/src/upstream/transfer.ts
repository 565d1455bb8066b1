// One request on its way to the upstream and its answer on the way back. But for the beginning of a request's body
// nothing is buffered here: each side is paused while the other is slow, and the end of either is the end of both.

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { type Exchange, respondWithCode } from 'sallyport/node'
import type { Dispatcher } from 'undici'
import { cutConnection } from './cut.ts'
import { Delivery } from './delivery.ts'
import { Departure } from './departure.ts'
import { codeOfFailure, isGatewayStatus, isOfUpstream, reasonOf, TransferOver } from './failure.ts'
import { openingHead } from './handshake.ts'
import type { Line, OnLine } from './pool.ts'
import { responseHead } from './response-head.ts'
import type { Waiting } from './slots.ts'
import type { Opening, TransferEnd, TransferSite } from './transfer-site.ts'
import { openTunnel, type Tunnel } from './tunnel.ts'
import type { Member } from './under-way.ts'

type Controller = Dispatcher.DispatchController
type Phase = 'waiting' | 'answering' | 'tunnel' | 'over'

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
  readonly site: TransferSite
  private readonly opening: Opening | undefined
  private readonly departure: Departure
  private delivery: Delivery | undefined
  private tunnel: Tunnel | undefined
  private controller: Controller | undefined
  private phase: Phase = 'waiting'
  private end: TransferEnd | undefined
  private status: number | undefined
  private isBegun = false
  private settled = false

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
    this.departure = new Departure(this, request, response, site, opening !== undefined)
  }

  /**
   * Sends the request on, as soon as enough of its body is here.
   *
   * @param isAsked whether the client waits for our word before it sends its body (RFC 9110, section 10.1.1)
   */
  start(isAsked: boolean): void {
    this.response.on('close', this.onClientClose)
    this.departure.start(isAsked)
  }

  proceed(): void {
    this.departure.proceed()
  }

  /** True before any answer. */
  get isWaiting(): boolean {
    return this.phase === 'waiting'
  }

  onRequestStart(controller: Controller): void {
    this.controller = controller
    this.departure.attempts.begun(this.line)
    if (this.phase === 'over') controller.abort(new TransferOver())
  }

  // The first byte has come. A head of which only a part came is none for undici, but the upstream has begun to act.
  onResponseStarted(): void {
    this.isBegun = true
  }

  onResponseStart(controller: Controller, status: number): void {
    const { site, departure } = this
    if (status >= 100 && status < 200) {
      departure.informed(site.now())
      return
    }
    if (this.isAnswered()) return
    const head = responseHead(status, (controller.rawHeaders ?? []) as Buffer[])
    if (typeof head === 'string') {
      this.fail(`ERR_UPSTREAM_HEAD_${head.toUpperCase().replaceAll('-', '_')}`)
      return
    }
    departure.attempts.judge(isGatewayStatus(status) ? `status_${status}` : undefined)
    this.status = status
    this.phase = 'answering'
    const delivery = new Delivery(this.request, this.response, this.exchange, status, head, site.now())
    this.delivery = delivery
    const isRetired = site.keepAlive === 'clean' && delivery.isEmpty
    delivery.begin(isRetired)
    if (!isRetired || this.isOver) return
    // The answer is whole with its head, so the connection can end at once.
    delivery.end()
    this.stop('answered')
    departure.discardRest()
  }

  onRequestUpgrade(controller: Controller, status: number, _headers: unknown, socket: Duplex): void {
    const { opening, response, request } = this
    if (opening === undefined || this.isAnswered()) return
    const head = openingHead(opening.handshake, (controller.rawHeaders ?? []) as Buffer[])
    if (typeof head === 'string') {
      this.fail(`ERR_UPSTREAM_HANDSHAKE_${head.toUpperCase()}`)
      return
    }
    this.departure.attempts.judge()
    this.status = status
    this.phase = 'tunnel'
    response.writeHead(status, head)
    response.flushHeaders()
    this.tunnel = openTunnel(request.socket, socket, opening.ahead, this.site.now(), () => {
      this.finish('answered')
      this.settle()
    })
  }

  private get isOver(): boolean {
    return this.phase === 'over'
  }

  // By the guard: the request's body grew over its limit while the upstream was at work.
  private isAnswered(): boolean {
    if (this.isWaiting && !this.response.headersSent) return false
    this.stop('answered')
    return true
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    const { delivery } = this
    if (this.phase !== 'answering' || delivery === undefined) return
    const taken = delivery.take(chunk, this.site.now())
    if (taken === 'enough') this.stop('answered')
    else if (taken === 'full') {
      controller.pause()
      this.response.once('drain', () => {
        if (this.phase !== 'answering' || delivery.isDiscarding) return
        delivery.drained(this.site.now())
        this.controller?.resume()
      })
    }
  }

  onResponseEnd(): void {
    const isAnswering = this.phase === 'answering'
    this.finish('answered')
    this.settle()
    if (isAnswering) this.delivery?.end()
    this.departure.discardRest()
  }

  onResponseError(_controller: Controller, error: Error): void {
    try {
      const reason = reasonOf(error)
      if (this.departure.sendAgain(reason, this.isBegun)) {
        this.controller = undefined
        return
      }
      if (this.phase !== 'over') this.fail(reason)
    } catch {
      // undici has nobody to give an error of its handler to, and would end the process by it.
      this.request.socket.destroy()
    }
    this.settle()
  }

  private readonly onClientClose = (): void => {
    if (this.phase === 'over' || this.phase === 'tunnel' || this.delivery?.isDiscarding) return
    this.stop(this.response.writableFinished ? 'answered' : 'client-gone')
  }

  /** Ends what has been silent or slow for too long; called about once a second. */
  sweep(now: number): void {
    const { limits } = this.site
    if (this.phase === 'waiting') this.departure.sweep(now)
    else if (this.phase === 'tunnel') this.tunnel?.sweep(now, limits.tunnelIdleMs)
    else if (this.phase === 'answering') {
      const reason = this.delivery?.stalledBy(now, limits.bodyIdleMs)
      if (reason !== undefined) this.fail(reason)
    }
  }

  /** No further request comes after this one on the client's connection. */
  closeAfterwards(): void {
    if (!this.response.headersSent) this.response.shouldKeepAlive = false
  }

  /** Breaks it off on both sides. */
  abandon(): void {
    if (this.phase === 'tunnel') this.tunnel?.leave()
    else if (this.phase !== 'over') this.fail('ERR_GATEWAY_CLOSING')
  }

  /** @param reason an error code */
  fail(reason: string): void {
    if (isOfUpstream(reason)) this.departure.attempts.judge(reason)
    this.refuse(codeOfFailure(reason), reason)
  }

  /** Without a reason it is no failure of the upstream's. */
  refuse(
    code: Parameters<typeof respondWithCode>[3],
    reason: string | undefined,
    headers: readonly (readonly [string, string])[] = [],
    challenge?: Parameters<typeof respondWithCode>[5],
  ): void {
    const { phase, delivery } = this
    const isDiscarding = delivery?.isDiscarding === true
    const isHeld = delivery?.takeBack() === true || phase === 'waiting'
    if (isDiscarding || reason === undefined) this.stop('answered')
    else this.stop('failed', reason)
    if (isHeld) {
      if (!this.response.headersSent && !this.response.destroyed)
        respondWithCode(this.request, this.response, this.exchange, code, headers, challenge)
    } else if (phase === 'answering' && !isDiscarding) cutConnection(this.request.socket)
    this.departure.discardRest()
  }

  // Takes the upstream's connection down where an answer is still due on it.
  private stop(outcome: TransferEnd['outcome'], reason?: string): void {
    this.finish(outcome, reason)
    this.controller?.abort(new TransferOver())
    if (!this.departure.isDispatched) {
      this.departure.giveUp()
      this.settle()
    }
  }

  private finish(outcome: TransferEnd['outcome'], reason?: string): void {
    this.phase = 'over'
    this.end ??= { outcome, status: this.status, reason }
  }

  /** undici reports the end of every request it was given exactly once, so a slot is free again exactly once. */
  settle(): void {
    if (this.settled) return
    this.settled = true
    this.departure.attempts.leave()
    const end = this.end ?? { outcome: 'failed', status: this.status, reason: 'unknown' }
    this.site.ended(this, end, this.departure.hasSlot)
  }
}
