// Hands requests on to one upstream: starts a transfer for each, shares out the slots, watches over all of them.

import type { IncomingMessage, ServerResponse } from 'node:http'
import { performance } from 'node:perf_hooks'
import { type Exchange, respondWithCode } from 'sallyport/node'
import { MAX_CONNECTIONS, openPool, type UpstreamTimeouts } from './pool.ts'
import { createShares, shareKey } from './shares.ts'
import { Transfer, type TransferLimits, type TransferSite, type UpstreamKeepAlive } from './transfer.ts'
import { createUnderWay } from './under-way.ts'

/** Every limit of forwarding. */
export interface ForwardLimits extends UpstreamTimeouts, TransferLimits {
  /** Requests that one client, by its IPv4 address or IPv6 /64, may have on their way to the upstream. */
  readonly slotsPerClient: number
}

/** Beginnings of bodies that wait for the rest, of all requests together; one client has a quarter. Bytes. */
const HELD_TOTAL = 67_108_864

const FORWARD_LIMITS: ForwardLimits = {
  connectMs: 5_000,
  headMs: 30_000,
  bodyIdleMs: 60_000,
  uploadStartMs: 30_000,
  uploadBytesPerSecond: 1_024,
  slotsPerClient: MAX_CONNECTIONS / 4,
}

/** The way to one upstream. */
export interface Forwarder {
  forward(request: IncomingMessage, response: ServerResponse, exchange: Exchange): void
  /** Makes what is under way the last of its connections. */
  drain(): void
  /** Breaks off all that is under way; returns how many there were. */
  abandonAll(): number
  destroy(): Promise<void>
}

/** @param onFailure is told of each request that failed because of the upstream, with an error code */
export function createForwarder(
  upstream: URL,
  overrides: Partial<ForwardLimits>,
  onFailure: (exchange: Exchange, reason: string) => void,
  keepAlive: UpstreamKeepAlive = 'clean',
): Forwarder {
  const limits = { ...FORWARD_LIMITS, ...overrides }
  const pool = openPool(upstream, limits)
  const underWay = createUnderWay<Transfer>()
  const slots = createShares(MAX_CONNECTIONS, limits.slotsPerClient)
  const held = createShares(HELD_TOTAL, HELD_TOTAL / 4)

  function release(transfer: Transfer): void {
    held.give(transfer.client, transfer.heldBytes)
    transfer.heldBytes = 0
  }

  const site: TransferSite = {
    limits,
    keepAlive,
    now: () => performance.now(),
    takeSlot(transfer) {
      transfer.hasSlot = slots.take(transfer.client, 1)
      return transfer.hasSlot
    },
    holdBytes(transfer, bytes) {
      const isHeld = held.take(transfer.client, bytes)
      if (isHeld) transfer.heldBytes += bytes
      return isHeld
    },
    dispatched: release,
    ended(transfer, end) {
      release(transfer)
      if (transfer.hasSlot) slots.give(transfer.client, 1)
      underWay.remove(transfer)
      if (end.outcome === 'failed') onFailure(transfer.exchange, end.reason ?? 'unknown')
    },
  }

  // One timer for all: a timer for each request costs more than the request.
  const sweepMs = Math.min(1_000, limits.bodyIdleMs / 4, limits.uploadStartMs / 4, limits.headMs / 4)
  const sweeper = setInterval(() => {
    const now = site.now()
    for (const transfer of underWay.all()) transfer.sweep(now)
  }, sweepMs)
  sweeper.unref()

  return {
    forward(request, response, exchange) {
      // Only a path can be handed on; "*" and the other forms of a target belong to the server that is asked.
      if (!exchange.target.startsWith('/'))
        return respondWithCode(request, response, exchange, 'target_invalid')
      const transfer = new Transfer(request, response, exchange, site, shareKey(exchange))
      underWay.add(transfer)
      transfer.start(pool)
    },
    drain() {
      for (const transfer of underWay.all()) transfer.closeAfterwards()
    },
    abandonAll() {
      const left = underWay.all()
      for (const transfer of left) transfer.abandon()
      return left.length
    },
    async destroy() {
      clearInterval(sweeper)
      await pool.destroy()
    },
  }
}
