// Connections that were closed before anything was asked, by reason. Who floods the gateway with them must not flood its
// log: each reason is told once a minute at most, with how many there were since.

import { createLabelledCounter, type Family } from './families.ts'

/** Counts refused connections. */
export interface Refusals {
  /** @param reason one of few: a series and a line for each */
  add(reason: string): void
  family(): Family
}

const QUIET_MS = 60_000
const MAX_REASONS = 100

/** @param tell takes a sentence for the operator */
export function createRefusals(tell: (sentence: string) => void, clock: () => number): Refusals {
  const counter = createLabelledCounter(
    'sallyport_connections_refused_total',
    'Connections closed before anything was asked.',
    ['reason'],
    MAX_REASONS,
  )
  const told = new Map<string, { at: number; untold: number }>()
  return {
    add(reason) {
      counter.add([reason])
      const at = clock()
      const before = told.get(reason)
      if (before !== undefined && at - before.at < QUIET_MS) {
        before.untold++
        return
      }
      if (before === undefined && told.size >= MAX_REASONS) return
      tell(before?.untold ? `${reason}, and ${before.untold} more before` : reason)
      told.set(reason, { at, untold: 0 })
    },
    family: counter.family,
  }
}
