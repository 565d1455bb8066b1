// What a bucket that is used up on purpose must show: how many requests it lets through, and what its refusal says.

import type { Finding, Mode, Observation } from '../../guard/control.ts'
import { burstOf, type CounterVerdict } from '../../ports/counters.ts'
import { headerValues } from '../faces.ts'
import { addressBuckets, type Bucket, planBuckets } from './buckets.ts'
import type { LimitsSetting } from './setting.ts'

/** What an answer tells of the bucket that binds. */
export interface Told {
  readonly bucket: string
  readonly limit: number
  readonly remaining: number
}

/** The buckets of every plan, by plan; none where nothing is enforced. */
export function bucketsByPlan(setting: LimitsSetting): ReadonlyMap<string, readonly Bucket[]> {
  const plans = (setting.mode ?? 'enforce') === 'enforce' ? Object.keys(setting.plans ?? {}) : []
  return new Map(plans.map((plan) => [plan, planBuckets(setting, plan)]))
}

/** The buckets of an address; none where nothing is enforced. */
export function bucketsOfAddress(setting: LimitsSetting): readonly Bucket[] {
  return (setting.mode ?? 'enforce') === 'enforce' ? addressBuckets(setting) : []
}

/** What the counters say of a caller whose bucket is used up; `undefined` where no bucket could refuse it. @param known whether it may have a plan */
export function spentBuckets(setting: LimitsSetting, known: boolean): CounterVerdict | undefined {
  const [bucket] = [
    ...bucketsOfAddress(setting),
    ...(known ? [...bucketsByPlan(setting).values()].flat() : []),
  ]
  if (bucket === undefined) return undefined
  const { name, limit } = bucket
  const decision = { bucket: name, allowed: false, limit, remaining: 0, resetAfterMs: 1, retryAfterMs: 1 }
  return { allowed: false, decisions: [decision], retryAfterMs: 1, takenAtUs: 0, by: 'memory' }
}

/** How many requests a full bucket lets through in a time that is shorter than its window. */
export function passesOf(bucket: Bucket, cost: number, elapsedMs = 0): number {
  const { algorithm, limit, windowMs } = bucket
  const most =
    algorithm === 'smooth'
      ? burstOf({ ...bucketRequest(bucket), cost }) + (limit * elapsedMs) / windowMs
      : limit
  return Math.floor(most / cost)
}

function bucketRequest({ name, limit, windowMs, algorithm, burst }: Bucket) {
  return { bucket: name, key: '', limit, windowMs, algorithm, ...(burst === undefined ? {} : { burst }) }
}

/** What an answer tells; `undefined` where it tells nothing that can be read. */
export function toldBy(seen: Observation): Told | undefined {
  const read = (name: string) => headerValues(seen, name)[0] ?? ''
  const [bucket, limit, remaining] = ['bucket', 'limit', 'remaining'].map((name) =>
    read(`x-ratelimit-${name}`),
  )
  if (!bucket || !/^\d{1,15}$/.test(limit!) || !/^\d{1,15}$/.test(remaining!)) return undefined
  return { bucket, limit: Number(limit), remaining: Number(remaining) }
}

// Answers take their time, and clocks tick.
const SLACK_SECONDS = 2

/**
 * Judges the refusal of a bucket that is used up: status, code, and times that agree with each other and the window.
 *
 * @param declared the buckets that may have refused
 */
export function judgeRefusal(
  setting: LimitsSetting,
  declared: readonly Bucket[],
  seen: Observation,
): readonly Finding[] {
  const { disclose = 'full', cost = 1 } = setting
  const found: Finding[] = []
  const bad = (id: string, detail: string, mend: string) => found.push({ id, detail, mend })
  const told = toldBy(seen)
  if (disclose === 'full' && told !== undefined && told.remaining >= cost)
    bad(
      'ratelimit.inconsistent',
      `a refusal tells that ${told.remaining} are left, and the request takes ${cost}`,
      'refuse a request only where less is left than it takes',
    )
  if (disclose === 'none') return found
  const retries = headerValues(seen, 'retry-after')
  const [retry = ''] = retries
  const [reset = ''] = headerValues(seen, 'ratelimit-reset')
  const isReset = /^\d{1,15}$/.test(reset)
  if (retries.length === 0) {
    const neverFits = declared.every((bucket) => passesOf(bucket, cost) === 0)
    if (!neverFits)
      bad(
        'ratelimit.no-retry-after',
        'a refusal has no Retry-After',
        `Retry-After: ${isReset ? reset : 'the seconds to wait'}`,
      )
    return found
  }
  if (retries.length > 1 || !/^\d{1,9}$/.test(retry) || retry === '0') {
    bad(
      'ratelimit.inconsistent',
      `Retry-After is ${retries.join(' | ')}`,
      'Retry-After: the seconds to wait, one whole number above 0',
    )
    return found
  }
  const named = declared.filter(({ name }) => name === told?.bucket)
  const windows = (named.length > 0 ? named : declared).map(({ windowMs }) => windowMs / 1000)
  // A strict bucket is whole again after 16/15 of its window; whoever is told little is told rounded up.
  const longest = Math.max(...windows) * (16 / 15) + SLACK_SECONDS
  if (disclose === 'full' && Number(retry) > longest)
    bad(
      'ratelimit.inconsistent',
      `Retry-After is ${retry}, and the window ${Math.max(...windows)} s`,
      'Retry-After: the seconds after which the request passes',
    )
  if (disclose === 'full' && isReset) {
    if (Number(retry) < Number(reset))
      bad(
        'ratelimit.inconsistent',
        `Retry-After is ${retry}, ratelimit-reset ${reset}`,
        `Retry-After: ${reset}`,
      )
    found.push(...judgeEpoch(Number(reset), seen))
  }
  return found
}

// The two resets tell one moment; the server's own clock stands in Date.
function judgeEpoch(reset: number, seen: Observation): readonly Finding[] {
  const [at = ''] = headerValues(seen, 'x-ratelimit-reset')
  const date = Date.parse(headerValues(seen, 'date')[0] ?? '') / 1000
  if (!/^\d{1,15}$/.test(at) || Number.isNaN(date)) return []
  return Math.abs(Number(at) - date - reset) <= SLACK_SECONDS
    ? []
    : [
        {
          id: 'ratelimit.inconsistent',
          detail: `x-ratelimit-reset is ${at}, which is ${Math.round(Number(at) - date)} s from Date, and ratelimit-reset ${reset}`,
          mend: 'X-RateLimit-Reset: the seconds since 1970 at which RateLimit-Reset ends',
        },
      ]
}

/** Judges the body of a refusal, where the policy owns errors: a problem with the code of limits (RFC 9457). */
export function judgeRefusalCode(errors: { readonly mode?: Mode }, seen: Observation): readonly Finding[] {
  if ((errors.mode ?? 'enforce') !== 'enforce') return []
  let code: unknown
  try {
    code = ((JSON.parse(seen.body) ?? {}) as { code?: unknown }).code
  } catch {
    // Said below.
  }
  return code === 'too_many_requests'
    ? []
    : [
        {
          id: 'drift.error-shape',
          detail:
            code === undefined
              ? 'the body of a refusal is no problem document'
              : `the code of a refusal is ${JSON.stringify(code)?.slice(0, 60)}`,
          mend: 'Content-Type: application/problem+json, and the code too_many_requests',
        },
      ]
}
