// Addresses, what callers and the log are told, trials and outages.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { memoryCounters } from '../../counters/memory.ts'
import { createGuard } from '../../guard/guard.ts'
import type { Counters } from '../../ports/counters.ts'
import { byAddress, byPlan, minute, plans, principal, start, used, world } from './world.ts'

describe('addresses', () => {
  test('who is not known is counted by address, and told so', async () => {
    const of = world(byAddress())
    assert.equal(await used(of, 12, '198.51.100.1'), 10)
    assert.equal((await of.ask('198.51.100.1')).lines.get('x-ratelimit-bucket'), 'anonymous')
    assert.equal(await used(of, 12, '198.51.100.2'), 10)
  })

  test('an IPv6 /64 is one caller, whatever the spelling, and IPv4 in IPv6 form is IPv4', async () => {
    const of = world(byAddress())
    assert.equal(await used(of, 8, '2001:db8:0:1::1'), 8)
    assert.equal(await used(of, 8, '2001:DB8:0:1:ffff::2'), 2)
    assert.equal(await used(of, 8, '2001:db8:0:2::1'), 8)
    assert.equal(await used(of, 8, '::ffff:203.0.113.9'), 8)
    assert.equal(await used(of, 8, '203.0.113.9'), 2)
    assert.equal(await used(of, 8, '::ffff:203.0.113.10'), 8)
    const wide = world(byAddress({}, { ipv6Prefix: 48 }))
    assert.equal((await used(wide, 8, '2001:db8:0:1::1')) + (await used(wide, 8, '2001:db8:0:2::1')), 10)
  })

  test('many callers behind one address: known ones never count against it', async () => {
    const policy = byAddress({ plans, defaultPlan: 'free' })
    const of = world(policy)
    for (let caller = 0; caller < 20; caller++)
      assert.equal(await used(of, 5, { organisation: `of ${caller}` }), 5)
    assert.equal((await of.ask({ organisation: 'of 1' })).lines.get('x-ratelimit-bucket'), 'minute')
    // All came from 192.0.2.1, and nothing of it is used.
    assert.equal(await used(of, 12, '192.0.2.1'), 10)
    const never = world(byAddress({ plans, defaultPlan: 'free' }, { refund: 'never' }))
    assert.equal(
      (await used(never, 8, { organisation: 'a' })) + (await used(never, 8, { organisation: 'b' })),
      10,
    )
    assert.equal((await never.ask({ organisation: 'b' })).lines.get('x-ratelimit-bucket'), 'anonymous')
  })

  test('a host that hides addresses has no bucket that all would share', async () => {
    const of = world(byAddress())
    assert.equal(await used(of, 30, 'unix:/run/socket'), 30)
  })
})

describe('what is told', () => {
  test('nothing set: nothing done, and no name owned', async () => {
    const of = world({})
    const { lines, exchange } = await of.ask()
    assert.equal(lines.size, 0)
    assert.equal(exchange.cell.compiled.names('X-RateLimit-Limit'), 0)
    assert.equal(exchange.cell.compiled.admitIds.includes('SP-LIMITS-01'), false)
  })

  test('an application’s own lines of these names are removed, its Retry-After is not', async () => {
    for (const disclose of ['full', 'none'] as const) {
      const { exchange } = await world(byPlan({ disclose })).ask()
      assert.equal(exchange.cell.compiled.names('X-RateLimit-Limit'), 1)
      assert.equal(exchange.cell.compiled.names('RateLimit-Policy'), 1)
      assert.equal(exchange.cell.compiled.names('Retry-After'), 0)
    }
  })

  test('only a rounded Retry-After, or nothing, where the policy says so', async () => {
    const coarse = world(byPlan({ disclose: 'retry-only' }))
    await used(coarse, 10)
    coarse.pass(20_000)
    const refused = await coarse.ask()
    assert.deepEqual([refused.retryAfter, refused.lines.size], [60, 0])
    const silent = world(byPlan({ disclose: 'none' }))
    await used(silent, 10)
    const silenced = await silent.ask()
    assert.deepEqual(
      [silenced.code, silenced.retryAfter, silenced.lines.size],
      ['too_many_requests', undefined, 0],
    )
  })

  test('structured fields: one item for each bucket, and no reset later than Retry-After', async () => {
    const of = world(
      byPlan({
        structuredFields: true,
        plans: { free: { buckets: { minute, day: { limit: 500, windowSeconds: 86_400 } } } },
      }),
    )
    const { lines } = await of.ask()
    assert.equal(lines.get('ratelimit-policy'), '"minute";q=10;w=60, "day";q=500;w=86400')
    assert.equal(lines.get('ratelimit'), '"minute";r=9;t=60, "day";r=499;t=86400')
    await used(of, 9)
    of.pass(1000)
    const refused = await of.ask()
    assert.equal(refused.lines.get('ratelimit')?.split(', ')[0], `"minute";r=0;t=${refused.retryAfter}`)
  })

  test('the log hears of a caller once in a window, and never of more than there is room for', async () => {
    const of = world(byPlan())
    await used(of, 30, { subject: 'ann' })
    assert.equal(of.told.length, 1)
    const [event] = of.told
    assert.equal(event?.action, 'limit.exceeded')
    assert.deepEqual(
      [event?.organisation, event?.actor, event?.credential, event?.address, event?.details],
      ['acme', 'ann', 'key-1', '192.0.2.1', { bucket: 'minute', limit: 10, windowSeconds: 60 }],
    )
    of.pass(60_000)
    await used(of, 12)
    assert.equal(of.told.length, 2)
  })
})

