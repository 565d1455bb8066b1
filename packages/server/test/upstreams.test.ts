// Several upstreams, each at several addresses: whose a path is, what is sent again, who is left out, and what happens
// when there is no room.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { type AddressInfo, createServer as createNetServer, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { PolicyError } from 'sallyport/settings'
import type { GatewayOptions } from '../src/index.ts'
import { ask, gatewayFor, rawExchange, upstreamFor } from './harness.ts'

type Upstreams = NonNullable<GatewayOptions['upstreams']>

async function named(context: TestContext, name: string): Promise<string> {
  return upstreamFor(context, (request, response) => response.end(`${name} ${request.method} ${request.url}`))
}

/** An address at which nothing listens any more. */
async function nobody(): Promise<string> {
  const server = createNetServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return `http://127.0.0.1:${port}`
}

test('the most specific route says whose a path is, and nobody has the rest', async (context) => {
  const [api, files, uploads] = await Promise.all(
    ['api', 'files', 'uploads'].map((name) => named(context, name)),
  )
  const running = await gatewayFor(context, {
    upstreams: { api: { urls: [api!] }, files: { urls: [files!] }, uploads: { urls: [uploads!] } },
    routes: { '/v1/*': 'api', '/v1/files/:id': 'files', 'PUT /v1/files/:id': 'uploads' },
  })
  for (const [method, path, expected] of [
    ['GET', '/v1', 'api GET /v1'],
    ['GET', '/v1/x?y=/v1/files/1', 'api GET /v1/x?y=/v1/files/1'],
    ['GET', '/v1/files/1', 'files GET /v1/files/1'],
    ['PUT', '/v1/files/1', 'uploads PUT /v1/files/1'],
    ['DELETE', '/v1/files/1', 'files DELETE /v1/files/1'],
    ['GET', '/v1/files/1/2', 'api GET /v1/files/1/2'],
  ] as const)
    assert.equal((await ask(running, path, { method })).body, expected)
  for (const path of ['/', '/v2', '/v1x', '/V1/x']) {
    const { status, body } = await ask(running, path)
    assert.deepEqual([status, JSON.parse(body).code], [404, 'not_found'], path)
  }
})

test('wrong settings are refused with their place, and so is none', async (context) => {
  const start = (options: Partial<GatewayOptions>) => gatewayFor(context, options)
  await assert.rejects(start({}), /^TypeError: upstream: neither upstream nor|^TypeError: upstream: neither/)
  await assert.rejects(start({ upstream: 'http://a', upstreams: {} }), /^TypeError: upstream: both/)
  await assert.rejects(
    start({ upstreams: { api: { urls: ['http://a'], connections: 0 } } }),
    (error) => error instanceof PolicyError && /^upstreams\.api\.connections: /.test(error.message),
  )
})

