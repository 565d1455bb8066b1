// How long a request waits for the store. Only time in which this process could have read the answer counts: a loop that
// runs late is no outage, or whoever makes it late with a burst would be given the local share on top.

/** A timer that is later than this says that the loop was late, not the store; milliseconds. */
const LATE_MS = 10
/** However late the loop runs, nobody waits longer; milliseconds. */
const MOST_MS = 1000

export interface DeadlineOptions {
  readonly ms: number
  /** Milliseconds that never step back. */
  readonly clock: () => number
  /** Calls back after a time and answers how to call that off. */
  readonly timer: (ms: number, fire: () => void) => () => void
  /** Calls back once what has arrived meanwhile was read; `setImmediate`. */
  readonly afterReads: (then: () => void) => void
}

/** Settles as the reply does, and rejects where none came in time; the reply itself goes on. */
export function inTime<T>(reply: Promise<T>, { ms, clock, timer, afterReads }: DeadlineOptions): Promise<T> {
  const from = clock()
  return new Promise((resolve, reject) => {
    let isSettled = false
    let off: () => void
    const wait = (): void => {
      const due = clock() + ms
      off = timer(ms, () => {
        const late = clock() - due
        // Timers come before reads in a turn of the loop, so the answer may lie in the socket.
        afterReads(() => {
          if (isSettled) return
          if (late > LATE_MS && clock() - from < MOST_MS) wait()
          else reject(new Error(`The store did not answer within ${ms} ms.`))
        })
      })
    }
    wait()
    const settled = (): void => {
      isSettled = true
      off()
    }
    reply.then(
      (value) => {
        settled()
        resolve(value)
      },
      (cause: unknown) => {
        settled()
        reject(cause)
      },
    )
  })
}
