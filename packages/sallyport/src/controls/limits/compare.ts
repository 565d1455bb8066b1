// Which of two settings is stronger: a partial order over what each caller gets through.

import type { Change } from '../../guard/control.ts'
import { compareModes } from '../faces.ts'
import { type AddressBucket, addressBuckets, type Bucket, planBuckets } from './buckets.ts'
import { BY, DISCLOSE, familyOf, implies, outageRank } from './order.ts'
import { type LimitsSetting, limitsAnything } from './setting.ts'
import { bucketWords } from './words.ts'

export function compareLimits(before: LimitsSetting, after: LimitsSetting): readonly Change[] {
  const [old, now] = [inForce(before), inForce(after)]
  const changes: Change[] = [
    ...(limitsAnything(before) && limitsAnything(after) ? compareModes(before, after) : []),
    ...comparePlans(old, now),
    ...compareBuckets('addresses', 'an address', addressBuckets(old), addressBuckets(now)),
  ]
  const has = (strength: Change['strength'], what: string, because: string) =>
    changes.push({ strength, what, because })
  const rank = (
    what: string,
    [from, to]: readonly [number, number],
    stronger: string,
    weaker: string,
  ): void => {
    if (to > from) has('stronger', what, stronger)
    if (to < from) has('weaker', what, weaker)
  }
  rank(
    'cost',
    [old.cost ?? 1, now.cost ?? 1],
    `a request takes ${now.cost ?? 1} of each bucket instead of ${old.cost ?? 1}`,
    `a request takes ${now.cost ?? 1} of each bucket instead of ${old.cost ?? 1}, so more of them pass`,
  )
  if (old.plans && now.plans)
    rank(
      'by',
      [BY[old.by ?? 'organisation'], BY[now.by ?? 'organisation']],
      `more callers share a bucket: one for each ${now.by ?? 'organisation'}`,
      `whoever makes another ${now.by ?? 'organisation'} has another bucket: one for each, instead of each ${old.by ?? 'organisation'}`,
    )
  if (limitsAnything(old) && limitsAnything(now))
    rank(
      'disclose',
      [DISCLOSE[old.disclose ?? 'full'], DISCLOSE[now.disclose ?? 'full']],
      'callers are told less of their buckets',
      'who guesses or floods reads from answers how much is left, and paces by it',
    )
  compareShedding(old, now, has)
  if (limitsAnything(old) && limitsAnything(now) && !old.structuredFields !== !now.structuredFields)
    has('neutral', 'structuredFields', 'the same is told in other fields')
  return changes
}

function inForce(setting: LimitsSetting): LimitsSetting {
  // A cost of nothing is nothing.
  return (setting.mode ?? 'enforce') === 'enforce' && limitsAnything(setting) ? setting : {}
}

function comparePlans(old: LimitsSetting, now: LimitsSetting): readonly Change[] {
  if (!old.plans && !now.plans) return []
  const names = new Set([...Object.keys(old.plans ?? {}), ...Object.keys(now.plans ?? {})])
  return [
    ...[...names].flatMap((name) =>
      compareBuckets(
        `plans.${name}`,
        `a caller of plan "${name}"`,
        planBuckets(old, name),
        planBuckets(now, name),
      ),
    ),
    // The plan itself says the rest.
    ...(old.defaultPlan === now.defaultPlan
      ? []
      : compareBuckets(
          'defaultPlan',
          'a caller without a plan',
          planBuckets(old, undefined),
          planBuckets(now, undefined),
        )),
  ]
}

type AnyBucket = Bucket | AddressBucket

function compareBuckets(
  what: string,
  who: string,
  before: readonly AnyBucket[],
  after: readonly AnyBucket[],
): readonly Change[] {
  const [olds, nows] = [before, after].map((buckets) => Map.groupBy(buckets, familyOf)) as [Family, Family]
  return [...new Set([...olds.keys(), ...nows.keys()])].flatMap((name) =>
    compareFamily(`${what}.${name}`, who, olds.get(name) ?? [], nows.get(name) ?? []),
  )
}

type Family = Map<string, AnyBucket[]>