test('addresses share the requests', async (context) => {
  const names = ['a', 'b', 'c']
  const urls = await Promise.all(names.map((name) => named(context, name)))
  const running = await gatewayFor(context, { upstreams: { api: { urls } } })
  const counts = new Map<string, number>()
  for (let i = 0; i < 9; i++) {
    const name = (await ask(running, '/')).body[0]!
    counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  assert.deepEqual([...counts.values()], [3, 3, 3])
})

test('what no connection carried goes to another address, whatever the method', async (context) => {
  const well = await named(context, 'well')
  const urls = [await nobody(), well]
  const running = await gatewayFor(context, { upstreams: { api: { urls, ejection: false } } })
  for (const method of ['GET', 'POST', 'GET', 'POST'])
    assert.equal(
      (await ask(running, '/', { method, body: method === 'POST' ? 'pay' : '' })).body,
      `well ${method} /`,
    )
  assert.deepEqual(running.events, [])
  const [report] = running.gateway.upstreams()
  assert.ok(report!.retried > 0)
  assert.deepEqual(Object.keys(report!.addresses[0]!.failures), ['ECONNREFUSED'])
  assert.deepEqual(report!.addresses[1]!.failures, {})
})

test('nothing is sent again where retries are off', async (context) => {
  const urls = [await nobody(), await named(context, 'well')]
  const running = await gatewayFor(context, { upstreams: { api: { urls, ejection: false, retries: 0 } } })
  const statuses = []
  for (let i = 0; i < 4; i++) statuses.push((await ask(running, '/')).status)
  assert.deepEqual(statuses.sort(), [200, 200, 502, 502])
})

/** Answers the first request of each connection, and closes it when the second comes. */
function closesKept(seen: string[]): RequestListener {
  const known = new WeakSet<Socket>()
  return (request: IncomingMessage, response: ServerResponse) => {
    seen.push(`${known.has(request.socket) ? 'kept' : 'fresh'} ${request.method}`)
    if (known.has(request.socket)) request.socket.destroy()
    else {
      known.add(request.socket)
      response.end('whole')
    }
  }
}

for (const [method, body, expected] of [
  ['GET', '', { status: 200, seen: ['fresh GET', 'kept GET', 'fresh GET'] }],
  ['DELETE', '', { status: 200, seen: ['fresh GET', 'kept DELETE', 'fresh DELETE'] }],
  ['PUT', 'the whole', { status: 200, seen: ['fresh GET', 'kept PUT', 'fresh PUT'] }],
  ['POST', 'pay', { status: 502, seen: ['fresh GET', 'kept POST'] }],
  ['PUT', 'x'.repeat(200_000), { status: 502, seen: ['fresh GET', 'kept PUT'] }],
] as const)
  test(`${method} with ${body.length} bytes on a kept connection that breaks: ${expected.status}`, async (context) => {
    const seen: string[] = []
    const upstream = await upstreamFor(context, closesKept(seen))
    const running = await gatewayFor(context, { upstream })
    assert.equal((await ask(running, '/')).status, 200)
    assert.equal((await ask(running, '/', { method, ...(body ? { body } : {}) })).status, expected.status)
    assert.deepEqual(seen, expected.seen)
  })

test('a connection that breaks within its answer is no reason to ask again', async (context) => {
  for (const part of [
    'HTTP/1.1 1',
    'HTTP/1.1 103 Early Hints\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n',
  ]) {
    const seen: string[] = []
    const upstream = await upstreamFor(context, (request, response) => {
      seen.push(request.url!)
      if (request.url === '/first') return void response.end('whole')
      request.socket.write(part, () => request.socket.destroy())
    })
    const running = await gatewayFor(context, { upstream })
    await ask(running, '/first')
    await rawExchange(running.port, 'GET /second HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n')
    assert.deepEqual(seen, ['/first', '/second'], part)
  }
})

test('an address that answers for nobody is left out, is tried again, and comes back', async (context) => {
  let status = 503
  const seen: string[] = []
  const ill = await upstreamFor(context, (_request, response) => {
    seen.push('ill')
    response.writeHead(status).end()
  })
  const upstreams: Upstreams = {
    api: { urls: [ill, await named(context, 'well')], ejection: { failures: 3, firstMs: 1, longestMs: 1 } },
  }
  const running = await gatewayFor(context, { upstreams, admin: { host: '127.0.0.1', port: 0 } })
  const report = () => running.gateway.upstreams()[0]!.addresses[0]!
  while (report().ejections === 0) await ask(running, '/')
  assert.equal(report().failures.status_503, 3)
  assert.equal(seen.length, 3)
  const ready = await (await fetch(`${running.gateway.adminUrl}/readyz`)).json()
  assert.equal(ready.ready, true)
  assert.match(
    ready.warnings[0],
    /^http:\/\/127\.0\.0\.1:\d+ of the upstream "api" is left out after failures, for the 1st time$/,
  )
  const metrics = await (await fetch(`${running.gateway.adminUrl}/metrics`)).text()
  assert.match(metrics, new RegExp(`^sallyport_upstream_ejected{upstream="api",address="${ill}"} 1$`, 'm'))
  assert.match(
    metrics,
    new RegExp(
      `^sallyport_upstream_address_failures_total{upstream="api",address="${ill}",reason="status_503"} 3$`,
      'm',
    ),
  )
  status = 200
  while (report().ejectedForMs !== undefined) await ask(running, '/')
  assert.equal(seen.length, 4)
})

test('an answer that is wrong is counted, and leaves nobody out', async (context) => {
  const wrong = await upstreamFor(context, (request) => void request.socket.end('HTTP/1.1 2000 what\r\n\r\n'))
  const double = await upstreamFor(context, (request) => {
    request.socket.end('HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n')
  })
  const running = await gatewayFor(context, {
    upstreams: { api: { urls: [wrong, double], ejection: { failures: 1 } } },
  })
  for (let i = 0; i < 6; i++) assert.equal((await ask(running, '/')).status, 502)
  for (const { failures, ejections } of running.gateway.upstreams()[0]!.addresses)
    assert.deepEqual([Object.values(failures), ejections], [[3], 0])
})

test('an address that breaks its connections, or says nothing, is left out', async (context) => {
  for (const act of ['break', 'silence'] as const) {
    const ill = await upstreamFor(context, (request) => {
      if (act === 'break') request.socket.destroy()
    })
    const running = await gatewayFor(context, {
      upstreams: {
        api: {
          urls: [ill, await named(context, 'well')],
          ejection: { failures: 1 },
          timeouts: { headMs: 200 },
        },
      },
    })
    const statuses = []
    for (let i = 0; i < 4; i++) statuses.push((await ask(running, '/')).status)
    assert.deepEqual(statuses.sort(), [200, 200, 200, act === 'break' ? 502 : 504])
    assert.equal(running.gateway.upstreams()[0]!.addresses[0]!.ejections, 1)
  }
})

test('the last address is asked, however it fails', async (context) => {
  const upstream = await upstreamFor(context, (_request, response) => void response.writeHead(502).end())
  const running = await gatewayFor(context, {
    upstreams: { api: { urls: [upstream], ejection: { failures: 1 } } },
  })
  for (let i = 0; i < 5; i++) assert.equal((await ask(running, '/')).status, 502)
  assert.equal(running.gateway.upstreams()[0]!.addresses[0]!.total, 5)
})

test('a request waits for a slot where there is a queue, and is refused where that is full or takes too long', async (context) => {
  const held: ServerResponse[] = []
  const upstream = await upstreamFor(context, (_request, response) => void held.push(response))
  const running = await gatewayFor(context, {
    upstreams: { api: { urls: [upstream], connections: 1, queue: 1, queueMs: 60_000 } },
  })
  const state = () => running.gateway.upstreams()[0]!
  const until = async (isSo: () => boolean) => {
    while (!isSo()) await new Promise((resolve) => setImmediate(resolve))
  }
  const first = ask(running, '/first')
  await until(() => held.length === 1)
  const second = ask(running, '/second')
  await until(() => state().waiting === 1)
  const third = await ask(running, '/third')
  assert.deepEqual([third.status, third.header('retry-after')], [503, '1'])
  held[0]!.end('one')
  assert.equal((await first).body, 'one')
  await until(() => held.length === 2)
  held[1]!.end('two')
  assert.equal((await second).body, 'two')
  assert.deepEqual([state().waiting, state().refused, state().addresses[0]!.inFlight], [0, 1, 0])
})

test('who waits too long is refused, and who leaves gives the place back', async (context) => {
  const held: ServerResponse[] = []
  const upstream = await upstreamFor(context, (_request, response) => void held.push(response))
  const running = await gatewayFor(context, {
    upstreams: { api: { urls: [upstream], connections: 1, queue: 1, queueMs: 200 } },
  })
  const first = ask(running, '/first')
  while (held.length === 0) await new Promise((resolve) => setImmediate(resolve))
  for (let i = 0; i < 2; i++) assert.equal((await ask(running, '/late')).status, 503)
  held[0]!.end('one')
  await first
  assert.equal(held.length, 1)
  assert.equal(running.gateway.upstreams()[0]!.waiting, 0)
})
