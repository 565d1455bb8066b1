import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { Hono } from 'hono'
import type { PolicyDocument } from '../guard/policy.ts'
import { exchangeOf, guard } from './fetch.ts'

const policy: PolicyDocument = {
  extends: 'recommended',
  routes: {
    '/open': { data: 'public', credentials: 'none', cache: { maxAgeSeconds: 30 } },
    '/own': { errors: { replaceBodies: 'none' } },
  },
}

const quiet = { onError: () => {} }

function ask(
  handler: (request: Request) => Response | Promise<Response>,
  path = '/',
  init: RequestInit = {},
): Promise<Response> {
  return guard(policy, handler, quiet)(new Request(`https://api.example${path}`, init))
}

/** The policy's lines are there once, whatever else happened. */
function expectPolicy(response: Response): void {
  const expected: Record<string, string> = {
    'strict-transport-security': 'max-age=63072000; includeSubDomains; preload',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
  }
  for (const [name, value] of Object.entries(expected)) assert.equal(response.headers.get(name), value, name)
  for (const name of ['x-powered-by', 'server']) assert.equal(response.headers.get(name), null, name)
}

async function expectProblem(response: Response, status: number, code: string): Promise<void> {
  expectPolicy(response)
  assert.equal(response.status, status)
  assert.equal(response.headers.get('content-type'), 'application/problem+json')
  const body = await response.json()
  assert.equal(body.code, code)
}

test('every kind of answer carries the policy', async () => {
  const kinds: Record<string, () => Response> = {
    json: () => Response.json({ ok: true }),
    empty: () => new Response(null, { status: 204 }),
    'not modified': () => new Response(null, { status: 304, headers: { etag: '"a"' } }),
    redirect: () => Response.redirect('https://api.example/elsewhere', 302),
    'not found': () => Response.json({ error: 'none' }, { status: 404 }),
    'server error': () => new Response('stack', { status: 500 }),
    'several choices': () => new Response('x', { status: 300 }),
  }
  for (const [kind, handler] of Object.entries(kinds)) {
    const expected = handler()
    const response = await ask(handler)
    expectPolicy(response)
    assert.equal(response.status, expected.status, kind)
    assert.equal(response.headers.get('location'), expected.headers.get('location'), kind)
    assert.equal(response.headers.get('etag'), expected.headers.get('etag'), kind)
  }
})

test('the policy owns its names: the handler can neither change nor double them', async () => {
  const response = await ask(
    () =>
      new Response('{}', {
        headers: [
          ['X-Frame-Options', 'ALLOWALL'],
          ['x-frame-options', 'SAMEORIGIN'],
          ['Strict-Transport-Security', 'max-age=0'],
          ['X-Powered-By', 'Something 1.2'],
          ['Server', 'Other/3'],
          ['X-Mine', 'kept'],
        ],
      }),
  )
  expectPolicy(response)
  assert.equal(response.headers.get('x-mine'), 'kept')
})

test('Set-Cookie lines stay apart', async () => {
  const response = await ask(() => {
    const headers = new Headers()
    headers.append('Set-Cookie', 'a=1; Expires=Wed, 09 Jun 2027 10:18:14 GMT')
    headers.append('Set-Cookie', 'b=2')
    return new Response('{}', { headers })
  })
  assert.deepEqual(response.headers.getSetCookie(), ['a=1; Expires=Wed, 09 Jun 2027 10:18:14 GMT', 'b=2'])
})

test('a shared cache never gets a cookie or an error of a public route', async () => {
  const plain = await ask(() => Response.json({}), '/open')
  assert.equal(plain.headers.get('cache-control'), 'public, max-age=30')
  const cookie = await ask(() => new Response('{}', { headers: { 'set-cookie': 'a=1' } }), '/open')
  assert.equal(cookie.headers.get('cache-control'), 'no-store, private')
  const missing = await ask(() => Response.json({}, { status: 404 }), '/open')
  assert.equal(missing.headers.get('cache-control'), 'no-store')
})