function compareFamily(
  what: string,
  who: string,
  olds: readonly AnyBucket[],
  nows: readonly AnyBucket[],
): readonly Change[] {
  const words = (buckets: readonly AnyBucket[]) => buckets.map(bucketWords).join(' and ')
  if (nows.length === 0)
    return [{ strength: 'weaker', what, because: `${who} is not held to ${words(olds)} any more` }]
  if (olds.length === 0) return [{ strength: 'stronger', what, because: `${who} is held to ${words(nows)}` }]
  if (olds.length === 1 && nows.length === 1) return compareBucket(what, who, olds[0]!, nows[0]!)
  const holds = (some: readonly AnyBucket[], others: readonly AnyBucket[]) =>
    others.every((other) => some.some((one) => covers(one, other)))
  const [tighter, looser] = [holds(nows, olds), holds(olds, nows)]
  const strength = tighter ? (looser ? 'neutral' : 'stronger') : looser ? 'weaker' : 'incomparable'
  return words(olds) === words(nows) && strength === 'neutral'
    ? []
    : [{ strength, what, because: `${who} gets ${words(nows)} instead of ${words(olds)}` }]
}

/** True where all that the one lets through, in an outage too, the other lets through. */
function covers(one: AnyBucket, other: AnyBucket): boolean {
  const byAddress =
    !('ipv6Prefix' in one && 'ipv6Prefix' in other) ||
    (one.ipv6Prefix <= other.ipv6Prefix && (other.refundable || !one.refundable))
  return byAddress && implies(one, other) && outageRank(one) >= outageRank(other)
}

function compareBucket(what: string, who: string, old: AnyBucket, now: AnyBucket): readonly Change[] {
  const changes: Change[] = []
  const has = (strength: Change['strength'], at: string, because: string) =>
    changes.push({ strength, what: at, because })
  const [tighter, looser] = [implies(now, old), implies(old, now)]
  const from = `${bucketWords(now)} instead of ${bucketWords(old)}`
  if (tighter && !looser) has('stronger', what, `${who} gets ${from}`)
  if (looser && !tighter) has('weaker', what, `${who} gets ${from}: what was refused before passes`)
  if (!looser && !tighter)
    has('incomparable', what, `${who} gets ${from}: some of what was refused passes, and the other way round`)
  // Each other window or way of counting is a count of its own, so what was used up is not known there.
  if (looser && tighter && bucketWords(old) !== bucketWords(now)) has('neutral', what, `${who} gets ${from}`)
  const [was, is] = [outageRank(old), outageRank(now)]
  if (is > was) has('stronger', `${what}.onOutage`, `in an outage: ${now.onOutage}`)
  if (is < was)
    has(
      'weaker',
      `${what}.onOutage`,
      now.onOutage === 'open'
        ? 'while the place that counts is away, everything passes'
        : 'while the place that counts is away, requests pass',
    )
  if ('ipv6Prefix' in old && 'ipv6Prefix' in now) {
    if (now.ipv6Prefix < old.ipv6Prefix)
      has('stronger', `${what}.ipv6Prefix`, `all of an IPv6 /${now.ipv6Prefix} shares a bucket`)
    if (now.ipv6Prefix > old.ipv6Prefix)
      has(
        'weaker',
        `${what}.ipv6Prefix`,
        `whoever holds an IPv6 /${old.ipv6Prefix} has a bucket for each /${now.ipv6Prefix} of it`,
      )
    if (old.refundable && !now.refundable)
      has('stronger', `${what}.refund`, 'known callers count against their address too')
    if (!old.refundable && now.refundable)
      has('weaker', `${what}.refund`, 'an address gets through more by showing a valid credential')
  }
  return changes
}

function compareShedding(
  old: LimitsSetting,
  now: LimitsSetting,
  has: (strength: Change['strength'], what: string, because: string) => unknown,
): void {
  const [from, to] = [shedsAt(old), shedsAt(now)]
  const at = (ms: number) => (ms === Number.POSITIVE_INFINITY ? 'never' : `from ${ms} ms on`)
  if (to < from) has('stronger', 'shed', `under load requests here give way ${at(to)}`)
  if (to > from)
    has(
      'weaker',
      'shed',
      `under load requests here give way ${at(to)} instead of ${at(from)}, and can starve others`,
    )
}

function shedsAt({ shed, critical }: LimitsSetting): number {
  return critical ? Number.POSITIVE_INFINITY : (shed?.delayMs ?? Number.POSITIVE_INFINITY)
}
