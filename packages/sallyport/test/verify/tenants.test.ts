// Two organisations, an object of each, and servers that keep them apart, or forget to in one place.

import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { describe, it, type TestContext } from 'node:test'
import { createServer } from '../../src/adapters/node/index.ts'
import { createGuard } from '../../src/guard/guard.ts'
import type { PolicyDocument } from '../../src/guard/policy.ts'
import { readCredential } from '../../src/posture/verify/credential.ts'
import { marksOf, toldOf } from '../../src/posture/verify/marks.ts'
import type { Owned } from '../../src/posture/verify/owned.ts'
import type { Verification } from '../../src/posture/verify/result.ts'
import { verificationText } from '../../src/posture/verify/text.ts'
import { type VerifyOptions, verify } from '../../src/posture/verify/verify.ts'
import { listening } from '../kinds/listen.ts'
import { bare, NOSNIFF } from './server.ts'

interface Order {
  readonly organisation: string
  readonly customer: string
  readonly status: string
}

const ORDERS: Readonly<Record<string, Order>> = {
  ord_1: { organisation: 'a', customer: 'amber@a.example', status: 'shipped' },
  ord_2: { organisation: 'b', customer: 'basil@b.example', status: 'shipped' },
}

const OWNED: readonly Owned[] = [
  { path: '/v1/orders/ord_1', by: 'a' },
  { path: '/v1/orders/ord_2', by: 'b' },
]

interface Asked {
  readonly who: string | undefined
  readonly method: string
  readonly url: URL
  readonly organisations: readonly string[]
}

/** What a server answers; `undefined` is refused by the sound one. */
type Answer = readonly [status: number, body: unknown]

