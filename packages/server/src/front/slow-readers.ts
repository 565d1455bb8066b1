// Ends connections whose client takes what is there for it too slowly. Silence within a body has a limit of its own; this
// is for a client that takes a few bytes now and then, and holds what stands behind its connection for hours.

import type { Socket } from 'node:net'

/** How slow a client may be. */
export interface ReadingLimits {
  /** Milliseconds that something may wait for the client before its rate counts. */
  readonly startMs: number
  readonly bytesPerSecond: number
}

/** What holds unless it is said. */
export const READING_LIMITS: ReadingLimits = { startMs: 30_000, bytesPerSecond: 1_024 }

/** What is looked at of a connection. */
type Reader = Pick<Socket, 'writableLength' | 'bytesWritten' | 'destroy'>

interface Waiting {
  readonly since: number
  /** Bytes that had left for the client when the waiting began. */
  readonly left: number
}

/** Looks after connections; `sweep` is to be called about once a second. */
export interface SlowReaders {
  /** Looks at every connection, and ends those that are too slow; returns how many. */
  sweep(readers: Iterable<Reader>, now: number): number
}

/** Keeps a note of the connections on which something waits, and only of those. */
export function createSlowReaders({ startMs, bytesPerSecond }: ReadingLimits): SlowReaders {
  const waiting = new WeakMap<Reader, Waiting>()
  return {
    sweep(readers, now) {
      let ended = 0
      for (const reader of readers) {
        if (reader.writableLength === 0) {
          waiting.delete(reader)
          continue
        }
        // Node counts what it has queued as written.
        const left = reader.bytesWritten - reader.writableLength
        const known = waiting.get(reader)
        if (known === undefined) {
          waiting.set(reader, { since: now, left })
          continue
        }
        if (now - known.since <= startMs + ((left - known.left) * 1_000) / bytesPerSecond) continue
        reader.destroy()
        ended++
      }
      return ended
    },
  }
}