test('a thrown error is a 500 without its message, and the operator is told', async () => {
  const handlers: readonly (() => Response | Promise<Response>)[] = [
    () => {
      throw new Error('secret of the database')
    },
    () => Promise.reject(new Error('secret of the database')),
  ]
  for (const handler of handlers) {
    const told: unknown[] = []
    const guarded = guard(policy, handler, { onError: (error) => told.push(error) })
    const response = await guarded(new Request('https://api.example/'))
    assert.equal(told.length, 1)
    const copy = response.clone()
    await expectProblem(response, 500, 'internal')
    assert.doesNotMatch(await copy.text(), /secret/)
  }
})

test('what is no answer at all is a 500 under the policy', async () => {
  const spent = new Response('read')
  await spent.text()
  for (const wrong of [undefined, null, {}, 'text', Response.error(), spent])
    await expectProblem(await ask(() => wrong as unknown as Response), 500, 'internal')
})

test('an upgrade that the host has taken over needs no answer', async () => {
  const handler = guard(policy, () => undefined, quiet)
  const request = new Request('https://api.example/', { headers: { upgrade: 'websocket' } })
  assert.equal(await handler(request), undefined)
})

test('an answer with status 101 passes as the very object that it is', async () => {
  const upgraded = Object.create(Response.prototype, { status: { value: 101 } })
  assert.equal(await ask(() => upgraded), upgraded)
})

test('a 5xx body is replaced, with its status and nothing of what described it', async () => {
  let cancelled = false
  const leak = () =>
    new Response(
      new ReadableStream({
        pull: (controller) => controller.enqueue(new TextEncoder().encode('at handler (/srv/app.ts:1)')),
        cancel: () => {
          cancelled = true
        },
      }),
      { status: 503, headers: { 'x-debug': 'deep', 'retry-after': '7', 'content-type': 'text/html' } },
    )
  const response = await ask(leak)
  assert.equal(response.headers.get('retry-after'), '7')
  assert.equal(response.headers.get('x-debug'), null)
  await expectProblem(response, 503, 'unavailable')
  assert.ok(cancelled, 'the stream that nobody reads is let go')
  const own = await ask(() => new Response('own words', { status: 503 }), '/own')
  assert.equal(await own.text(), 'own words')
})

test('a stream passes chunk by chunk', async () => {
  let push: ReadableStreamDefaultController<Uint8Array> | undefined
  const stream = new ReadableStream<Uint8Array>({
    start: (controller) => {
      push = controller
    },
  })
  const response = await ask(() => new Response(stream, { headers: { 'content-type': 'text/event-stream' } }))
  expectPolicy(response)
  const reader = response.body!.getReader()
  for (const text of ['data: 1\n\n', 'data: 2\n\n']) {
    push!.enqueue(new TextEncoder().encode(text))
    const { value } = await reader.read()
    assert.equal(new TextDecoder().decode(value), text)
  }
  push!.close()
  assert.equal((await reader.read()).done, true)
})

test('a Response that came from fetch() is passed on under the policy, its own headers untouched', async () => {
  const upstream = createServer((_request, response) => {
    response.writeHead(200, { 'X-Frame-Options': 'ALLOWALL', 'X-Powered-By': 'upstream', 'X-Mine': 'kept' })
    response.end('from afar')
  })
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve))
  try {
    const { port } = upstream.address() as AddressInfo
    let fetched: Response | undefined
    const response = await ask(async () => {
      fetched = await fetch(`http://127.0.0.1:${port}/`)
      return fetched
    })
    assert.throws(() => fetched!.headers.set('a', 'b'), TypeError, 'such headers are immutable')
    assert.equal(fetched!.headers.get('x-frame-options'), 'ALLOWALL')
    expectPolicy(response)
    assert.equal(response.headers.get('x-mine'), 'kept')
    assert.equal(await response.text(), 'from afar')
  } finally {
    upstream.close()
  }
})

test('a Response that the application keeps is not changed', async () => {
  const kept = new Response(null, { status: 204, headers: { 'x-frame-options': 'SAMEORIGIN' } })
  expectPolicy(await ask(() => kept))
  expectPolicy(await ask(() => kept))
  assert.equal(kept.headers.get('x-frame-options'), 'SAMEORIGIN')
  assert.equal(kept.headers.get('referrer-policy'), null)
})

