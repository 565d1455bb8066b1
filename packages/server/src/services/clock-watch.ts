// Notices that the clock of this machine was set: no limit, lock or cache of ours goes by it, but times in logs do, and
// whoever reads them must know.

/** The clocks that are compared; milliseconds. */
export interface ClockWatchOptions {
  /** Since the epoch; may be set. `Date.now` */
  readonly wall?: () => number
  /** Never set. `performance.now()` */
  readonly steady?: () => number
  /** Calls back each so often, and answers how to call that off; `setInterval` */
  readonly every?: (ms: number, work: () => void) => () => void
}

const LOOK_MS = 1_000
/** More than a clock that is slewed, or a process that is late between two readings, can differ. */
const JUMP_MS = 2_000

/**
 * Begins to watch.
 *
 * @param onJump hears by how many milliseconds the clock was put forward; back where it is negative
 * @returns what ends it
 */
export function watchClock(onJump: (byMs: number) => void, options: ClockWatchOptions = {}): () => void {
  const { wall = () => Date.now(), steady = () => performance.now(), every = interval } = options
  let before = wall() - steady()
  return every(LOOK_MS, () => {
    const now = wall() - steady()
    const byMs = Math.round(now - before)
    before = now
    if (Math.abs(byMs) >= JUMP_MS) onJump(byMs)
  })
}

function interval(ms: number, work: () => void): () => void {
  const handle = setInterval(work, ms)
  handle.unref()
  return () => clearInterval(handle)
}
