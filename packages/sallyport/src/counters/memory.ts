// Counters of one process: three tables that are laid out once and never grow. A caller whose count still matters is
// never forgotten; when a table has no room, further callers of a bucket share one count, so the limit holds for each.

import {
  type CounterDecision,
  type CounterRequest,
  type Counters,
  type CounterVerdict,
  checkCounterRequests,
  maxBuckets,
} from '../ports/counters.ts'
import { exactTally } from './exact.ts'
import { keyedHash } from './keyed-hash.ts'
import { smoothTally } from './smooth.ts'
import { strictTally } from './strict.ts'
import { overflowSlots, type Tally } from './tally.ts'

export interface MemoryCountersOptions {
  /** Milliseconds that never step back; `performance.now()` where it is not given. A step back counts as no time. */
  readonly clock?: () => number
  /** Fills a buffer with random bytes: the key of the hash. `crypto.getRandomValues` where it is not given. */
  readonly random?: (bytes: Uint8Array) => Uint8Array
  /** Callers of `strict` buckets told apart at once (48 bytes each); 100 000. */
  readonly strictCallers?: number
  /** Callers of `smooth` buckets told apart at once (20 bytes each); 100 000. */
  readonly smoothCallers?: number
  /** Callers of `exact` buckets told apart at once (24 bytes each); 20 000. */
  readonly exactCallers?: number
  /** Requests of `exact` buckets remembered at once by all callers (12 bytes each); 1 000 000. */
  readonly exactRecords?: number
}

/** Counters in memory, and what an operator wants to know of them. */
export interface MemoryCounters extends Counters {
  take(requests: readonly CounterRequest[]): CounterVerdict
  peek(requests: readonly CounterRequest[]): CounterVerdict
  refund(requests: readonly CounterRequest[], verdict: CounterVerdict): void
  /** How often a caller had to share a count because a table was full, since the start. */
  overflowed(): number
}

type MutableDecision = { -readonly [Key in keyof CounterDecision]: CounterDecision[Key] }

interface Bucket {
  readonly id: number
  readonly windowMs: number
  readonly algorithm: string
}

/**
 * Counters in this process. No I/O, no timers; every call is synchronous.
 * @throws RangeError from `take`, `peek` and `refund` for a bucket that is none, and for more than 256 buckets in all.
 */
