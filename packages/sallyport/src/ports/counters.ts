// What the limits need from a place that counts. Memory, Valkey and leases all keep this contract, and one suite
// (counters/contract.ts) holds each of them to it.

/**
 * How requests are counted over a window.
 *
 * - `exact` remembers every request: never more than `limit` in any window, and a caller who paces at exactly the
 *   limit is never refused. Memory grows with the limit.
 * - `strict` counts in 16 slots of a fifteenth of the window, and the oldest slot counts until the whole of it is out:
 *   never more than `limit` in any window, steady traffic at 90 % of the limit is never refused, memory is constant.
 * - `smooth` is a leaky bucket (GCRA): at most `burst` at once and `burst + limit` in any window.
 */
export type CountingAlgorithm = 'exact' | 'strict' | 'smooth'

/** What a bucket does while the place that counts is away: count in this process, let all through, or nothing. */
export type OutageMode = 'local' | 'open' | 'closed'

/** One bucket that a request must pass. */
export interface CounterRequest {
  /** The bucket's name in the policy, for example `plan-minute`. */
  readonly bucket: string
  /** Whose bucket: a key id, an organisation, an address prefix. Any string. */
  readonly key: string
  /** How many the bucket lets through in a window. 0 lets nothing through. */
  readonly limit: number
  /** The window in whole milliseconds, from 1 000 to 2 678 400 000 (31 days); for `smooth` to 24 days. */
  readonly windowMs: number
  readonly algorithm: CountingAlgorithm
  /** How much of the bucket this request takes; whole, 1 or more. */
  readonly cost: number
  /** For `smooth`: how much may come at once, 1 to `limit`. A tenth of the limit where it is not given. */
  readonly burst?: number
  /** While a shared store is away; `local` where it is not given. Counters in memory do not look at it. */
  readonly onOutage?: OutageMode
}

/** What one bucket says. */
export interface CounterDecision {
  readonly bucket: string
  readonly allowed: boolean
  readonly limit: number
  /** What is left, this request already taken off where all buckets let it through. */
  readonly remaining: number
  /** Milliseconds until the whole bucket is free again if nothing more comes. */
  readonly resetAfterMs: number
  /**
   * Milliseconds after which the same request passes this bucket if nobody else takes from it; 0 where it passes now,
   * `Infinity` where its cost is more than the bucket ever holds.
   */
  readonly retryAfterMs: number
}

/** What all buckets of a request say together. */
export interface CounterVerdict {
  /** True where every bucket let the request through; only then was anything taken from any of them. */
  readonly allowed: boolean
  /** One decision per bucket, in the order of the question. */
  readonly decisions: readonly CounterDecision[]
  /** The longest wait of the buckets that refused; 0 where all passed. */
  readonly retryAfterMs: number
  /** When it was counted, on the counters' own clock, in microseconds. `refund` needs it. */
  readonly takenAtUs: number
  /** Where it was counted. `open` and `closed` mean that nobody counted: see `onOutage`. */
  readonly by: 'memory' | 'valkey' | 'lease' | 'local' | 'open' | 'closed'
}

/** Counts requests against buckets. Implementations never reject for a store that is away: they decide. */
export interface Counters {
  /**
   * Takes from all buckets or from none.
   * @throws RangeError where a bucket is not a bucket (see the fields), before anything is counted.
   */
  take(requests: readonly CounterRequest[]): CounterVerdict | Promise<CounterVerdict>
  /** What `take` would say now; takes nothing. */
  peek(requests: readonly CounterRequest[]): CounterVerdict | Promise<CounterVerdict>
  /** Gives back what `take` took, as far as that can never let more than the limit through a window. */
  refund(requests: readonly CounterRequest[], verdict: CounterVerdict): void | Promise<void>
}

/** The most that one request may ask at once. */
export const maxBuckets = 16
const maxWindowMs = 2_678_400_000
/** A level that drains for longer than 2^31 ms would look like one that has drained. */
const maxSmoothWindowMs = 2_073_600_000
/** The largest limit of a bucket that counts in slots: a slot is 16 bits. */
const maxStrictLimit = 65_535
const maxLimit = 10_000_000

/** @throws RangeError with a sentence on the first field that is wrong. */
export function checkCounterRequests(requests: readonly CounterRequest[]): void {
  if (requests.length > maxBuckets)
    throw new RangeError(
      `One request asks ${requests.length} buckets; at most ${maxBuckets} may be asked at once.`,
    )
  for (const request of requests) {
    const { bucket, limit, windowMs, cost, algorithm, burst } = request
    const most = algorithm === 'strict' ? maxStrictLimit : maxLimit
    if (!(Number.isInteger(limit) && limit >= 0 && limit <= most))
      throw new RangeError(
        `The limit of bucket "${bucket}" is ${limit}; write a whole number from 0 to ${most} for ${algorithm}.`,
      )
    const longest = algorithm === 'smooth' ? maxSmoothWindowMs : maxWindowMs
    if (!(Number.isInteger(windowMs) && windowMs >= 1000 && windowMs <= longest))
      throw new RangeError(
        `The window of bucket "${bucket}" is ${windowMs} ms; write a whole number from 1000 to ${longest}.`,
      )
    if (!(Number.isInteger(cost) && cost >= 1 && cost <= maxLimit))
      throw new RangeError(`A request takes ${cost} from bucket "${bucket}"; write a whole number from 1 on.`)
    if (burst !== undefined && !(Number.isInteger(burst) && burst >= 1 && burst <= Math.max(1, limit)))
      throw new RangeError(
        `The burst of bucket "${bucket}" is ${burst}; write a whole number from 1 to its limit, ${limit}.`,
      )
  }
}

/** What a `smooth` bucket lets through at once. */
export function burstOf(request: CounterRequest): number {
  return request.limit === 0 ? 0 : (request.burst ?? Math.max(1, Math.floor(request.limit / 10)))
}

/** One process's part of a bucket while it counts alone among `nodes` of them: at least 1, so that nobody starves. */
export function localShare(request: CounterRequest, nodes: number): CounterRequest {
  const limit = request.limit === 0 ? 0 : Math.max(1, Math.floor(request.limit / nodes))
  const burst = Math.max(1, Math.min(limit, Math.floor(burstOf(request) / nodes)))
  return request.algorithm === 'smooth' ? { ...request, limit, burst } : { ...request, limit }
}
