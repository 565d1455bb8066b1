// Plans and routes: in which bucket a known caller is counted, and what gives way.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createGuard } from '../../guard/guard.ts'
import type { PolicyDocument } from '../../guard/policy.ts'
import type { Principal } from '../../guard/principal.ts'
import { presets } from '../../presets/index.ts'
import { byPlan, minute, start, used, world } from './world.ts'

describe('plans', () => {
  test('H11 Free 100, Starter 500, Pro 2,000 a minute, Enterprise by its own record', async () => {
    const of = world({ extends: 'commerce' })
    for (const [plan, limit] of [
      ['free', 100],
      ['starter', 500],
      ['pro', 2000],
    ] as const) {
      assert.equal(await used(of, limit + 20, { organisation: plan, plan }), limit)
      of.pass(59_000)
      assert.equal((await of.ask({ organisation: plan, plan })).code, 'too_many_requests')
      of.pass(1000)
    }
    const enterprise = { organisation: 'big', plan: 'enterprise' }
    const planOverrides = { buckets: [{ name: 'minute', limit: 7000 }] }
    assert.equal(await used(of, 7100, { ...enterprise, planOverrides }), 7000)
    assert.deepEqual(presets.commerce.limits?.defaultPlan, 'free')
  })

  test('D16 H11 every header is there, and says what holds', async () => {
    const of = world(byPlan())
    const { lines } = await of.ask()
    assert.deepEqual(Object.fromEntries(lines), {
      'x-ratelimit-bucket': 'minute',
      'x-ratelimit-limit': '10',
      'x-ratelimit-remaining': '9',
      'x-ratelimit-reset': String(start / 1000 + 60),
      'ratelimit-limit': '10',
      'ratelimit-remaining': '9',
      'ratelimit-reset': '60',
    })
    await used(of, 9)
    of.pass(20_500)
    const refused = await of.ask()
    assert.equal(refused.code, 'too_many_requests')
    assert.equal(refused.retryAfter, 40)
    assert.equal(refused.lines.get('x-ratelimit-remaining'), '0')
    assert.equal(refused.lines.get('ratelimit-reset'), '40')
    assert.equal(refused.lines.get('x-ratelimit-reset'), String(Math.ceil((start + 20_500) / 1000) + 40))
  })

  test('waiting for Retry-After is enough, and one second less is not', async () => {
    for (const algorithm of ['exact', 'strict', 'smooth'] as const) {
      const of = world(byPlan({ plans: { free: { buckets: { minute: { ...minute, algorithm } } } } }))
      let random = 11
      const next = (below: number) => {
        random = (random * 48_271) % 2_147_483_647
        return random % below
      }
      for (let step = 0; step < 200; step++) {
        const asked = await of.ask()
        if (asked.code) {
          const wait = (asked.retryAfter ?? 0) * 1000
          // A smooth level is reckoned to a hundredth of a request.
          if (wait > 1100) {
            of.pass(wait - 1100)
            assert.equal((await of.ask()).code, 'too_many_requests', `${algorithm} ${step}`)
            of.pass(1100)
          } else of.pass(wait)
          assert.equal((await of.ask()).code, undefined, `${algorithm} ${step}`)
        }
        of.pass(next(4000))
      }
    }
  })

  test('a better plan lifts at once, a smaller one counts what was used', async () => {
    const of = world(byPlan())
    assert.equal(await used(of, 12), 10)
    assert.equal(await used(of, 40, { plan: 'pro' }), 30)
    assert.equal((await of.ask({ plan: 'free' })).code, 'too_many_requests')
  })

  test('an organisation’s own numbers act at once, and what is no number changes nothing', async () => {
    const of = world(byPlan())
    const own = (limit: number) => ({ planOverrides: { buckets: [{ name: 'minute', limit }] } })
    assert.equal(await used(of, 20), 10)
    assert.equal(await used(of, 20, own(15)), 5)
    assert.equal((await of.ask({ organisation: 'blocked', ...own(0) })).code, 'too_many_requests')
    for (const limit of [Number.NaN, -1, 1.5, Number.POSITIVE_INFINITY])
      assert.equal(await used(of, 20, { organisation: `odd ${limit}`, ...own(limit) }), 10, `${limit}`)
    const windows = { planOverrides: { buckets: [{ name: 'minute', limit: 3, windowSeconds: 100 }] } }
    assert.equal(await used(of, 5, { organisation: 'slow', ...windows }), 3)
    of.pass(299_000)
    assert.equal((await of.ask({ organisation: 'slow', ...windows })).code, 'too_many_requests')
    const unknown = { planOverrides: { buckets: [{ name: 'nowhere', limit: 1, windowSeconds: 1 }] } }
    assert.equal(await used(of, 20, { organisation: 'other', ...unknown }), 10)
  })

  test('an unlisted plan, one named like a member of objects, and none are the default plan', async () => {
    const of = world(byPlan())
    for (const plan of ['gold', 'constructor', '__proto__', undefined])
      assert.equal(
        await used(of, 12, { organisation: `of ${plan}`, ...(plan === undefined ? {} : { plan }) }),
        10,
        String(plan),
      )
  })

  test('several windows at once: one that is used up is told, and none of the others is taken from', async () => {
    const of = world(
      byPlan({ plans: { free: { buckets: { minute, day: { limit: 12, windowSeconds: 86_400 } } } } }),
    )
    assert.equal((await of.ask()).lines.get('x-ratelimit-bucket'), 'minute')
    await used(of, 9)
    of.pass(60_000)
    assert.equal((await of.ask()).lines.get('x-ratelimit-bucket'), 'day')
    assert.equal(await used(of, 5), 1)
    const refused = await of.ask()
    assert.equal(refused.lines.get('x-ratelimit-bucket'), 'day')
    assert.equal(refused.exchange.limits?.decisions.find(({ bucket }) => bucket === 'minute')?.remaining, 8)
  })

  test('a bucket is of the organisation, the account or the key; a new token is no new caller', async () => {
    const twoKeys = [
      { credential: { kind: 'key', id: 'a' } },
      { credential: { kind: 'key', id: 'b' } },
    ] as const
    const shared = world(byPlan())
    assert.equal((await used(shared, 10, twoKeys[0])) + (await used(shared, 10, twoKeys[1])), 10)
    const apart = world(byPlan({ by: 'key' }))
    assert.equal((await used(apart, 10, twoKeys[0])) + (await used(apart, 10, twoKeys[1])), 20)
    const token = (id: string): Partial<Principal> => ({ subject: 'u', credential: { kind: 'token', id } })
    assert.equal((await used(apart, 10, token('t1'))) + (await used(apart, 10, token('t2'))), 10)
    const accounts = world(byPlan({ by: 'account' }))
    assert.equal(
      (await used(accounts, 12, { subject: 'ann' })) + (await used(accounts, 12, { subject: 'bob' })),
      20,
    )
  })
})

