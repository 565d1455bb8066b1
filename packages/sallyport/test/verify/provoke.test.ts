// Buckets used up on purpose: a sound server holds, each way to refuse wrongly is found, and nobody is asked too much.

import assert from 'node:assert/strict'
import { createServer as createBare, type IncomingMessage, type ServerResponse } from 'node:http'
import { describe, it, type TestContext } from 'node:test'
import { createServer } from '../../src/adapters/node/index.ts'
import { memoryCounters } from '../../src/counters/memory.ts'
import { createGuard } from '../../src/guard/guard.ts'
import type { PolicyDocument } from '../../src/guard/policy.ts'
import { resolvePolicy } from '../../src/guard/resolve.ts'
import { readCredential } from '../../src/posture/verify/credential.ts'
import { createOracle } from '../../src/posture/verify/oracle.ts'
import { SLOW_HEAD } from '../../src/posture/verify/raw-classes.ts'
import type { Verification } from '../../src/posture/verify/result.ts'
import { type VerifyOptions, verify } from '../../src/posture/verify/verify.ts'
import { send } from '../../src/posture/wire/send.ts'
import { verifyApp } from '../../src/testing/index.ts'
import { listening } from '../kinds/listen.ts'

const ORIGIN = 'https://app.example.com'

/** Orders cost much, so few requests use a bucket up; the whole plan of a verification fits into the rest. */
const POLICY: PolicyDocument = {
  extends: 'recommended',
  cors: { origins: [ORIGIN], exposeHeaders: ['retry-after', 'x-ratelimit-reset'] },
  errors: { replaceBodies: 'none' },
  limits: { addresses: { buckets: { address: { limit: 12_000, windowSeconds: 60 } } } },
  routes: {
    '/v1/open': { data: 'public', credentials: 'none', limits: { mode: 'off' } },
    'GET /v1/orders': { data: 'public', credentials: 'none', limits: { cost: 300 } },
  },
}

const fine = (_request: IncomingMessage, response: ServerResponse) => {
  response.setHeader('Content-Type', 'application/json')
  response.end('{}')
}

const FORWARDED =
  /^(?:authorization|origin|accept|cookie|if-none-match|x-request-id|x-api-key|access-control-request-.*)$/

type Spoil = (response: ServerResponse, seen: { readonly status: number; readonly path: string }) => void

/** A server under a policy, whose clock moves only by waiting, and what spoils its answers to orders. */
async function served(context: TestContext, policy: PolicyDocument, spoil?: Spoil, enforced = policy) {
  // The server's own Date is the machine's; what is waited for passes at once.
  let ahead = 0
  let asked = 0
  const clock = () => Date.now() + ahead
  const guard = createGuard(enforced, 'node', {
    clock,
    services: {
      counters: memoryCounters({ clock }),
      tokens: {
        find: (token) =>
          token.startsWith('reader')
            ? {
                principal: {
                  organisation: token,
                  credential: { kind: 'token', id: token },
                  scopes: [],
                  plan: 'free',
                },
              }
            : 'unknown',
      },
    },
  })
  const inner = createServer(guard, fine)
  const app = await listening(inner)
  context.after(() => app.close())
  let port = app.port
  if (spoil !== undefined) {
    // What stands before the guard and changes its answers to one path.
    const outer = await listening(
      createBare(async (request, response) => {
        if (!['GET', 'HEAD', 'OPTIONS'].includes(request.method!)) return void response.writeHead(405).end()
        const kept = Object.entries(request.headers).filter(([name]) => FORWARDED.test(name))
        const answer = await fetch(`http://127.0.0.1:${app.port}${request.url}`, {
          method: request.method!,
          headers: Object.fromEntries(kept) as Record<string, string>,
          redirect: 'manual',
        })
        for (const [name, value] of answer.headers)
          if (!/^(?:connection|keep-alive|transfer-encoding|content-length|content-encoding)$/.test(name))
            response.setHeader(name, value)
        response.statusCode = answer.status
        const body = Buffer.from(await answer.arrayBuffer())
        const path = request.url!
        if (/^\/v1\/o/.test(path) && request.method !== 'OPTIONS')
          spoil(response, { status: answer.status, path })
        if (!response.writableEnded) response.end(body)
      }),
    )
    context.after(() => outer.close())
    port = outer.port
  }
  const options: VerifyOptions = {
    place: 'node',
    provokeLimits: true,
    samples: [{ class: '200', path: '/v1/orders' }],
    clock,
    wait: async (ms) => {
      ahead += ms
    },
    onExchange: () => void asked++,
    // What takes long on purpose is of no matter here.
    wire: (target, request, how) =>
      'raw' in request && request.raw === SLOW_HEAD
        ? Promise.resolve({ kind: 'failure', phase: 'head', code: 'left out', timing: { totalMs: 0 } })
        : send(target, request, how),
  }
  return {
    verify: (more: VerifyOptions = {}) => verify(policy, `http://127.0.0.1:${port}`, { ...options, ...more }),
    asked: () => asked,
  }
}

