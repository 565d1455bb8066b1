// How late this process runs: a timer that should fire at a fixed pace, and how far behind it is.

export interface EventLoopDelayOptions {
  /** Milliseconds that never step back; `performance.now()`. */
  readonly clock?: () => number
  /** Calls back at a pace, in milliseconds, and answers how to call that off; a `setInterval` that keeps nothing alive. */
  readonly every?: (ms: number, tick: () => void) => () => void
}

export interface EventLoopDelay {
  /** For `services.load`. */
  readonly load: () => number
  stop(): void
}

const paceMs = 20
/** How much of what was seen before stays with each tick: about a fifth of a second. */
const memory = 0.9

function interval(ms: number, tick: () => void): () => void {
  const handle = setInterval(tick, ms) as ReturnType<typeof setInterval> & { unref?(): void }
  handle.unref?.()
  return () => clearInterval(handle)
}

/**
 * Measures how long callbacks wait in this process, in milliseconds. One long pause counts at once and fades within
 * half a second.
 */
export function eventLoopDelay(options: EventLoopDelayOptions = {}): EventLoopDelay {
  const { clock = () => performance.now(), every = interval } = options
  let last = clock()
  let delayMs = 0
  const stop = every(paceMs, () => {
    const now = clock()
    delayMs = Math.max(Math.max(0, now - last - paceMs), delayMs * memory)
    last = now
  })
  return {
    // What has not ticked for long is late by at least that, also before the next tick says so.
    load: () => Math.max(delayMs, clock() - last - paceMs),
    stop,
  }
}