describe('routes', () => {
  const policy: PolicyDocument = {
    ...byPlan({ reservePercent: 20 }),
    routes: { '/export': { limits: { cost: 4 } }, '/pay': { limits: { critical: true } } },
  }

  test('a dear route takes more of the same bucket', async () => {
    const of = world(policy)
    assert.equal(await used(of, 3, undefined, '/export'), 2)
    assert.equal((await of.ask()).code, 'too_many_requests')
  })

  test('the reserve is for critical routes alone', async () => {
    const of = world(policy)
    assert.equal(await used(of, 12), 8)
    assert.equal(await used(of, 12, undefined, '/pay'), 2)
    const smooth = world({
      ...byPlan({
        reservePercent: 50,
        plans: { free: { buckets: { minute: { ...minute, algorithm: 'smooth', burst: 4 } } } },
      }),
      routes: { '/pay': { limits: { critical: true } } },
    })
    assert.equal(await used(smooth, 12), 2)
    assert.equal(await used(smooth, 12, undefined, '/pay'), 2)
  })

  test('H4 under load what is not critical is refused first, and told when to come again', async () => {
    let delay = 0
    const of = world(
      {
        limits: { shed: { delayMs: 200, retryAfterSeconds: 7 } },
        routes: { '/pay': { limits: { critical: true } } },
      },
      { load: () => delay },
    )
    assert.equal((await of.ask()).code, undefined)
    delay = 201
    const shed = await of.ask()
    assert.deepEqual([shed.code, shed.retryAfter], ['overloaded', 7])
    assert.equal((await of.ask(undefined, '/pay')).code, undefined)
    delay = 200
    assert.equal((await of.ask()).code, undefined)
  })

  test('shedding without a measure of load is refused when the guard is made', () => {
    assert.throws(() => createGuard({ limits: { shed: { delayMs: 100 } } }, 'node'), /services\.load/)
  })
})
