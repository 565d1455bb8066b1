// One upstream: its addresses, the slots for requests to it, and what became of them.

import { Address, createBalance } from './balance.ts'
import type { EjectionLimits } from './ejection.ts'
import type { PeerTls } from './peer-tls.ts'
import { openPool, type UpstreamTimeouts } from './pool.ts'
import type { Shares } from './shares.ts'
import { createSlots } from './slots.ts'
import type { Transfer } from './transfer.ts'
import type { TransferEnd, TransferLimits, TransferSite, UpstreamKeepAlive } from './transfer-site.ts'

/** Every limit of forwarding to one upstream. */
export interface ForwardLimits extends UpstreamTimeouts, TransferLimits {
  /** Requests and tunnels at the same time. */
  readonly connections: number
  /** How many of them one client may have, by its IPv4 address or IPv6 /64. */
  readonly slotsPerClient: number
  /** Requests that may wait for a slot. */
  readonly queue: number
}

/** What an upstream is made of. */
export interface UpstreamOptions {
  readonly name: string
  /** Origins. */
  readonly urls: readonly URL[]
  readonly limits: ForwardLimits
  readonly keepAlive: UpstreamKeepAlive
  readonly retries: 0 | 1
  /** Without it no address is ever left out. */
  readonly ejection: EjectionLimits | undefined
  readonly tls: PeerTls
}

/** How one address has done. */
export interface AddressReport {
  /** Its origin. */
  readonly url: string
  /** Requests and tunnels under way. */
  readonly inFlight: number
  /** Requests sent, those sent again among them. */
  readonly total: number
  /** Failures by their reason: an error code, or `status_502` and its like. */
  readonly failures: Readonly<Record<string, number>>
  /** How much longer it is left out, milliseconds; 0 where its trial is due, `undefined` where it takes part. */
  readonly ejectedForMs: number | undefined
  /** How often it was left out. */
  readonly ejections: number
}

/** How one upstream has done. */
export interface UpstreamReport {
  readonly name: string
  readonly connections: number
  /** Requests that wait for a slot. */
  readonly waiting: number
  /** Requests that were refused because there was no slot. */
  readonly refused: number
  /** Requests that were sent a second time. */
  readonly retried: number
  readonly addresses: readonly AddressReport[]
}

/** A running upstream. */
export interface Upstream {
  readonly site: TransferSite
  report(): UpstreamReport
  destroy(): Promise<void>
}

/**
 * Opens an upstream.
 *
 * @param held beginnings of bodies, counted for all upstreams together
 * @param onEnded is told of each transfer that is over
 */
export function openUpstream(
  { name, urls, limits, keepAlive, retries, ejection, tls }: UpstreamOptions,
  now: () => number,
  held: Shares,
  onEnded: (transfer: Transfer, end: TransferEnd) => void,
): Upstream {
  const { connections } = limits
  const balance = createBalance(
    urls.map((url) => new Address(url.origin, openPool(url, limits, connections, tls), ejection)),
    now,
  )
  const slots = createSlots<Transfer>(connections, limits.slotsPerClient, limits.queue)
  let refused = 0
  let retried = 0

  function release(transfer: Transfer): void {
    held.give(transfer.client, transfer.heldBytes)
    transfer.heldBytes = 0
  }

  return {
    site: {
      limits,
      keepAlive,
      retries,
      hasOthers: urls.length > 1,
      now,
      askSlot(transfer) {
        const answer = slots.ask(transfer)
        if (answer === 'full') refused++
        return answer
      },
      leaveQueue(transfer) {
        refused++
        slots.leave(transfer)
      },
      holdBytes(transfer, bytes) {
        const isHeld = held.take(transfer.client, bytes)
        if (isHeld) transfer.heldBytes += bytes
        return isHeld
      },
      dispatched: release,
      choose(transfer, except) {
        if (except !== undefined) retried++
        return balance.choose(transfer, except)
      },
      good: balance.good,
      bad: balance.bad,
      left: balance.left,
      ended(transfer, end, hadSlot) {
        release(transfer)
        if (hadSlot) slots.give(transfer)
        else slots.leave(transfer)
        onEnded(transfer, end)
      },
    },
    report: () => ({
      name,
      connections,
      waiting: slots.waiting,
      refused,
      retried,
      addresses: balance.addresses.map(({ url, inFlight, total, failures, health }) => ({
        url,
        inFlight,
        total,
        failures: Object.fromEntries(failures),
        ejectedForMs: health.ejectedUntil && Math.max(0, health.ejectedUntil - now()),
        ejections: health.ejections,
      })),
    }),
    async destroy() {
      await Promise.all(balance.addresses.map(({ way }) => way.destroy()))
    },
  }
}
