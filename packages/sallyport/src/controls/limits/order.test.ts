// The order of limits: what is called no weaker lets nothing through that was refused before, and the strict setting of
// two is no weaker than either.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { runs } from '../../../test/runs.ts'
import { memoryCounters } from '../../counters/memory.ts'
import type { Strength } from '../../guard/control.ts'
import { resolvePolicy } from '../../guard/resolve.ts'
import { PolicyError } from '../../policy/problem.ts'
import { verdictOf } from '../faces.ts'
import { addressBuckets, type Bucket, planBuckets } from './buckets.ts'
import { limits } from './index.ts'
import { strictLimits } from './order.ts'
import type { LimitsSetting } from './setting.ts'

const bucket = fc.record(
  {
    limit: fc.constantFrom(2, 4, 8, 9),
    windowSeconds: fc.constantFrom(10, 20, 60),
    algorithm: fc.constantFrom('exact', 'strict', 'smooth'),
    onOutage: fc.constantFrom('local', 'open', 'closed'),
  },
  { requiredKeys: ['limit', 'windowSeconds'] },
)
const buckets = fc.record({ a: bucket, b: bucket }, { requiredKeys: ['a'] })
const some = <T>(shape: { [K in keyof T]: fc.Arbitrary<T[K]> }) => fc.record(shape, { requiredKeys: [] })
const settings: fc.Arbitrary<LimitsSetting> = some({
  plans: fc.record({ free: fc.record({ buckets }), pro: fc.record({ buckets }) }, { requiredKeys: ['free'] }),
  addresses: fc.record({ buckets: fc.record({ c: bucket }) }),
  by: fc.constantFrom('organisation', 'key', 'account'),
  cost: fc.constantFrom(1, 2),
  reservePercent: fc.constantFrom(0, 25),
  critical: fc.boolean(),
  shed: fc.constantFrom({ delayMs: 100 }, { delayMs: 200 }),
  disclose: fc.constantFrom('full', 'retry-only', 'none'),
  mode: fc.constantFrom('enforce', 'enforce', 'enforce', 'report', 'off'),
}).map((setting): LimitsSetting => {
  const { by: _by, reservePercent: _reserve, ...rest } = setting
  return setting.plans ? { ...setting, defaultPlan: 'free' } : rest
}) as fc.Arbitrary<LimitsSetting>

const arrivals = fc.array(fc.constantFrom(0, 0, 0, 1, 400, 1000, 2500, 5000, 9999, 10_000, 20_001, 60_000), {
  minLength: 10,
  maxLength: 80,
})

/** Which of the moments pass all buckets. */
function passing(all: readonly Bucket[], cost: number, moments: readonly number[]): number[] {
  let now = 0
  const counters = memoryCounters({
    clock: () => now,
    strictCallers: 16,
    smoothCallers: 16,
    exactCallers: 16,
    exactRecords: 1000,
  })
  return moments.filter((moment) => {
    now = moment
    const requests = all.map(({ name, burst, ...rest }) => ({
      bucket: name,
      key: 'k',
      cost,
      ...rest,
      ...(burst === undefined ? {} : { burst }),
    }))
    return counters.take(requests).allowed
  })
}

function lets(setting: LimitsSetting, plan: string | undefined, moments: readonly number[]): number[] {
  if ((setting.mode ?? 'enforce') !== 'enforce') return [...moments]
  const all = plan === undefined ? addressBuckets(setting) : planBuckets(setting, plan)
  return passing(all, setting.cost ?? 1, moments)
}

test('what is called no weaker lets nothing through that was refused before', () => {
  let compared = 0
  fc.assert(
    fc.property(
      settings,
      settings,
      arrivals,
      fc.constantFrom('free', 'pro', 'none', undefined),
      (before, after, waits, plan) => {
        const strength = verdictOf(limits.compare(before, after))
        if (strength === 'weaker' || strength === 'incomparable') return
        compared++
        let now = 0
        const moments = waits.map((wait) => (now += wait))
        const through = lets(after, plan, moments)
        assert.deepEqual(lets(before, plan, through), through)
      },
    ),
    runs(3000),
  )
  assert.ok(compared > 20, `only ${compared} were comparable`)
})

test('one bucket against another: the same, with more of them comparable', () => {
  let compared = 0
  const one = bucket.map(
    (of): LimitsSetting => ({ plans: { free: { buckets: { a: of } } }, defaultPlan: 'free' }),
  )
  fc.assert(
    fc.property(one, one, arrivals, (before, after, waits) => {
      const strength = verdictOf(limits.compare(before, after))
      if (strength === 'weaker' || strength === 'incomparable') return
      compared++
      let now = 0
      const through = lets(
        after,
        'free',
        waits.map((wait) => (now += wait)),
      )
      assert.deepEqual(lets(before, 'free', through), through)
    }),
    runs(3000),
  )
  assert.ok(compared > 200, `only ${compared} were comparable`)
})

