// Tells the audit log who went over a limit: once for each bucket and caller in a window, not once for each request, or
// a flood of requests would be a flood of records.

import type { Exchange } from '../../guard/exchange.ts'
import type { AuditSink } from '../../ports/audit.ts'
import type { CounterRequest, CounterVerdict } from '../../ports/counters.ts'

/** Callers remembered at once; beyond that nothing is told until one of them may be told again. */
const CALLERS = 10_000
/** How many are looked at for one that may be forgotten. */
const LOOKS = 8

/** Takes a refused request. */
export type Note = (exchange: Exchange, requests: readonly CounterRequest[], verdict: CounterVerdict) => void

/** @param clock milliseconds since the epoch; a step back only delays what is told */
export function notesTo(audit: AuditSink, clock: () => number, callers = CALLERS): Note {
  const quietUntil = new Map<string, number>()

  function forget(now: number): void {
    let looked = 0
    for (const [id, until] of quietUntil) {
      quietUntil.delete(id)
      // Looked at again last, so that one long window does not hide the lapsed ones behind it.
      if (until > now) quietUntil.set(id, until)
      if (++looked === LOOKS) return
    }
  }

  return (exchange, requests, verdict) => {
    const now = clock()
    for (const [index, { bucket, key, windowMs, limit }] of requests.entries()) {
      if (verdict.decisions[index]?.allowed !== false) continue
      const id = `${bucket} ${key}`
      const until = quietUntil.get(id)
      if (until !== undefined && until > now) continue
      if (until === undefined && quietUntil.size >= callers) forget(now)
      if (until === undefined && quietUntil.size >= callers) continue
      quietUntil.set(id, now + windowMs)
      const { principal, client, requestId } = exchange
      audit.record({
        action: 'limit.exceeded',
        outcome: 'denied',
        ...(principal && { organisation: principal.organisation, credential: principal.credential.id }),
        ...(principal?.subject !== undefined && { actor: principal.subject }),
        control: 'SP-LIMITS-01',
        code: 'too_many_requests',
        cell: exchange.cell.id,
        ...(client.address !== undefined && { address: client.address }),
        ...(requestId !== '' && { requestId }),
        details: { bucket, limit, windowSeconds: windowMs / 1000 },
      })
    }
  }
}
