// The control `limits` by what a guard answers: who is counted, in which bucket, what is told, what gives way.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { memoryCounters } from '../../counters/memory.ts'
import type { Judgement, Verdict } from '../../guard/control.ts'
import type { Exchange } from '../../guard/exchange.ts'
import { createGuard, type Guard } from '../../guard/guard.ts'
import type { PolicyDocument } from '../../guard/policy.ts'
import type { Principal } from '../../guard/principal.ts'
import type { AuditEvent } from '../../ports/audit.ts'
import type { Counters } from '../../ports/counters.ts'
import type { Services } from '../../ports/services.ts'
import { presets } from '../../presets/index.ts'
import type { LimitsSetting } from './setting.ts'

const start = 1_700_000_000_000

interface World {
  readonly guard: Guard
  readonly told: AuditEvent[]
  pass(ms: number): void
  /** Judges one request; what calls is known once the credential was looked at. */
  ask(who?: Partial<Principal> | string, path?: string): Promise<Asked>
}

interface Asked {
  readonly code: string | undefined
  readonly retryAfter: number | undefined
  readonly lines: ReadonlyMap<string, string>
  readonly exchange: Exchange
}

function principal(fields: Partial<Principal> = {}): Principal {
  return {
    organisation: 'acme',
    credential: { kind: 'key', id: 'key-1' },
    scopes: [],
    plan: 'free',
    ...fields,
  }
}

/** A guard whose time moves only by `pass`, and which takes a caller's word for who it is. */
function world(policy: PolicyDocument, services: Services = {}): World {
  let now = start
  const told: AuditEvent[] = []
  const guard = createGuard(policy, 'node', {
    clock: () => now,
    services: {
      counters: memoryCounters({ clock: () => now }),
      audit: { record: (event) => told.push(event) },
      ...services,
    },
  })
  return {
    guard,
    told,
    pass: (ms) => {
      now += ms
    },
    async ask(who = principal(), path = '/') {
      const address = typeof who === 'string' ? who : '192.0.2.1'
      const exchange = guard.open({
        method: 'GET',
        target: path,
        httpVersion: '1.1',
        rawHeaders: ['Host', 'a.example'],
        header: (name) => (name === 'host' ? 'a.example' : undefined),
        peer: address,
        encrypted: true,
      })
      const verdict = await judge(exchange, typeof who === 'string' ? undefined : principal(who))
      const status = verdict?.kind === 'deny' ? 429 : 200
      const lines = exchange.cell.compiled.perAnswer.flatMap(
        (line) => line(exchange, status, { get: () => undefined }).pairs,
      )
      const headers = verdict?.kind === 'deny' ? (verdict.headers?.pairs ?? []) : []
      const retry = headers.find(([name]) => name === 'Retry-After')?.[1]
      return {
        code: verdict?.kind === 'deny' ? verdict.code : undefined,
        retryAfter: retry === undefined ? undefined : Number(retry),
        lines: new Map(lines.map(([name, value]) => [name.toLowerCase(), value])),
        exchange,
      }
    },
  }
}

// As the guard judges, but the principal is put there where `keys` and `access` would.
async function judge(exchange: Exchange, who: Principal | undefined): Promise<Verdict> {
  const { admit, admitIds, admitFaces } = exchange.cell.compiled
  for (const [index, step] of admit.entries()) {
    if (admitIds[index] === 'SP-LIMITS-01' && admitFaces[index] === 'admit') exchange.principal = who
    const judgement: Judgement = step(exchange)
    const verdict = await judgement
    if (verdict !== undefined) return verdict
  }
  return undefined
}

const minute = { limit: 10, windowSeconds: 60 }
const plans = {
  free: { buckets: { minute } },
  pro: { buckets: { minute: { limit: 40, windowSeconds: 60 } } },
}
const byPlan = (fields: LimitsSetting = {}): PolicyDocument => ({
  limits: { plans, defaultPlan: 'free', ...fields },
})
const byAddress = (fields: LimitsSetting = {}, bucket = {}): PolicyDocument => ({
  limits: { addresses: { buckets: { anonymous: { ...minute, ...bucket } } }, ...fields },
})

async function used(
  of: World,
  times: number,
  who?: Partial<Principal> | string,
  path?: string,
): Promise<number> {
  let through = 0
  for (let count = 0; count < times; count++) if (!(await of.ask(who, path)).code) through++
  return through
}

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
