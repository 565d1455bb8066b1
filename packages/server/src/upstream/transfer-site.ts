// What a transfer is given: the limits, and the upstream that shares out slots and addresses and keeps the accounts.

import type { Pool } from 'undici'
import type { Address } from './balance.ts'
import type { Handshake } from './handshake.ts'
import type { SlotAnswer } from './slots.ts'
import type { Transfer } from './transfer.ts'

/** Milliseconds, and bytes per second. */
export interface TransferLimits {
  /** The longest silence within a body, except in a stream that the client asked for. */
  readonly bodyIdleMs: number
  /** How long a client may take to send its body before the rate counts. */
  readonly uploadStartMs: number
  readonly uploadBytesPerSecond: number
  /** From the end of the request to the whole head of the answer, however many 1xx answers come before it. */
  readonly headMs: number
  /** How long a request waits for a slot. */
  readonly queueMs: number
  /** The longest silence of a tunnel. */
  readonly tunnelIdleMs: number
}

/**
 * Which connections carry another request. `clean`: not after a body that could itself be read as a request, nor after
 * an answer without a body. `all`: after these as well; only for an upstream that is known to read every body and to
 * write nothing unasked.
 */
export type UpstreamKeepAlive = 'clean' | 'all'

/** How a transfer ended, for the log and the counts. */
export interface TransferEnd {
  readonly outcome: 'answered' | 'failed' | 'client-gone'
  /** The upstream's status, where it gave one. */
  readonly status: number | undefined
  /** An error code, where it failed. */
  readonly reason: string | undefined
}

/** One address of the upstream. */
export type Way = Address<Pool>

/** What a transfer needs from its upstream. */
export interface TransferSite {
  readonly limits: TransferLimits
  readonly keepAlive: UpstreamKeepAlive
  /** How often a request may be sent again. */
  readonly retries: number
  /** Whether the upstream has several addresses. */
  readonly hasOthers: boolean
  /** Milliseconds that only go forward. */
  readonly now: () => number
  /** Asks for a slot, which `ended` gives back; where it is queued, `proceed` is called when it is there. */
  askSlot(transfer: Transfer): SlotAnswer
  leaveQueue(transfer: Transfer): void
  /** Counts bytes that are held, which `dispatched` or `ended` gives back; false where there is no room for them. */
  holdBytes(transfer: Transfer, bytes: number): boolean
  dispatched(transfer: Transfer): void
  /** Chooses where a request is sent, which `left` ends. */
  choose(transfer: Transfer, except?: Way): Way
  good(transfer: Transfer, way: Way): void
  bad(transfer: Transfer, way: Way, reason: string): void
  left(transfer: Transfer, way: Way): void
  /** Called once, when nothing of the transfer is left. */
  ended(transfer: Transfer, end: TransferEnd, hadSlot: boolean): void
}

/** What a request brings that may open a WebSocket. */
export interface Opening {
  readonly handshake: Handshake
  /** What the client sent behind its request. */
  readonly ahead: Buffer
}