const mirrored: Readonly<Record<Strength, Strength>> = {
  stronger: 'weaker',
  weaker: 'stronger',
  neutral: 'neutral',
  incomparable: 'incomparable',
}

test('the order is the same from both sides, and nothing differs from itself', () => {
  fc.assert(
    fc.property(settings, settings, (before, after) => {
      assert.deepEqual(limits.compare(before, before), [])
      assert.equal(
        verdictOf(limits.compare(after, before)),
        mirrored[verdictOf(limits.compare(before, after))],
      )
    }),
    runs(2000),
  )
})

test('the strict setting of two is a setting, and no weaker than either', () => {
  fc.assert(
    fc.property(settings, settings, (a, b) => {
      const strict = strictLimits(a, b)
      for (const one of [a, b]) {
        const strength = verdictOf(limits.compare(one, strict))
        assert.ok(strength === 'stronger' || strength === 'neutral', strength)
      }
    }),
    runs(2000),
  )
})

describe('contradictions', () => {
  const minute = { limit: 100, windowSeconds: 60 }
  const plans = { free: { buckets: { minute } } }
  const cases: readonly (readonly [name: string, setting: LimitsSetting, path: RegExp, route?: string])[] = [
    ['no default plan', { plans }, /^limits\.defaultPlan: nothing says which plan/],
    ['an unknown default plan', { plans, defaultPlan: 'gold' }, /defaultPlan: is none of the plans/],
    ['a default plan without plans', { defaultPlan: 'free' }, /defaultPlan: there are no plans/],
    [
      'a plan without buckets',
      { plans: { free: {} }, defaultPlan: 'free' },
      /plans\.free: the plan has no bucket/,
    ],
    [
      'a bucket without a window',
      { plans: { free: { buckets: { minute: { limit: 5 } } } }, defaultPlan: 'free' },
      /windowSeconds is missing/,
    ],
    [
      'a strict bucket over 16 bits',
      { addresses: { buckets: { all: { limit: 70_000, windowSeconds: 60 } } } },
      /addresses\.buckets\.all\.limit: a strict bucket counts to 65535/,
    ],
    [
      'a smooth bucket over a month',
      { addresses: { buckets: { all: { limit: 7, windowSeconds: 2_678_400, algorithm: 'smooth' } } } },
      /at most 24 days/,
    ],
    [
      'a burst that nothing uses',
      { addresses: { buckets: { all: { ...minute, burst: 5 } } } },
      /only a smooth bucket has a burst/,
    ],
    [
      'a burst over the limit',
      { addresses: { buckets: { all: { ...minute, algorithm: 'smooth', burst: 101 } } } },
      /burst: is more than the limit/,
    ],
    [
      'a cost that never passes',
      { plans, defaultPlan: 'free', cost: 101 },
      /cost: is more than the bucket "minute"/,
    ],
    [
      'a cost that the reserve shuts out',
      { plans, defaultPlan: 'free', cost: 90, reservePercent: 20 },
      /lets through at once, 80/,
    ],
    [
      'a bucket name twice',
      { plans, defaultPlan: 'free', addresses: { buckets: { minute } } },
      /addresses\.buckets\.minute: a plan has a bucket of this name/,
    ],
    [
      'an IPv6 caller with many buckets',
      { addresses: { buckets: { all: { ...minute, ipv6Prefix: 96 } } } },
      /ipv6Prefix: every subscriber has a \/64/,
    ],
    [
      'open in an outage where guesses are made',
      { addresses: { buckets: { all: { ...minute, onOutage: 'open' } } } },
      /onOutage: where a secret can be guessed/,
      'POST /v1/login',
    ],
    ['shedding without a number', { shed: {} }, /shed: delayMs is missing/],
    [
      'a limit of 0',
      { addresses: { buckets: { all: { limit: 0, windowSeconds: 60 } } } },
      /whole number from 1/,
    ],
    ['a reserve of all', { plans, defaultPlan: 'free', reservePercent: 100 }, /whole number from 0 to 99/],
    [
      'a bucket that no header could name',
      { addresses: { buckets: { 'a b': minute } } },
      /this name is not small/,
    ],
  ]
  for (const [name, setting, expected, route] of cases)
    test(name, () => {
      const policy = route === undefined ? { limits: setting } : { routes: { [route]: { limits: setting } } }
      assert.throws(
        () => resolvePolicy(policy),
        (error: unknown) => error instanceof PolicyError && expected.test(error.message),
      )
    })

  test('what only sounds like a sign-in may be open', () => {
    const open: LimitsSetting = { addresses: { buckets: { all: { ...minute, onOutage: 'open' } } } }
    resolvePolicy({ limits: open, routes: { '/v1/designs': {}, '/v1/tokenizers': {} } })
  })
})
