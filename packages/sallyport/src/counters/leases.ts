// Prepaid leases: a busy caller's requests are taken from the shared store some at a time and served from memory. A
// lease is older than its use, so the store counts over a window that is longer by a lease's life: the limit still holds
// in any window, over all processes.

import type { CounterRequest, Counters, CounterVerdict } from '../ports/counters.ts'

export interface LeasedCountersOptions {
  /** Where is counted. All processes must lease from it, or none: a lease counts over a longer window. */
  readonly counters: Counters
  /** Milliseconds that never step back; `performance.now()`. */
  readonly clock?: () => number
  /** A lease is at most this part of the limit, and lives for this part of the window; 200. */
  readonly parts?: number
  /** How many callers may hold a lease at once; others ask the store each time. 10 000. */
  readonly callers?: number
}

interface Lease {
  left: number
  size: number
  untilMs: number
  verdict: CounterVerdict | undefined
  pending: Promise<CounterVerdict> | undefined
}

/**
 * Counters that prepay for busy callers. A caller who paces at exactly the limit passes at 200/201 of it; a process that
 * is killed loses what it has prepaid, at most a 200th of the limit for each caller.
 */
export function leasedCounters(options: LeasedCountersOptions): Counters {
  const { counters, parts = 200, callers = 10_000 } = options
  const clock = options.clock ?? (() => performance.now())
  const leases = new Map<string, Lease>()

  /** The questions as the store gets them, for so many requests at once. */
  function widened(requests: readonly CounterRequest[], times = 1): CounterRequest[] {
    return requests.map((request) => ({
      ...request,
      cost: request.cost * times,
      windowMs: request.windowMs + Math.ceil(request.windowMs / parts),
    }))
  }

  /** The lease of this very question; undefined where there are as many as may be. */
  function leaseOf(requests: readonly CounterRequest[]): Lease | undefined {
    let id = ''
    for (const { bucket, key, limit, windowMs, algorithm, cost, burst } of requests)
      id += `${bucket.length}:${bucket}${key.length}:${key}${limit},${windowMs},${algorithm},${cost},${burst};`
    const held = leases.get(id)
    if (held) return held
    if (leases.size >= callers) forget()
    if (leases.size >= callers) return undefined
    const made: Lease = { left: 0, size: 1, untilMs: 0, verdict: undefined, pending: undefined }
    leases.set(id, made)
    return made
  }

  /** Forgets some that have lapsed, the longest known first; never more than a few, so that no request pays for many. */
  function forget(): void {
    let looked = 0
    for (const [id, lease] of leases) {
      if (!lease.pending && clock() >= lease.untilMs) leases.delete(id)
      else {
        // Looked at again last, so that one long lease does not hide the lapsed ones behind it.
        leases.delete(id)
        leases.set(id, lease)
      }
      if (++looked === 8) return
    }
  }

  /** How many requests the next lease is for: twice the last where that was used up in time, else half of it. */
  function nextSize(lease: Lease, requests: readonly CounterRequest[]): number {
    const most = Math.min(...requests.map(({ limit, cost }) => Math.floor(limit / parts / cost)))
    const grown = clock() < lease.untilMs ? lease.size * 2 : Math.ceil(lease.size / 2)
    return Math.max(1, Math.min(most, grown))
  }

  async function renew(lease: Lease, requests: readonly CounterRequest[]): Promise<CounterVerdict> {
    const size = nextSize(lease, requests)
    lease.size = size
    lease.left = 0
    const sentMs = clock()
    let verdict = await counters.take(widened(requests, size))
    let granted = size
    if (!verdict.allowed && size > 1) {
      // There is not enough left for a lease; there may be enough for this one request.
      granted = 1
      lease.size = 1
      verdict = await counters.take(widened(requests))
    }
    // From when it was asked for: the store counted it later, so its life ends before the store's longer window does.
    lease.untilMs = sentMs + Math.min(...requests.map(({ windowMs }) => windowMs / parts))
    lease.left = verdict.allowed ? granted - 1 : 0
    lease.verdict = verdict
    return verdict
  }

  function spend(lease: Lease): CounterVerdict | undefined {
    if (lease.left === 0 || !lease.verdict || clock() >= lease.untilMs) return undefined
    lease.left--
    return { ...lease.verdict, by: 'lease' }
  }

  async function take(requests: readonly CounterRequest[]): Promise<CounterVerdict> {
    const lease = requests.length > 0 ? leaseOf(requests) : undefined
    if (!lease) return counters.take(widened(requests))
    while (lease.pending) {
      await lease.pending.catch(() => {})
      const spent = spend(lease)
      if (spent) return spent
      if (lease.size === 1) return counters.take(widened(requests))
    }
    lease.pending = renew(lease, requests)
    try {
      return await lease.pending
    } finally {
      lease.pending = undefined
    }
  }

  return {
    take(requests) {
      const lease = requests.length > 0 ? leaseOf(requests) : undefined
      return (lease && spend(lease)) ?? take(requests)
    },
    peek: (requests) => counters.peek(widened(requests)),
    refund(requests, verdict) {
      // What a lease paid for lapses with it: it is gone before its place in the window would be free again.
      if (verdict.by !== 'lease') return counters.refund(widened(requests), verdict)
      const lease = leaseOf(requests)
      if (lease?.verdict?.takenAtUs === verdict.takenAtUs && lease.left < lease.size) lease.left++
    },
  }
}
