// The order of buckets by what they let through, and the setting that is at least as strict as two.

import type { Bucket } from './buckets.ts'
import {
  type AddressBucketSetting,
  type LimitsSetting,
  limitsAnything,
  type PlanBucketSetting,
} from './setting.ts'

type Counted = Pick<Bucket, 'limit' | 'windowMs' | 'algorithm' | 'burst'>

/** The most that a bucket lets through within some milliseconds. */
function mostWithin({ algorithm, limit, burst = 1, windowMs }: Counted, ms: number): number {
  return algorithm === 'smooth' ? burst + (limit * ms) / windowMs : limit * Math.ceil(ms / windowMs)
}

/**
 * True where everything that `a` lets through `b` lets through too, so that `a` is at least as strict. Where it is false
 * that need not be so: the sixteenth slot of a strict bucket is only reckoned with, not followed.
 */
export function implies(a: Counted, b: Counted): boolean {
  const sameWindow = a.windowMs === b.windowMs
  if (b.algorithm === 'smooth') {
    const atOnce = a.algorithm === 'smooth' ? (a.burst ?? 1) : a.limit
    return atOnce <= (b.burst ?? 1) && a.limit / a.windowMs <= b.limit / b.windowMs
  }
  // What is strict over a window is exact over it; two strict ones of one window have the same slots.
  if (sameWindow && a.algorithm !== 'smooth' && (b.algorithm === 'exact' || a.algorithm === 'strict'))
    return a.limit <= b.limit
  return mostWithin(a, b.algorithm === 'strict' ? (b.windowMs * 16) / 15 : b.windowMs) <= b.limit
}

const OUTAGE = { open: 0, local: 1, closed: 2 } as const
/** How tight an answer to an outage is. */
export function outageRank({ onOutage = 'local' }: Pick<PlanBucketSetting, 'onOutage'>): number {
  return OUTAGE[onOutage]
}

/** How many callers share a bucket. */
export const BY = { key: 0, account: 1, organisation: 2 } as const
/** How little callers are told. */
export const DISCLOSE = { full: 0, 'retry-only': 1, none: 2 } as const
const MODE = { off: 0, report: 1, enforce: 2 } as const

/** At least as strict as both: every bucket of either, the dearer cost, the smaller share of what is not critical. */
export function strictLimits(a: LimitsSetting, b: LimitsSetting): LimitsSetting {
  if (a === b) return a
  if (!limitsAnything(a)) return b
  if (!limitsAnything(b)) return a
  const plans = strictPlans(a, b)
  const addresses = { ...a.addresses?.buckets }
  for (const [name, bucket] of Object.entries(b.addresses?.buckets ?? {}))
    add<AddressBucketSetting>(addresses, name, bucket, both)
  const shed = strictShed(a.shed, b.shed)
  return {
    ...modeOf(a, b),
    ...(plans ?? {}),
    ...(Object.keys(addresses).length > 0 ? { addresses: { buckets: addresses } } : {}),
    ...(plans ? { by: higher(a.by ?? 'organisation', b.by ?? 'organisation', BY) } : {}),
    cost: Math.max(a.cost ?? 1, b.cost ?? 1),
    ...(plans ? { reservePercent: Math.max(a.reservePercent ?? 0, b.reservePercent ?? 0) } : {}),
    critical: a.critical === true && b.critical === true,
    ...(shed ? { shed } : {}),
    disclose: higher(a.disclose ?? 'full', b.disclose ?? 'full', DISCLOSE),
    structuredFields: a.structuredFields === true && b.structuredFields === true,
  }
}

function modeOf(a: LimitsSetting, b: LimitsSetting): Pick<LimitsSetting, 'mode'> {
  const mode = higher(a.mode ?? 'enforce', b.mode ?? 'enforce', MODE)
  return mode === 'enforce' ? {} : { mode }
}

function higher<T extends string>(a: T, b: T, rank: Readonly<Record<T, number>>): T {
  return rank[a] >= rank[b] ? a : b
}

function strictShed(a: LimitsSetting['shed'], b: LimitsSetting['shed']): LimitsSetting['shed'] {
  if (!a || !b) return a ?? b
  return {
    ...a,
    ...b,
    delayMs: Math.min(a.delayMs ?? Number.POSITIVE_INFINITY, b.delayMs ?? Number.POSITIVE_INFINITY),
  }
}

type Buckets = Record<string, PlanBucketSetting>

function strictPlans(
  a: LimitsSetting,
  b: LimitsSetting,
): Pick<LimitsSetting, 'plans' | 'defaultPlan'> | undefined {
  if (!a.plans || !b.plans) {
    const { plans, defaultPlan } = a.plans ? a : b
    return plans && { plans, ...(defaultPlan === undefined ? {} : { defaultPlan }) }
  }
  const of = ({ plans = {}, defaultPlan = '' }: LimitsSetting, name: string) =>
    (plans[name] ?? plans[defaultPlan])?.buckets ?? {}
  const plans: Record<string, { buckets: Buckets }> = {}
  for (const name of new Set([...Object.keys(a.plans), ...Object.keys(b.plans)])) {
    const buckets: Buckets = { ...of(a, name) }
    for (const [bucket, setting] of Object.entries(of(b, name))) add(buckets, bucket, setting, both)
    plans[name] = { buckets }
  }
  const { defaultPlan = '' } = a
  const usual = plans[defaultPlan]
  // Callers without a plan have the default one, which here must hold what that of the other side holds.
  if (usual)
    for (const [bucket, setting] of Object.entries(of(b, b.defaultPlan ?? '')))
      add(usual.buckets, bucket, setting, both)
  return { plans, defaultPlan }
}

/** The name by which a bucket is compared: of two that were laid over each other, that of both. */
export function familyOf({ name }: Pick<Bucket, 'name'>): string {
  return name.replace(/-also$/, '')
}

// Two buckets of one name and unlike counting both hold, the second under a name of its own.
function add<T extends PlanBucketSetting>(
  buckets: Record<string, T>,
  name: string,
  bucket: T,
  merge: (a: T, b: T) => T | undefined,
): void {
  const known = buckets[name]
  const merged = known ? merge(known, bucket) : bucket
  if (merged) buckets[name] = merged
  else buckets[`${name}-also`] = bucket
}

function both<T extends AddressBucketSetting>(a: T, b: T): T | undefined {
  if (a.windowSeconds !== b.windowSeconds || a.algorithm !== b.algorithm) return undefined
  const limit = Math.min(a.limit ?? 1, b.limit ?? 1)
  const bursts = [a, b].map((each) => each.burst ?? Math.max(1, Math.floor((each.limit ?? 1) / 10)))
  return {
    ...a,
    limit,
    ...(a.algorithm === 'smooth' ? { burst: Math.min(limit, ...bursts) } : {}),
    onOutage: outageRank(a) >= outageRank(b) ? (a.onOutage ?? 'local') : (b.onOutage ?? 'local'),
    ...(a.ipv6Prefix === undefined && b.ipv6Prefix === undefined
      ? {}
      : { ipv6Prefix: Math.min(a.ipv6Prefix ?? 64, b.ipv6Prefix ?? 64) }),
    ...(a.refund === 'never' || b.refund === 'never' ? { refund: 'never' } : {}),
  }
}
