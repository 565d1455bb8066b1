// Whoever asks for many things that are not there looks for what somebody forgot: told once in a window for each caller.

import type { Needs } from '../../guard/control.ts'
import type { Exchange } from '../../guard/exchange.ts'
import { callerNetwork } from '../../policy/address.ts'
import type { AuditSink } from '../../ports/audit.ts'

/** So many in a window are many. */
const MANY = 20
const WINDOW_SECONDS = 60
/** Callers remembered at once; beyond that the one longest known is forgotten. */
const CALLERS = 10_000

/** Takes an answer that says that nothing is there. */
export type NotFound = (exchange: Exchange) => void

// The cells of a policy count together.
const counting = new WeakMap<AuditSink, NotFound>()

export function notFoundBursts(audit: AuditSink, { clock }: Needs): NotFound {
  let known = counting.get(audit)
  if (known === undefined) {
    known = countNotFound(audit, clock)
    counting.set(audit, known)
  }
  return known
}

function countNotFound(audit: AuditSink, clock: () => number, callers = CALLERS): NotFound {
  const counts = new Map<string, { readonly since: number; count: number }>()
  return ({ client, cell, requestId }) => {
    const { address } = client
    if (address === undefined) return
    const now = clock()
    const caller = callerNetwork(address)
    let one = counts.get(caller)
    if (one === undefined || Math.abs(now - one.since) >= WINDOW_SECONDS * 1_000) {
      counts.delete(caller)
      if (counts.size >= callers) counts.delete(counts.keys().next().value!)
      one = { since: now, count: 0 }
      counts.set(caller, one)
    }
    if (++one.count !== MANY) return
    audit.record({
      action: 'request.not_found_burst',
      outcome: 'failure',
      control: 'SP-AUDIT-01',
      cell: cell.id,
      address,
      ...(requestId !== '' && { requestId }),
      details: { answers: MANY, seconds: WINDOW_SECONDS },
    })
  }
}