export function memoryCounters(options: MemoryCountersOptions = {}): MemoryCounters {
  // A global of the runtime may be made when it is asked for, so it is asked for once.
  const { performance } = globalThis
  const clock = options.clock ?? (() => performance.now())
  const seed = new Uint8Array(8)
  if (options.random) options.random(seed)
  else crypto.getRandomValues(seed)
  const words = new DataView(seed.buffer)
  const hash = keyedHash([words.getUint32(0), words.getUint32(4)])
  const tallies = {
    exact: exactTally(options.exactCallers ?? 20_000, options.exactRecords ?? 1_000_000),
    strict: strictTally(options.strictCallers ?? 100_000),
    smooth: smoothTally(options.smoothCallers ?? 100_000),
  }
  const buckets = new Map<string, Bucket[]>()
  // Most requests in a row ask the same bucket; its name is the policy's, so the same text is the same string.
  let lastName: string | undefined
  let last: Bucket = { id: 0, windowMs: 0, algorithm: '' }
  const slots = new Int32Array(maxBuckets)
  let known = 0
  let shared = 0
  // When the clock was last seen, and how much has passed since the start; milliseconds. In an array, since a variable
  // that holds a fraction is made anew each time that it is written.
  const time = new Float64Array([clock(), 0])

  function nowUs(): number {
    const raw = clock()
    if (raw > time[0]!) time[1] = time[1]! + raw - time[0]!
    time[0] = raw
    return Math.floor(time[1]! * 1000)
  }

  /** A bucket with another window or another algorithm is another bucket. */
  function bucketOf(request: CounterRequest): Bucket {
    const { bucket, windowMs, algorithm } = request
    if (bucket !== lastName || windowMs !== last.windowMs || algorithm !== last.algorithm) {
      last = findBucket(request)
      lastName = bucket
    }
    return last
  }

  function findBucket({ bucket, windowMs, algorithm }: CounterRequest): Bucket {
    let same = buckets.get(bucket)
    if (same) for (const one of same) if (one.windowMs === windowMs && one.algorithm === algorithm) return one
    if (known >= overflowSlots)
      throw new RangeError(
        `Bucket "${bucket}" would be number ${known + 1}; a policy may have ${overflowSlots}. Put who is counted into the key, not into the name of the bucket.`,
      )
    const made = { id: known++, windowMs, algorithm }
    same ??= []
    same.push(made)
    buckets.set(bucket, same)
    return made
  }

  function slotOf(request: CounterRequest, tally: Tally, now: number): number {
    const bucket = bucketOf(request)
    hash.of(bucket.id, request.key)
    const slot = tally.locate(hash.low, hash.high, bucket.id, request.windowMs, now)
    if (tally.shared(slot)) shared++
    return slot
  }

  /** What requests before this one in the same question take from the same slot. */
  function before(requests: readonly CounterRequest[], index: number): number {
    let sum = 0
    for (let at = 0; at < index; at++)
      if (slots[at] === slots[index] && requests[at]!.algorithm === requests[index]!.algorithm)
        sum += requests[at]!.cost
    return sum
  }

  /** What one request's tally says after `check`, and after `commit` where it takes. */
  function decisionOf(request: CounterRequest, tally: Tally, slot: number, now: number): MutableDecision {
    const { fits, remaining, retryUs } = tally.answer
    tally.reset(slot, request, now)
    return {
      bucket: request.bucket,
      allowed: fits,
      limit: request.limit,
      remaining,
      resetAfterMs: Math.ceil(tally.answer.resetUs / 1000),
      retryAfterMs: fits ? 0 : Math.ceil(retryUs / 1000),
    }
  }

  /** The usual question: one bucket, taken from. */
  function takeOne(request: CounterRequest): CounterVerdict {
    const now = nowUs()
    const { cost, algorithm, bucket, limit } = request
    const tally = tallies[algorithm]
    const slot = slotOf(request, tally, now)
    tally.check(slot, request, cost, now)
    const { fits, remaining } = tally.answer
    if (!fits) {
      const decision = decisionOf(request, tally, slot, now)
      const { retryAfterMs } = decision
      return { allowed: false, decisions: [decision], retryAfterMs, takenAtUs: now, by: 'memory' }
    }
    tally.commit(slot, request, now)
    const resetAfterMs = Math.ceil(tally.answer.resetUs / 1000)
    const left = Math.max(0, remaining - cost)
    return {
      allowed: true,
      decisions: [{ bucket, allowed: true, limit, remaining: left, resetAfterMs, retryAfterMs: 0 }],
      retryAfterMs: 0,
      takenAtUs: now,
      by: 'memory',
    }
  }

  function decide(requests: readonly CounterRequest[], consume: boolean): CounterVerdict {
    checkCounterRequests(requests)
    if (consume && requests.length === 1) return takeOne(requests[0]!)
    const now = nowUs()
    let allowed = true
    let retryAfterMs = 0
    const decisions: MutableDecision[] = []
    for (let index = 0; index < requests.length; index++) {
      const request = requests[index]!
      const tally = tallies[request.algorithm]
      const slot = slotOf(request, tally, now)
      slots[index] = slot
      tally.check(slot, request, request.cost + before(requests, index), now)
      const decision = decisionOf(request, tally, slot, now)
      if (!decision.allowed) allowed = false
      if (decision.retryAfterMs > retryAfterMs) retryAfterMs = decision.retryAfterMs
      decisions.push(decision)
    }
    if (allowed && consume)
      for (let index = 0; index < requests.length; index++) {
        const request = requests[index]!
        const tally = tallies[request.algorithm]
        tally.commit(slots[index]!, request, now)
        const decision = decisions[index]!
        decision.remaining = Math.max(0, decision.remaining - request.cost)
        decision.resetAfterMs = Math.ceil(tally.answer.resetUs / 1000)
      }
    return { allowed, decisions, retryAfterMs, takenAtUs: now, by: 'memory' }
  }

  return {
    take: (requests) => decide(requests, true),
    peek: (requests) => decide(requests, false),
    refund(requests, verdict) {
      if (!verdict.allowed) return
      checkCounterRequests(requests)
      const now = nowUs()
      for (const request of requests) {
        const tally = tallies[request.algorithm]
        tally.refund(slotOf(request, tally, now), request, verdict.takenAtUs, now)
      }
    },
    overflowed: () => shared,
  }
}