const limitsOf = ({ findings }: Verification) =>
  findings.filter(({ class: id, control }) => id === '429' || control === 'SP-LIMITS-01')
const seen429 = ({ classes }: Verification) => classes.find(({ id }) => id === '429')!.answers
const why = ({ notRun }: Verification) => notRun.map(({ probe, because }) => `${probe}: ${because}`)

describe('H11 limits that are provoked', () => {
  it('hold on a sound server, of which the requests are told', async (context) => {
    const { verify } = await served(context, POLICY)
    const result = await verify()
    assert.deepEqual(result.findings, [])
    // The refusal, a page of a listed origin, HEAD.
    assert.equal(seen429(result), 2)
    const [note] = result.notes.filter((each) => each.startsWith('limits:'))
    assert.match(
      note!,
      /^limits: \d+ requests to GET \/v1\/orders used up the bucket address of an address, \d+ let through; 3 requests more followed$/,
    )
  })

  it('are not provoked without consent, and the report says how to ask for it', async (context) => {
    const { verify } = await served(context, POLICY)
    const result = await verify({ provokeLimits: false })
    assert.equal(seen429(result), 0)
    assert.match(result.classes.find(({ id }) => id === '429')!.notSeen!, /--provoke-limits/)
  })

  for (const algorithm of ['exact', 'strict', 'smooth'] as const)
    it(`hold of an ${algorithm} bucket, also after waiting for Retry-After`, async (context) => {
      const policy: PolicyDocument = {
        ...POLICY,
        limits: {
          addresses: {
            buckets: {
              address: {
                limit: 12_000,
                windowSeconds: 60,
                algorithm,
                ...(algorithm === 'smooth' ? { burst: 12_000 } : {}),
              },
            },
          },
        },
      }
      const { verify } = await served(context, policy)
      const result = await verify({ profile: 'full', maxRequests: 1_000 })
      assert.deepEqual(result.findings, [])
      assert.ok(seen429(result) >= 2)
      assert.ok(!why(result).some((each) => each.startsWith('waiting for Retry-After')))
    })

  const onRefusal =
    (change: (response: ServerResponse) => void): Spoil =>
    (response, { status }) => {
      if (status === 429) change(response)
    }
  const broken: readonly (readonly [what: string, spoil: Spoil, wanted: readonly string[]])[] = [
    ['no Retry-After', onRefusal((r) => r.removeHeader('retry-after')), ['ratelimit.no-retry-after']],
    [
      'a Retry-After before the reset',
      onRefusal((r) => r.setHeader('Retry-After', '1')),
      ['ratelimit.inconsistent'],
    ],
    [
      'a Retry-After longer than the window',
      onRefusal((r) => r.setHeader('Retry-After', '90000')),
      ['ratelimit.inconsistent'],
    ],
    [
      'a Retry-After that is no number',
      onRefusal((r) => r.setHeader('Retry-After', 'soon')),
      ['ratelimit.inconsistent'],
    ],
    [
      'a reset of another moment',
      onRefusal((r) => r.setHeader('X-RateLimit-Reset', '17')),
      ['ratelimit.inconsistent'],
    ],
    [
      'something left',
      onRefusal((r) => {
        r.setHeader('X-RateLimit-Remaining', '5000')
        r.setHeader('RateLimit-Remaining', '5000')
      }),
      ['ratelimit.inconsistent'],
    ],
    [
      'no lines on refusals alone',
      onRefusal((r) => {
        for (const name of r.getHeaderNames()) if (name.includes('ratelimit')) r.removeHeader(name)
      }),
      ['drift.header-missing'],
    ],
    [
      'a page',
      onRefusal((r) => {
        r.setHeader('Content-Type', 'text/html')
        r.end('<h1>Too many</h1>')
      }),
      ['drift.error-shape'],
    ],
    ['another code', onRefusal((r) => r.end('{"code":"locked_out","status":429}')), ['drift.error-shape']],
    [
      '503',
      onRefusal((r) => {
        r.statusCode = 503
      }),
      ['drift.ratelimit'],
    ],
    [
      '403',
      onRefusal((r) => {
        r.statusCode = 403
      }),
      ['drift.ratelimit'],
    ],
    ['no answer', onRefusal((r) => r.destroy()), ['drift.ratelimit']],
    [
      'nothing that a page may read',
      onRefusal((r) => r.removeHeader('access-control-expose-headers')),
      ['drift.cors'],
    ],
    [
      'a line for caches',
      onRefusal((r) => r.setHeader('Cache-Control', 'public, max-age=60')),
      ['cache.error-cacheable'],
    ],
  ]
  for (const [what, spoil, wanted] of broken)
    it(`are found to refuse with ${what}`, async (context) => {
      const { verify } = await served(context, POLICY, spoil)
      const ids = new Set(limitsOf(await verify()).map(({ id }) => id))
      for (const id of wanted) assert.ok(ids.has(id), `${id} of ${[...ids]}`)
    })

  it('hold where what stands before the guard changes nothing', async (context) => {
    const { verify } = await served(context, POLICY, () => {})
    assert.deepEqual(limitsOf(await verify()), [])
  })

  it('that are run into on the way are no findings of other controls, and the report says what they cost', async (context) => {
    const policy: PolicyDocument = {
      ...POLICY,
      access: { tokens: [{ service: true }] },
      limits: { addresses: { buckets: { address: { limit: 12, windowSeconds: 60 } } } },
      routes: {
        'GET /v1/orders': { data: 'private', credentials: 'bearer', access: { authenticated: true } },
      },
    }
    const { verify } = await served(context, policy)
    const result = await verify({ provokeLimits: false })
    assert.deepEqual(result.findings, [])
    assert.ok(result.notes.some((each) => /^\d+ answers were refusals of a limit, so what/.test(each)))
    // A refusal that the policy has no bucket for is one all the same.
    const refusing = await served(context, { ...policy, limits: {} }, undefined, policy)
    assert.ok(
      (await refusing.verify({ provokeLimits: false })).findings.some(
        ({ detail }) => detail === 'answered 429 instead of 401',
      ),
    )
  })

  it('are found to be another number, higher or none', async (context) => {
    const other = (limit: number): PolicyDocument => ({
      ...POLICY,
      limits: { addresses: { buckets: { address: { limit, windowSeconds: 60 } } } },
    })
    const higher = await served(context, POLICY, undefined, other(20_000))
    const found = limitsOf(await higher.verify())
    assert.ok(
      found.some(({ detail }) =>
        /x-ratelimit-limit of address is 20000, and the policy says 12000/.test(detail),
      ),
    )
    assert.ok(
      found.some(({ detail }) => /^41 requests were let through in .* lets 40 through in 60 s$/.test(detail)),
    )
    // It lies about the number too, so that only the count tells.
    const lying = await served(
      context,
      POLICY,
      (response) => {
        for (const name of ['X-RateLimit-Limit', 'RateLimit-Limit']) response.setHeader(name, '12000')
        for (const name of ['X-RateLimit-Remaining', 'RateLimit-Remaining']) response.setHeader(name, '0')
      },
      other(20_000),
    )
    assert.ok(
      limitsOf(await lying.verify()).some(({ detail }) => detail.startsWith('41 requests were let through')),
    )
  })

  it('are found to refuse before the headers say so, and to take twice', async (context) => {
    const early = await served(context, POLICY, (response, { path }) => {
      if (path === '/v1/orders' && Number(response.getHeader('x-ratelimit-remaining')) < 3_000)
        response
          .writeHead(429, { 'Content-Type': 'application/problem+json', 'Retry-After': '64' })
          .end('{"code":"too_many_requests","status":429}')
    })
    assert.ok(
      limitsOf(await early.verify()).some(
        ({ id, detail }) =>
          id === 'drift.ratelimit' &&
          /^refused although the answer before told that \d+ of 12000 were left$/.test(detail),
      ),
    )
    const twice = await served(context, POLICY, undefined, {
      ...POLICY,
      routes: {
        ...POLICY.routes,
        'GET /v1/orders': { data: 'public', credentials: 'none', limits: { cost: 450 } },
      },
    })
    assert.ok(
      limitsOf(await twice.verify()).some(
        ({ detail }) => detail === 'each request takes 450 of the bucket, and the policy says 300',
      ),
    )
  })

  it('are found where Retry-After is too early, by waiting for it', async (context) => {
    const lying = await served(
      context,
      POLICY,
      onRefusal((response) => {
        for (const name of ['Retry-After', 'RateLimit-Reset']) response.setHeader(name, '2')
        response.removeHeader('Date')
        response.sendDate = false
      }),
    )
    const told = (result: Verification) => limitsOf(result).map(({ detail }) => detail)
    assert.ok(!told(await lying.verify()).some((detail) => /still refused/.test(detail)))
    const again = await served(
      context,
      POLICY,
      onRefusal((response) => {
        for (const name of ['Retry-After', 'RateLimit-Reset']) response.setHeader(name, '2')
        response.sendDate = false
      }),
    )
    assert.ok(
      told(await again.verify({ profile: 'full', maxRequests: 1_000 })).includes(
        'still refused after the 2 s that Retry-After told',
      ),
    )
  })

  it('are found where a bucket refuses on a route that it does not count on', async (context) => {
    const refusing = (bucket: string): Spoil => {
      let over = false
      return (response, { status, path }) => {
        over ||= status === 429
        if (!over || path !== '/v1/open') return
        response.writeHead(429, {
          'Retry-After': '9',
          'X-RateLimit-Bucket': bucket,
          'X-RateLimit-Limit': '12000',
          'X-RateLimit-Remaining': '0',
        })
        response.end('{"code":"too_many_requests","status":429}')
      }
    }
    const isHit = (result: Verification) =>
      result.findings.some(
        ({ id, cell, detail }) =>
          id === 'drift.ratelimit' &&
          cell === '/v1/open' &&
          detail.startsWith('the bucket address refuses on /v1/open too'),
      )
    assert.ok(isHit(await (await served(context, POLICY, refusing('address'))).verify()))
    // Another bucket may be used up there by right.
    assert.ok(!isHit(await (await served(context, POLICY, refusing('other'))).verify()))
  })

  it('are of a plan where a credential is given, and of the address after it', async (context) => {
    const policy: PolicyDocument = {
      ...POLICY,
      access: { tokens: [{ service: true }] },
      limits: {
        ...POLICY.limits,
        defaultPlan: 'free',
        plans: {
          free: { buckets: { minute: { limit: 5_000, windowSeconds: 60 } } },
          pro: { buckets: { minute: { limit: 9_000, windowSeconds: 60 } } },
        },
      },
      routes: {
        'GET /v1/orders': {
          data: 'private',
          credentials: 'bearer',
          access: { authenticated: true },
          limits: { cost: 300 },
        },
      },
    }
    const { verify } = await served(context, policy)
    const result = await verify({
      credentials: ['a', 'b'].map((role) =>
        readCredential(`${role}=authorization:@T`, { T: `Bearer reader-${role}` }),
      ),
    })
    assert.deepEqual(result.findings, [])
    const used = result.notes
      .filter((each) => each.startsWith('limits:'))
      .map((each) => /the bucket (\S+) of (\w+)/.exec(each)!.slice(1).join(' '))
    assert.deepEqual(used, ['minute a', 'minute b', 'address an'])
    assert.ok(result.notes.every((each) => !each.includes('reader-')))
  })

  it('send nothing where it would take too many requests, or too long', async (context) => {
    const { verify, asked } = await served(context, {
      ...POLICY,
      limits: { addresses: { buckets: { address: { limit: 12_000, windowSeconds: 60 } } } },
      routes: {},
    })
    const result = await verify({ samples: [] })
    assert.deepEqual(seen429(result), 0)
    assert.match(
      result.classes.find(({ id }) => id === '429')!.notSeen!,
      /^using up the bucket address of an address takes 12001 requests, and \d+ of --max-requests are left; raise it to \d+$/,
    )
    const before = asked()
    const slow = await served(context, POLICY)
    const late = await slow.verify({ perSecond: 0.1 as number })
    assert.match(
      late.classes.find(({ id }) => id === '429')!.notSeen!,
      /^at 0 requests a second .* refills before it is used up; give --rate \d+$/,
    )
    assert.equal(asked(), before)
  })

  it('say so where the policy limits nothing', async (context) => {
    const { verify } = await served(context, { extends: 'recommended' })
    const result = await verify({ samples: [] })
    assert.match(
      result.classes.find(({ id }) => id === '429')!.notSeen!,
      /^the policy limits no route with GET/,
    )
  })

  it('are an option of verifyApp', async () => {
    const policy: PolicyDocument = {
      ...POLICY,
      routes: { 'GET /v1/orders': { data: 'public', credentials: 'none', limits: { cost: 300 } } },
    }
    const result = await verifyApp(createServer(policy, fine), policy, { provokeLimits: true })
    assert.ok(seen429(result) > 0)
    const open: PolicyDocument = { ...policy, limits: { ...policy.limits, mode: 'report' } }
    await assert.rejects(
      verifyApp(createServer(open, fine), policy, { provokeLimits: true }),
      /requests were let through/,
    )
  })
})

it('a refusal of a caller for its risk is expected where the policy refuses for it, and nowhere else', () => {
  const controlsOf = (audit: PolicyDocument['audit'], status: number, code: string) =>
    createOracle(resolvePolicy({ extends: 'recommended', ...(audit ? { audit } : {}) }), 'a.example', 'node')
      .expect(
        { method: 'GET', path: '/', headers: [] },
        { status, headers: [], body: JSON.stringify({ code, status }), encrypted: true },
      )
      .map(({ verdict }) => verdict?.control)
  assert.ok(controlsOf({ risk: { critical: ['block'] } }, 403, 'forbidden').includes('SP-AUDIT-01'))
  assert.ok(controlsOf({ risk: { high: ['lock'] } }, 429, 'locked_out').includes('SP-AUDIT-01'))
  for (const [audit, status, code] of [
    [{ risk: { critical: ['block'] } }, 403, 'scope_missing'],
    [{ risk: { critical: ['alert'] } }, 403, 'forbidden'],
    [{ risk: { critical: ['block'] } }, 429, 'locked_out'],
    [undefined, 403, 'forbidden'],
  ] as const)
    assert.ok(!controlsOf(audit, status, code).includes('SP-AUDIT-01'), code)
})
