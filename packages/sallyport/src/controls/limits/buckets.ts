// The buckets that hold for a caller in one cell: of its plan with what its organisation's own differs in, or of its
// address. Plain numbers, made once for each plan.

import type { PlanOverrides, Principal } from '../../guard/principal.ts'
import { type CountingAlgorithm, maxBuckets, type OutageMode } from '../../ports/counters.ts'
import type { AddressBucketSetting, LimitsSetting, PlanBucketSetting } from './setting.ts'

/** One bucket with everything filled in, the reserve taken off. */
export interface Bucket {
  readonly name: string
  readonly limit: number
  readonly windowMs: number
  readonly algorithm: CountingAlgorithm
  readonly burst: number | undefined
  readonly onOutage: OutageMode
}

/** A bucket of addresses. */
export interface AddressBucket extends Bucket {
  readonly ipv6Prefix: number
  readonly refundable: boolean
}

/** 16-bit slots (ports/counters.ts). */
const MAX_STRICT = 65_535
const MAX_LIMIT = 10_000_000
const MAX_SMOOTH_SECONDS = 2_073_600

/**
 * The windows that an organisation's own plan may name, in seconds. Each window of a bucket is a bucket of its own where
 * is counted, so records must not make them many; one in between counts as the next longer one.
 */
const OVERRIDE_WINDOWS = [
  1, 10, 60, 300, 600, 900, 1800, 3600, 21_600, 43_200, 86_400, 604_800, 2_073_600,
] as const

/** The buckets of a plan in this setting. @param plan `undefined` for callers without one */
export function planBuckets(setting: LimitsSetting, plan: string | undefined): readonly Bucket[] {
  return Object.entries(planSettings(setting, plan)).map(([name, bucket]) =>
    bucketOf(name, bucket, setting, 'exact'),
  )
}

/** The buckets of every address in this setting. */
export function addressBuckets(setting: LimitsSetting): readonly AddressBucket[] {
  return Object.entries(setting.addresses?.buckets ?? {}).map(([name, bucket]) => ({
    // The reserve is of plans: nobody knows yet who calls.
    ...bucketOf(name, bucket, {}, 'strict'),
    ipv6Prefix: bucket.ipv6Prefix ?? 64,
    refundable: bucket.refund !== 'never',
  }))
}

function planSettings(
  setting: LimitsSetting,
  plan: string | undefined,
): Readonly<Record<string, PlanBucketSetting>> {
  const { plans = {}, defaultPlan = '' } = setting
  const own = plan !== undefined && Object.hasOwn(plans, plan) ? plans[plan] : undefined
  const found = own ?? (Object.hasOwn(plans, defaultPlan) ? plans[defaultPlan] : undefined)
  return found?.buckets ?? {}
}

function bucketOf(
  name: string,
  bucket: PlanBucketSetting | AddressBucketSetting,
  { reservePercent = 0, critical = false }: LimitsSetting,
  usual: CountingAlgorithm,
): Bucket {
  const { limit = 0, windowSeconds = 60, algorithm = usual, onOutage = 'local' } = bucket
  const left = (whole: number) =>
    critical || whole === 0 ? whole : Math.max(1, whole - Math.ceil((whole * reservePercent) / 100))
  const burst = Math.max(1, Math.min(limit, bucket.burst ?? Math.floor(limit / 10)))
  // Of a smooth bucket the burst is what is kept back: its level drains at the same rate for all.
  return {
    name,
    limit: algorithm === 'smooth' ? limit : left(limit),
    windowMs: windowSeconds * 1000,
    algorithm,
    burst: algorithm === 'smooth' ? left(burst) : undefined,
    onOutage,
  }
}

/** Finds the buckets of a caller's plan, by its organisation's own numbers where it has some. */
export function planFinder(setting: LimitsSetting): (principal: Principal) => readonly Bucket[] {
  const plans = new Map(Object.keys(setting.plans ?? {}).map((plan) => [plan, planBuckets(setting, plan)]))
  const usual = planBuckets(setting, undefined)
  const names = new Map<string, PlanBucketSetting>()
  for (const plan of Object.values(setting.plans ?? {}))
    for (const [name, bucket] of Object.entries(plan.buckets ?? {}))
      if (!names.has(name)) names.set(name, bucket)
  // Records of keys are kept for a while, so the same numbers come again and again.
  const own = new WeakMap<PlanOverrides, Map<string, readonly Bucket[]>>()

  function overridden(plan: string | undefined, overrides: PlanOverrides): readonly Bucket[] {
    const merged: Record<string, PlanBucketSetting> = { ...planSettings(setting, plan) }
    for (const each of overrides.buckets ?? []) {
      const below = merged[each.name] ?? (each.limit === undefined ? undefined : names.get(each.name))
      if (below) merged[each.name] = override(below, each)
    }
    return Object.entries(merged)
      .slice(0, maxBuckets)
      .map(([name, bucket]) => bucketOf(name, bucket, setting, 'exact'))
  }

  return ({ plan, planOverrides }) => {
    const buckets = (plan !== undefined && plans.get(plan)) || usual
    if (planOverrides === undefined) return buckets
    let byPlan = own.get(planOverrides)
    if (byPlan === undefined) {
      byPlan = new Map()
      own.set(planOverrides, byPlan)
    }
    const known = byPlan.get(plan ?? '')
    if (known) return known
    const made = overridden(plan, planOverrides)
    if (byPlan.size < 16) byPlan.set(plan ?? '', made)
    return made
  }
}

type Override = NonNullable<PlanOverrides['buckets']>[number]

// Records are read as they come: a number that is none leaves the plan's own in force.
function override(below: PlanBucketSetting, { limit, windowSeconds }: Override): PlanBucketSetting {
  const strict = below.algorithm === 'strict'
  const isLimit = limit !== undefined && Number.isInteger(limit) && limit >= 0
  const isWindow = windowSeconds !== undefined && windowSeconds >= 1 && windowSeconds <= MAX_SMOOTH_SECONDS
  const number = isLimit ? Math.min(limit, strict ? MAX_STRICT : MAX_LIMIT) : below.limit
  const { burst, ...rest } = below
  return {
    ...rest,
    ...(number === undefined ? {} : { limit: number }),
    ...(burst === undefined || isLimit ? {} : { burst }),
    ...(isWindow
      ? { windowSeconds: OVERRIDE_WINDOWS.find((seconds) => seconds >= windowSeconds) ?? MAX_SMOOTH_SECONDS }
      : {}),
  }
}
