// The guard that a running gateway asks: always the newest policy. A request carries its cell, and so the policy under
// which it came in, to its end; the swap is one assignment.

import type { Guard } from 'sallyport'
import type { Exchange } from 'sallyport/node'

type Incoming = Parameters<Guard['open']>[0]
type Verdict = Awaited<ReturnType<Guard['admit']>>

/** A guard whose policy can be replaced. */
export interface LiveGuard extends Guard {
  /** The guard of the newest policy. */
  readonly current: Guard
  swap(next: Guard): void
}

/** What may be told on the way. */
export interface LiveGuardEvents {
  opened?(exchange: Exchange): void
  judged?(exchange: Exchange, verdict: Verdict): void
  unreadable?(exchange: Exchange): void
}

export function createLiveGuard(first: Guard, events: LiveGuardEvents = {}): LiveGuard {
  let current = first
  return {
    get current() {
      return current
    },
    swap(next) {
      current = next
    },
    get policy() {
      return current.policy
    },
    get place() {
      return current.place
    },
    get strict() {
      return current.strict
    },
    get cells() {
      return current.cells
    },
    get wouldDo() {
      return current.wouldDo
    },
    open(incoming: Incoming) {
      const exchange = current.open(incoming)
      events.opened?.(exchange)
      return exchange
    },
    // The steps are those of the exchange's own cell, whichever guard is asked.
    admit(exchange) {
      const judgement = current.admit(exchange)
      if (judgement instanceof Promise)
        return judgement.then((verdict) => {
          events.judged?.(exchange, verdict)
          return verdict
        })
      events.judged?.(exchange, judgement)
      return judgement
    },
    refused: (exchange, code) => current.refused(exchange, code),
    unreadable(connection) {
      const exchange = current.unreadable(connection)
      events.unreadable?.(exchange)
      return exchange
    },
  }
}
