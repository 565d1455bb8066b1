// What callers are told of their limits: the lines of every answer that a bucket judged, and of a refusal.

import type { Denial } from '../../guard/control.ts'
import type { Lines } from '../../guard/lines.ts'
import type { CounterDecision, CounterVerdict } from '../../ports/counters.ts'
import type { LimitsSetting } from './setting.ts'

/** The names that only the policy may set where limits are in force. `Retry-After` is not among them: an application has reasons of its own. */
export const OWNED = [
  'x-ratelimit-bucket',
  'x-ratelimit-limit',
  'x-ratelimit-remaining',
  'x-ratelimit-reset',
  'ratelimit-limit',
  'ratelimit-remaining',
  'ratelimit-reset',
  'ratelimit',
  'ratelimit-policy',
] as const

// Retry-After of those who are told no more than that, so that nobody reads a bucket's state from it.
const COARSE_SECONDS = [30, 60, 120, 300, 900, 3600] as const

/** Whole seconds after which the same request passes; `undefined` where it never does. */
function retrySeconds({ retryAfterMs }: { readonly retryAfterMs: number }): number | undefined {
  return Number.isFinite(retryAfterMs) ? Math.max(1, Math.ceil(retryAfterMs / 1000)) : undefined
}

/**
 * The seconds that a reset field tells. Of a bucket that refused, when the request passes: no reset is then later than
 * Retry-After (draft-ietf-httpapi-ratelimit-headers-11, section 4); of one that passed, when the whole of it is free.
 */
function resetSeconds(decision: CounterDecision): number {
  const retry = decision.allowed ? undefined : retrySeconds(decision)
  return retry ?? Math.ceil(decision.resetAfterMs / 1000)
}

/** The bucket that binds: a refused one before any other, then the one of which the smallest part is left. */
export function mostExhausted(decisions: readonly CounterDecision[]): CounterDecision | undefined {
  let [most] = decisions
  for (const each of decisions) {
    if (most === undefined || (most.allowed && !each.allowed)) most = each
    else if (most.allowed !== each.allowed) continue
    else if (!each.allowed ? each.retryAfterMs > most.retryAfterMs : isScarcer(each, most)) most = each
  }
  return most
}

function isScarcer(a: CounterDecision, b: CounterDecision): boolean {
  return a.remaining * b.limit < b.remaining * a.limit
}

/** The refusal of a verdict. */
export function refusalOf(verdict: CounterVerdict, disclose: LimitsSetting['disclose']): Denial {
  const code = verdict.by === 'closed' ? 'limits_unavailable' : 'too_many_requests'
  return refusal(code, disclose === 'none' ? undefined : retrySeconds(verdict), disclose)
}

/** @param seconds what Retry-After tells (RFC 9110, section 10.2.3); nothing where it is `undefined` */
export function refusal(
  code: 'too_many_requests' | 'limits_unavailable' | 'overloaded',
  seconds: number | undefined,
  disclose: LimitsSetting['disclose'] = 'full',
): Denial {
  if (seconds === undefined) return { kind: 'deny', code }
  const told = disclose === 'full' ? seconds : (COARSE_SECONDS.find((coarse) => coarse >= seconds) ?? seconds)
  return {
    kind: 'deny',
    code,
    headers: { pairs: [['Retry-After', String(told)]], wire: `Retry-After: ${told}\r\n`, once: true },
  }
}

/** The lines of one answer. The form that is not asked for is not made. */
export class LimitLines implements Lines {
  readonly once = true
  private readonly decision: CounterDecision
  private readonly nowMs: number
  private readonly structured: string

  /**
   * @param nowMs milliseconds since the epoch
   * @param structured the lines of the structured fields in wire form, or nothing
   */
  constructor(decision: CounterDecision, nowMs: number, structured: string) {
    this.decision = decision
    this.nowMs = nowMs
    this.structured = structured
  }

  // Names of buckets are small letters, digits and hyphens; all else is numbers.
  get wire(): string {
    const { bucket, limit, remaining } = this.decision
    const reset = resetSeconds(this.decision)
    const at = Math.ceil(this.nowMs / 1000) + reset
    return `X-RateLimit-Bucket: ${bucket}\r\nX-RateLimit-Limit: ${limit}\r\nX-RateLimit-Remaining: ${remaining}\r\nX-RateLimit-Reset: ${at}\r\nRateLimit-Limit: ${limit}\r\nRateLimit-Remaining: ${remaining}\r\nRateLimit-Reset: ${reset}\r\n${this.structured}`
  }

  get pairs(): Lines['pairs'] {
    return this.wire
      .split('\r\n')
      .slice(0, -1)
      .map((line) => {
        const colon = line.indexOf(': ')
        return [line.slice(0, colon), line.slice(colon + 2)]
      })
  }
}

/**
 * RateLimit-Policy and RateLimit in wire form: one item for each bucket.
 *
 * @param windowSecondsOf a bucket's window; `undefined` where it is none of the caller's
 */
export function structuredLines(
  decisions: readonly CounterDecision[],
  windowSecondsOf: (bucket: string) => number | undefined,
): string {
  const policies = decisions.map(({ bucket, limit }) => {
    const seconds = windowSecondsOf(bucket)
    return `"${bucket}";q=${limit}${seconds === undefined ? '' : `;w=${seconds}`}`
  })
  const states = decisions.map((each) => `"${each.bucket}";r=${each.remaining};t=${resetSeconds(each)}`)
  return `RateLimit-Policy: ${policies.join(', ')}\r\nRateLimit: ${states.join(', ')}\r\n`
}
