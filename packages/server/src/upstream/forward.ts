// Hands requests on to one upstream: takes a slot, starts a transfer, watches over all of them.

import type { IncomingMessage, ServerResponse } from 'node:http'
import { performance } from 'node:perf_hooks'
import { type Exchange, respondWithCode } from 'sallyport/node'
import { MAX_CONNECTIONS, openPool, type UpstreamTimeouts } from './pool.ts'
import { Transfer, type TransferLimits, type TransferSite } from './transfer.ts'

/** Every limit of forwarding. */
export interface ForwardLimits extends UpstreamTimeouts, TransferLimits {}

const FORWARD_LIMITS: ForwardLimits = {
  connectMs: 5_000,
  headMs: 30_000,
  bodyIdleMs: 60_000,
  uploadStartMs: 30_000,
  uploadBytesPerSecond: 1_024,
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
): Forwarder {
  const limits = { ...FORWARD_LIMITS, ...overrides }
  const pool = openPool(upstream, limits)
  const underWay = new Set<Transfer>()

  const site: TransferSite = {
    limits,
    now: () => performance.now(),
    ended(transfer, end) {
      underWay.delete(transfer)
      if (end.outcome === 'failed') onFailure(transfer.exchange, end.reason ?? 'unknown')
    },
  }

  // One timer for all: a timer for each request costs more than the request.
  const sweepMs = Math.min(1_000, limits.bodyIdleMs / 4, limits.uploadStartMs / 4)
  const sweeper = setInterval(() => {
    const now = site.now()
    for (const transfer of underWay) transfer.sweep(now)
  }, sweepMs)
  sweeper.unref()

  return {
    forward(request, response, exchange) {
      // Only a path can be handed on; "*" and the other forms of a target belong to the server that is asked.
      if (!exchange.target.startsWith('/'))
        return respondWithCode(request, response, exchange, 'target_invalid')
      if (underWay.size >= MAX_CONNECTIONS) {
        respondWithCode(request, response, exchange, 'unavailable', [['Retry-After', '1']])
        return
      }
      const transfer = new Transfer(request, response, exchange, site)
      underWay.add(transfer)
      transfer.start(pool)
    },
    drain() {
      for (const transfer of underWay) transfer.closeAfterwards()
    },
    abandonAll() {
      const left = [...underWay]
      for (const transfer of left) transfer.abandon()
      return left.length
    },
    async destroy() {
      clearInterval(sweeper)
      await pool.destroy()
    },
  }
}