describe('trials and outages', () => {
  test('a policy that is tried answers at once with full buckets and counts nothing', () => {
    let counted = 0
    const counters: Counters = {
      take: () => {
        counted++
        throw new Error('nothing may be counted')
      },
      peek: () => assert.fail(),
      refund: () => assert.fail(),
    }
    const guard = createGuard(byAddress({ plans, defaultPlan: 'free', cost: 3 }), 'node', {
      clock: () => start,
      services: { counters },
      trial: { principal: principal() },
    })
    const exchange = guard.open({
      method: 'GET',
      target: '/',
      httpVersion: '1.1',
      rawHeaders: ['Host', 'a.example'],
      header: (name) => (name === 'host' ? 'a.example' : undefined),
      peer: undefined,
      encrypted: true,
    })
    for (let count = 0; count < 20; count++) assert.equal(guard.admit(exchange), undefined)
    assert.deepEqual(
      exchange.limits?.decisions.map(({ bucket, remaining }) => [bucket, remaining]),
      [['anonymous', 7]],
    )
    exchange.principal = principal()
    assert.equal(guard.admit(exchange), undefined)
    assert.deepEqual(
      exchange.limits?.decisions.map(({ bucket, remaining }) => [bucket, remaining]),
      [['minute', 7]],
    )
    assert.equal(counted, 0)
  })

  test('a place that counts elsewhere is waited for, and a known caller is given back there too', async () => {
    let now = start
    const inner = memoryCounters({ clock: () => now })
    const counters: Counters = {
      take: async (requests) => inner.take(requests),
      peek: async (requests) => inner.peek(requests),
      refund: async (requests, verdict) => inner.refund(requests, verdict),
    }
    const of = world(byAddress({ plans, defaultPlan: 'free' }), { counters })
    assert.equal(await used(of, 12), 10)
    assert.equal(await used(of, 12, '192.0.2.1'), 10)
    assert.equal((await of.ask('192.0.2.1')).code, 'too_many_requests')
    now += 64_000
    assert.equal((await of.ask('192.0.2.1')).code, undefined)
  })

  test('a closed bucket whose store is away is 503, not 429; the log hears of no excess', async () => {
    const counters: Counters = {
      take: async (requests) => ({
        allowed: false,
        decisions: requests.map(({ bucket, limit }) => ({
          bucket,
          limit,
          allowed: false,
          remaining: 0,
          resetAfterMs: 1000,
          retryAfterMs: 1000,
        })),
        retryAfterMs: 1000,
        takenAtUs: 0,
        by: 'closed',
      }),
      peek: () => assert.fail(),
      refund: () => assert.fail(),
    }
    const of = world(byPlan(), { counters })
    const asked = await of.ask()
    assert.deepEqual([asked.code, asked.retryAfter, of.told.length], ['limits_unavailable', 1, 0])
  })
})