function sound({ who, url }: Asked): Answer {
  if (who === undefined) return [401, { code: 'unauthorised' }]
  const order =
    ORDERS[url.pathname.replace(/^\/v1\/orders\//, '')] ?? ORDERS[url.searchParams.get('id') ?? '']
  if (url.pathname === '/v1/account')
    return [200, { organisation: who, owner: `owner-of-${who}@example.com` }]
  if (url.pathname.startsWith('/v1/orders') && order?.organisation === who) return [200, order]
  return [404, { code: 'not_found', at: `${url.pathname}${url.search}` }]
}

type Server = (asked: Asked, response: ServerResponse) => Answer

async function verified(
  context: TestContext,
  server: Server,
  options: VerifyOptions & { readonly roles?: readonly string[] } = {},
): Promise<Verification> {
  const url = await bare(context, (request: IncomingMessage, response) => {
    response.setHeader('X-Content-Type-Options', 'nosniff')
    response.setHeader('Content-Type', 'application/json')
    const token = /^Bearer key-of-(\w)-0123456789$/.exec(request.headers.authorization ?? '')
    const asked: Asked = {
      who: token?.[1],
      method: request.method!,
      url: new URL(request.url!.replace(/^\/+/, '/'), 'http://api.example'),
      organisations: [request.headers['x-organisation'] ?? []].flat().flatMap((each) => each.split(', ')),
    }
    const [status, body] = server(asked, response)
    response.statusCode = status
    response.end(request.method === 'HEAD' ? undefined : JSON.stringify(body))
  })
  const { roles = ['a', 'b'], ...rest } = options
  return verify(NOSNIFF, url, {
    place: 'node',
    owned: OWNED,
    credentials: roles.map((role) =>
      readCredential(`${role}=authorization:@T`, { T: `Bearer key-of-${role}-0123456789` }),
    ),
    ...rest,
  })
}

const tenancy = ({ findings }: Verification) => findings.filter(({ control }) => control === 'SP-TENANCY-01')
const ids = (result: Verification) => [...new Set(tenancy(result).map(({ id }) => id))].sort()
const foreign = (result: Verification) =>
  tenancy(result)
    .filter(({ id }) => id === 'tenancy.foreign-row')
    .map(
      ({ role = 'nobody', detail }) => `${role} ${/^by (.*?), (?:\d|the whole)/.exec(detail)?.[1] ?? detail}`,
    )

describe('H2 objects of one organisation', () => {
  it('are seen by nobody else on a sound server, and that is proved', async (context) => {
    const result = await verified(context, sound)
    assert.deepEqual(tenancy(result), [])
    const report = result.controls.find(({ name }) => name === 'tenancy')!
    assert.ok(
      report.of > 20 && report.passed === report.of && report.notObservable === undefined,
      JSON.stringify(report),
    )
    const none = await verified(context, sound, { owned: [] })
    assert.match(none.controls.find(({ name }) => name === 'tenancy')!.notObservable!, /--owned/)
  })

  it('are found where one route forgets the tenant, as critical, without telling what was seen', async (context) => {
    const result = await verified(context, (asked) => {
      const order = ORDERS[asked.url.pathname.slice('/v1/orders/'.length)]
      return asked.who !== undefined && order !== undefined ? [200, order] : sound(asked)
    })
    assert.ok(foreign(result).includes('b its own path') && foreign(result).includes('a its own path'))
    const [first] = tenancy(result).filter(({ id }) => id === 'tenancy.foreign-row')
    assert.equal(first!.severity, 'critical')
    assert.match(first!.curl, /\$[AB]_CREDENTIAL/)
    assert.doesNotMatch(verificationText(result), /amber@|basil@|0123456789/)
  })

  it('are found where nobody is needed to read them', async (context) => {
    const result = await verified(context, (asked) => {
      const order = ORDERS[asked.url.pathname.slice('/v1/orders/'.length)]
      return asked.who === undefined && order !== undefined ? [200, order] : sound(asked)
    })
    assert.ok(foreign(result).includes('nobody its own path'))
    assert.ok(!foreign(result).some((each) => each.startsWith('a ') || each.startsWith('b ')))
  })

  it('are found in a cache that does not ask who calls', async (context) => {
    const kept = new Map<string, Answer>()
    const result = await verified(context, (asked, response) => {
      const hit = asked.method === 'GET' ? kept.get(asked.url.href) : undefined
      if (hit !== undefined) {
        response.setHeader('Age', '3')
        return hit
      }
      const answer = sound(asked)
      if (answer[0] === 200 && asked.method === 'GET') kept.set(asked.url.href, answer)
      return answer
    })
    assert.ok(
      tenancy(result).some(
        ({ id, detail }) => id === 'tenancy.foreign-row' && /, out of a cache \(Age: 3\)$/.test(detail),
      ),
    )
  })

  it('are found in a cache that goes by the ending of a path', async (context) => {
    const kept = new Map<string, Answer>()
    const result = await verified(context, (asked) => {
      const { pathname } = asked.url
      if (!pathname.endsWith('.css')) return sound(asked)
      const answer =
        kept.get(pathname) ?? sound({ ...asked, url: new URL(pathname.replace(/\/[^/]*$/, ''), asked.url) })
      if (answer[0] === 200) kept.set(pathname, answer)
      return answer
    })
    assert.deepEqual([...new Set(foreign(result))], ['nobody the ending of a style sheet'])
  })

  for (const [how, path] of [
    ['letters of the other case', (id: string) => id.toLowerCase()],
    ['a percent-encoded letter', (id: string) => decodeURIComponent(id)],
    ['an ending', (id: string) => id.replace(/\.json$/, '')],
    ['a matrix parameter', (id: string) => id.replace(/;.*$/, '')],
    ['a slash at the end', (id: string) => id.replace(/\/$/, '')],
  ] as const)
    it(`are found where the check of the tenant does not know ${how}`, async (context) => {
      const result = await verified(context, (asked) => {
        const id = asked.url.pathname.slice('/v1/orders/'.length)
        const order = ORDERS[path(id)]
        return asked.who !== undefined && ORDERS[id] === undefined && order !== undefined
          ? [200, order]
          : sound(asked)
      })
      assert.deepEqual([...new Set(foreign(result))].sort(), [`a ${how}`, `b ${how}`])
    })

  it('are found where the id stands twice in the query', async (context) => {
    const owned = ['1', '2'].map((n, at) => ({ path: `/v1/orders?id=ord_${n}`, by: 'ab'[at]! }))
    const server: Server = (asked) => {
      const given = asked.url.searchParams.getAll('id')
      // The first is checked, the last is read.
      const isMine = ORDERS[given[0] ?? '']?.organisation === asked.who
      const order = ORDERS[given.at(-1) ?? '']
      return isMine && order && given.length > 1 ? [200, order] : sound(asked)
    }
    assert.deepEqual([...new Set(foreign(await verified(context, server, { owned })))].sort(), [
      'a the parameter after one of its own',
      'b the parameter after one of its own',
    ])
    assert.deepEqual(ids(await verified(context, sound, { owned })), [])
  })

  it('are found where a header field decides whose they are', async (context) => {
    const owned = ['a', 'b'].map((by) => ({ path: '/v1/account', by, headers: { 'X-Organisation': by } }))
    const trusting: Server = (asked) => {
      const [organisation = asked.who] = asked.organisations
      return sound({ ...asked, who: asked.who && organisation })
    }
    assert.ok(foreign(await verified(context, trusting, { owned })).includes('b its own path'))
    // Who asks decides: the same path, answered to each with its own.
    assert.deepEqual(ids(await verified(context, sound, { owned })), [])
  })

  it('are found in what a refusal tells', async (context) => {
    const result = await verified(context, (asked) => {
      const answer = sound(asked)
      const order = ORDERS[asked.url.pathname.slice('/v1/orders/'.length)]
      return answer[0] === 404 && order ? [403, { code: 'forbidden', owner: order.customer }] : answer
    })
    assert.ok(foreign(result).includes('b its own path'))
  })

  it('that are answered with something else are not refused; and a failure is no refusal', async (context) => {
    const elsewise =
      (status: number): Server =>
      (asked) => {
        const answer = sound(asked)
        return answer[0] === 404 && asked.url.pathname.startsWith('/v1/orders/ord_') ? [status, {}] : answer
      }
    assert.deepEqual(ids(await verified(context, elsewise(200))), ['tenancy.not-refused'])
    assert.deepEqual(ids(await verified(context, elsewise(500))), ['tenancy.not-refused'])
    for (const status of [400, 401, 403, 410])
      assert.deepEqual(ids(await verified(context, elsewise(status))), [])
  })

  it('prove nothing where their owner is refused, and that is a finding', async (context) => {
    const result = await verified(context, sound, { owned: [{ path: '/v1/orders/ord_9', by: 'a' }] })
    assert.deepEqual(ids(result), ['tenancy.owner-refused'])
  })

  it('are changed by nobody else, where writes are allowed', async (context) => {
    const owned: readonly Owned[] = [...OWNED, { path: '/v1/orders/ord_1', by: 'a', method: 'DELETE' }]
    const deleted: string[] = []
    const forgetful: Server = (asked) => {
      if (asked.method !== 'DELETE') return sound(asked)
      deleted.push(asked.who ?? 'nobody')
      return asked.who === undefined ? [401, {}] : [204, {}]
    }
    const careful = await verified(context, forgetful, { owned })
    assert.equal(deleted.length, 0)
    assert.ok(
      careful.notRun.some(
        ({ probe, because }) =>
          probe === 'tenant a: DELETE /v1/orders/ord_1' && /--allow-writes/.test(because),
      ),
    )
    const result = await verified(context, forgetful, { owned, allowWrites: true })
    assert.ok(
      tenancy(result).some(
        ({ detail, role }) => role === 'b' && /^DELETE of an object of a is answered with 204$/.test(detail),
      ),
    )
    // Never as the owner, whose object it is.
    assert.equal(deleted.join(), 'b,nobody')
  })

  it('are asked for by nobody alone where there is one credential, and the report says what it needs', async (context) => {
    const result = await verified(context, sound, { roles: ['a'], owned: OWNED.slice(0, 1) })
    assert.deepEqual(ids(result), [])
    assert.ok(result.notRun.some(({ because }) => because === 'it needs a second credential'))
  })
})

it('H2 behind a guard every answer to another and to nobody holds the policy too', async (context) => {
  const policy: PolicyDocument = {
    extends: 'recommended',
    access: { tokens: [{ service: true }] },
    tenancy: { enforcedBy: 'application' },
    routes: { '/v1/orders/*': { data: 'private', credentials: 'bearer', access: { authenticated: true } } },
  }
  for (const place of ['node', 'gateway'] as const) {
    const guard = createGuard(policy, place, {
      services: {
        tokens: {
          find: (token) =>
            /^[ab]-/.test(token)
              ? {
                  principal: {
                    organisation: token.slice(0, 1),
                    credential: { kind: 'token', id: token },
                    scopes: [],
                  },
                }
              : 'unknown',
        },
      },
    })
    const app = await listening(
      createServer(guard, (request, response) => {
        const who = request.headers.authorization!.slice('Bearer '.length, 'Bearer '.length + 1)
        const order = ORDERS[request.url!.slice('/v1/orders/'.length)]
        response.setHeader('Content-Type', 'application/json')
        if (order?.organisation !== who) response.writeHead(404).end('{}')
        else response.end(JSON.stringify(order))
      }),
    )
    context.after(() => app.close())
    const result = await verify(policy, `http://127.0.0.1:${app.port}`, {
      place,
      owned: OWNED,
      credentials: ['a', 'b'].map((role) =>
        readCredential(`${role}=authorization:@T`, { T: `Bearer ${role}-0123456789` }),
      ),
    })
    assert.deepEqual(result.findings, [], place)
    assert.ok(result.controls.find(({ name }) => name === 'tenancy')!.passed > 20)
  }
})

it('marks are what stands in an answer each time, that nobody sent and nobody else is answered', () => {
  const answer = (at: string) =>
    JSON.stringify({
      id: 'ord_000001',
      customer: { email: 'amber@a.example' },
      at,
      status: 'shipped',
      total: 1234567,
    })
  assert.deepEqual(
    marksOf([answer('12:00:01'), answer('12:00:02')], '/v1/orders/ord_000001', ['{"status":"shipped"}']),
    ['amber@a.example', '1234567'],
  )
  assert.deepEqual(toldOf(['amber@a.example'], '{"detail":"{\\"email\\":\\"amber@a.example\\"}"}'), [
    'amber@a.example',
  ])
  assert.deepEqual(marksOf(['<p>Invoice INV-2026-0042</p>', '<p>Invoice INV-2026-0042</p>'], '/', []), [
    'INV-2026-0042',
  ])
})
