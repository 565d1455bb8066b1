// Server-sent events about the gateway's state: at once, then on every change, at most one a second; comments keep
// the connection alive. Readers that fall behind are dropped, so that no reader costs more than a bound.

import type { ServerResponse } from 'node:http'

/** Timers as an argument, so that tests own the time. */
export interface Timers {
  /** Calls back after so many milliseconds; returns what cancels it. */
  after(milliseconds: number, callback: () => void): () => void
}

/** Timers of the process; they keep nothing alive. */
const processTimers: Timers = {
  after(milliseconds, callback) {
    const timer = setTimeout(callback, milliseconds)
    timer.unref()
    return () => clearTimeout(timer)
  },
}

/** A stream of events to any number of readers. */
export interface StatusStream {
  /** True where no more readers are taken. */
  readonly isFull: boolean
  /** Takes a reader whose head is written. */
  open(response: ServerResponse, lastEventId: string | undefined): void
  /** Says that the state may have changed. */
  changed(): void
  /** Ends all readers; they come back by themselves. */
  close(): void
  readonly readers: number
}

/** Bounds and intervals. */
export interface StreamLimits {
  readonly minIntervalMs: number
  readonly heartbeatMs: number
  readonly retryMs: number
  /** Events kept for readers that come back. */
  readonly kept: number
  readonly maxReaders: number
  /** Bytes that a reader may be behind. */
  readonly maxBehindBytes: number
}

export const STREAM_LIMITS: StreamLimits = {
  minIntervalMs: 1_000,
  heartbeatMs: 15_000,
  retryMs: 3_000,
  kept: 64,
  maxReaders: 1_000,
  maxBehindBytes: 65_536,
}

interface Event {
  readonly number: number
  readonly text: string
}

/**
 * @param epoch tells the events of this process from those of an earlier one
 * @param snapshot the state as one line of JSON
 * @see WHATWG HTML, section 9.2 (server-sent events)
 */
export function createStatusStream(
  epoch: string,
  snapshot: () => string,
  timers: Timers = processTimers,
  limits: StreamLimits = STREAM_LIMITS,
): StatusStream {
  const readers = new Set<ServerResponse>()
  const kept: Event[] = []
  let number = 0
  let last = ''
  let cancelFlush: (() => void) | undefined
  let cancelHeartbeat: (() => void) | undefined
  let changedMeanwhile = false

  function publish(): void {
    const state = snapshot()
    if (state === last) return
    last = state
    number++
    const event = { number, text: `id: ${epoch}-${number}\nevent: status\ndata: ${state}\n\n` }
    kept.push(event)
    if (kept.length > limits.kept) kept.shift()
    for (const reader of readers) send(reader, event.text)
  }

  function send(reader: ServerResponse, text: string): void {
    if (reader.writableLength > limits.maxBehindBytes) {
      readers.delete(reader)
      reader.destroy()
      return
    }
    reader.write(text)
  }

  // One timer both limits the rate and remembers that there is more to say.
  function pace(): void {
    cancelFlush = timers.after(limits.minIntervalMs, () => {
      cancelFlush = undefined
      if (!changedMeanwhile) return
      changedMeanwhile = false
      if (readers.size === 0) return
      publish()
      pace()
    })
  }

  function beat(): void {
    cancelHeartbeat = timers.after(limits.heartbeatMs, () => {
      for (const reader of readers) send(reader, ': still here\n\n')
      if (readers.size > 0) beat()
      else cancelHeartbeat = undefined
    })
  }

  // What a returning reader missed, as far as it is kept; anyone else gets the state as it is.
  function missed(lastEventId: string | undefined): readonly Event[] {
    const match = /^([0-9a-z]{1,16})-(\d{1,15})$/.exec(lastEventId ?? '')
    const latest = kept.slice(-1)
    if (!match || match[1] !== epoch) return latest
    const seen = Number(match[2])
    if (seen > number || (kept[0] !== undefined && seen < kept[0].number - 1)) return latest
    return kept.filter((event) => event.number > seen)
  }

  return {
    get readers() {
      return readers.size
    },
    get isFull() {
      return readers.size >= limits.maxReaders
    },
    open(response, lastEventId) {
      // Within the second, the newest event is as good as the state, and the change is told to all when it is over.
      if (cancelFlush === undefined) publish()
      else changedMeanwhile = true
      response.write(
        `retry: ${limits.retryMs}\n\n${missed(lastEventId)
          .map((event) => event.text)
          .join('')}`,
      )
      readers.add(response)
      response.once('close', () => readers.delete(response))
      if (cancelFlush === undefined) pace()
      if (cancelHeartbeat === undefined) beat()
    },
    changed() {
      if (readers.size === 0) return
      if (cancelFlush !== undefined) {
        changedMeanwhile = true
        return
      }
      publish()
      pace()
    },
    close() {
      cancelFlush?.()
      cancelHeartbeat?.()
      for (const reader of readers) reader.end()
      readers.clear()
    },
  }
}