test("Hono's app.fetch passes through, its errors included", async () => {
  const app = new Hono()
  app.get('/', (c) => c.json({ ok: true }))
  app.get('/throws', () => {
    throw new Error('secret')
  })
  app.onError((error, c) => c.text(`Hono says ${error.message}`, 500))
  const handler = guard(policy, app.fetch, quiet)
  const ok = await handler(new Request('https://api.example/'))
  expectPolicy(ok)
  assert.deepEqual(await ok.json(), { ok: true })
  await expectProblem(await handler(new Request('https://api.example/throws')), 500, 'internal')
  expectPolicy(await handler(new Request('https://api.example/nowhere')))
})

test('the handler can ask for the exchange of its request', async () => {
  let nonce: string | undefined
  await ask((request) => {
    nonce = exchangeOf(request)?.nonce
    return new Response('{}')
  })
  assert.match(nonce ?? '', /^[A-Za-z0-9+/]{22}==$/)
})

test('the address of the peer comes from what each host hands over', async () => {
  const cases: readonly (readonly [name: string, rest: readonly unknown[], expected: string | undefined])[] =
    [
      ['Bun', [{ requestIP: () => ({ address: '192.0.2.1', port: 1, family: 'IPv4' }) }], '192.0.2.1'],
      ['Bun on a socket file', [{ requestIP: () => null }], undefined],
      ['Deno', [{ remoteAddr: { transport: 'tcp', hostname: '192.0.2.2', port: 1 } }], '192.0.2.2'],
      ['Deno on a socket file', [{ remoteAddr: { transport: 'unix', path: '/run/a' } }], undefined],
      ['Hono on Node', [{ incoming: { socket: { remoteAddress: '192.0.2.3' } } }], '192.0.2.3'],
      ['workerd', [{ SOME_BINDING: 'x' }, { waitUntil: () => {} }], undefined],
      ['nothing', [], undefined],
    ]
  for (const [name, rest, expected] of cases) {
    let seen: string | undefined = 'unset'
    const handler = guard(policy, (request: Request, ..._rest: unknown[]) => {
      seen = exchangeOf(request)?.incoming.peer
      return new Response('{}')
    })
    await handler(new Request('https://api.example/'), ...rest)
    assert.equal(seen, expected, name)
  }
  let seen: string | undefined
  const told = guard(
    policy,
    (request) => {
      seen = exchangeOf(request)?.incoming.peer
      return new Response('{}')
    },
    { peer: (request) => request.headers.get('cf-connecting-ip') ?? undefined },
  )
  await told(new Request('https://api.example/', { headers: { 'cf-connecting-ip': '192.0.2.9' } }))
  assert.equal(seen, '192.0.2.9')
})

test('the target is path and query, the host that of the URL where no line says it', async () => {
  const cases: readonly (readonly [url: string, target: string, host: string])[] = [
    ['https://api.example', '/', 'api.example'],
    ['https://api.example:8443/a/b?c=d/e#f', '/a/b?c=d/e', 'api.example:8443'],
    ['http://[::1]:3000?x=/y', '/?x=/y', '[::1]:3000'],
  ]
  for (const [url, target, host] of cases) {
    const guarded = guard(policy, (request) => {
      const exchange = exchangeOf(request)!
      assert.equal(exchange.target, target)
      assert.equal(exchange.header('host'), host)
      assert.equal(exchange.incoming.encrypted, url.startsWith('https:'))
      return new Response('{}')
    })
    assert.equal((await guarded(new Request(url))).status, 200)
  }
})

test('a request from which nothing is taken reaches the handler as the very object that the host made', async () => {
  const request = new Request('https://api.example/')
  await guard(policy, (seen) => {
    assert.equal(seen, request)
    return new Response('{}')
  })(request)
})

test('a path that is not canonical is answered under the strict cell', async () => {
  const response = await ask(() => Response.json({}), '/open%2f')
  assert.match(response.headers.get('cache-control') ?? '', /no-store/)
})
