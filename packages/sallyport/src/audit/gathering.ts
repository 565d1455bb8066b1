// Keeps a flood of refusals from being a flood of entries: the first of a kind are told as they come, the rest of a window
// as one event with their number. What it remembers is bounded, and so is what it tells in a window.

import type { AuditEvent, AuditSink } from '../ports/audit.ts'

/** How long refusals of a kind are counted together. */
export const WINDOW_SECONDS = 300
/** Kinds remembered at once: action, code, place and caller. All others of a window are told without their callers. */
export const KINDS = 512

/** Runs something later; returns what cancels it. Milliseconds. */
type Later = (run: () => void, ms: number) => () => void

/** What a gathering may be given; each has a default. */
export interface GatheringOptions {
  readonly windowMs?: number
  readonly kinds?: number
  /** Absent where a runtime keeps no timers: a window's number is then told with the next refusal. */
  readonly later?: Later
}

/** Takes refusals. */
export interface Gathering {
  /**
   * @param kind tells callers apart: whoever has the same is counted together
   * @param first so many of a kind are told one by one
   */
  tell(event: AuditEvent, kind: string, first: number): void
  /** Tells what is counted, whether or not its window is over. */
  flush(): void
  /** Kinds that are remembered. */
  readonly size: number
}

interface Kind {
  readonly event: AuditEvent
  readonly since: number
  told: number
  more: number
}

/** @param clock milliseconds since the epoch */
export function createGathering(
  sink: AuditSink,
  clock: () => number,
  { windowMs = WINDOW_SECONDS * 1_000, kinds = KINDS, later }: GatheringOptions = {},
): Gathering {
  // All windows are as long, so the first of a map is the first to end.
  const known = new Map<string, Kind>()
  // As many as there are actions and codes.
  const others = new Map<string, Kind>()
  let cancel: (() => void) | undefined

  function end(map: Map<string, Kind>, name: string, { event, more }: Kind): void {
    map.delete(name)
    if (more === 0) return
    // Which of them came with this request is of no more interest.
    const { requestId: _requestId, at: _at, ...rest } = event
    const seconds = windowMs / 1_000
    sink.record({ ...rest, details: { ...event.details, more, seconds } })
  }

  function sweep(now: number): void {
    for (const map of [known, others])
      for (const [name, kind] of map) {
        // A clock that was set back must not make a window last for ever.
        if (Math.abs(now - kind.since) < windowMs) break
        end(map, name, kind)
      }
    if (known.size + others.size === 0) {
      cancel?.()
      cancel = undefined
    }
  }

  function sweepLater(): void {
    cancel ??= later?.(() => {
      cancel = undefined
      sweep(clock())
      if (known.size + others.size > 0) sweepLater()
    }, windowMs)
  }

  return {
    tell(event, kind, first) {
      const now = clock()
      sweep(now)
      const before = known.get(kind)
      if (before !== undefined) {
        if (before.told >= first) before.more++
        else {
          before.told++
          sink.record(event)
        }
        return
      }
      if (known.size < kinds) {
        known.set(kind, { event, since: now, told: 1, more: 0 })
        sink.record(event)
      } else {
        const { action, outcome, control, code } = event
        const name = `${action} ${code}`
        const other = others.get(name)
        if (other) other.more++
        else
          others.set(name, {
            event: {
              action,
              outcome,
              ...(control === undefined ? {} : { control }),
              ...(code === undefined ? {} : { code }),
              details: { callers: 'many' },
            },
            since: now,
            told: 0,
            more: 1,
          })
      }
      sweepLater()
    },
    flush() {
      for (const map of [known, others]) for (const [name, kind] of map) end(map, name, kind)
      cancel?.()
      cancel = undefined
    },
    get size() {
      return known.size + others.size
    },
  }
}
