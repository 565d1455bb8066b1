// Reload of the upstreams and the routes to them: new requests go by the new ones at once, those under way end where they
// are, and not one is lost; what is wrong changes nothing.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Behind } from '../src/contract.ts'
import { startFleet } from '../src/index.ts'
import { ask, gatewayFor, IN_FRONT, temporaryFolder, upstreamFor } from './harness.ts'

async function reconfigurable(context: TestContext, first: Behind) {
  let configuration = first
  const { upstreams, routes } = first
  const running = await gatewayFor(context, {
    ...(upstreams ? { upstreams } : {}),
    ...(routes ? { routes } : {}),
    source: {
      name: 'sallyport.config.json',
      files: [],
      load: async () => ({ policy: IN_FRONT, configuration }),
    },
  })
  const reload = (next: Behind) => {
    configuration = next
    return running.gateway.reload()
  }
  return { running, reload }
}

const only = (url: string): Behind => ({ upstreams: { api: { urls: [url] } } })
const named = (context: TestContext, name: string) =>
  upstreamFor(context, (_request, response) => response.end(name))

test('new upstreams and routes hold for the next request, and the operator sees them', async (context) => {
  const [old, api, files] = await Promise.all(['old', 'api', 'files'].map((name) => named(context, name)))
  const { running, reload } = await reconfigurable(context, only(old!))
  assert.equal((await ask(running, '/v1/x')).body, 'old')
  const next: Behind = {
    upstreams: { api: { urls: [api!] }, files: { urls: [files!] } },
    routes: { '/v1/*': 'api', '/files/*': 'files' },
    takesRestart: ['workers'],
  }
  const outcome = await reload(next)
  assert.deepEqual(outcome?.ok && outcome.notes, [
    'the upstream api has changed',
    'the upstream files is new',
    'the routes to upstreams have changed',
    'workers has changed, which takes a restart',
  ])
  const bodies = await Promise.all(['/v1/x', '/files/x'].map(async (path) => (await ask(running, path)).body))
  assert.deepEqual(bodies, ['api', 'files'])
  assert.equal((await ask(running, '/x')).status, 404)
  const shown = JSON.stringify(await running.gateway.plane.configuration())
  assert.ok(shown.includes(files!) && !shown.includes(old!))
  const again = await reload(only(old!))
  assert.deepEqual(again?.ok && again.notes, [
    'the upstream api has changed',
    'the upstream files is gone',
    'the routes to upstreams have changed',
  ])
  assert.equal((await ask(running, '/files/x')).body, 'old')
})

test('an upstream that stays the same keeps its connections and its counts', async (context) => {
  const ports = new Set<number>()
  const api = await upstreamFor(context, (request, response) => {
    ports.add(request.socket.remotePort!)
    response.end('api')
  })
  const { running, reload } = await reconfigurable(context, only(api))
  for (let turn = 0; turn < 3; turn++) {
    await ask(running, '/')
    const files = await named(context, 'files')
    const outcome = await reload({
      upstreams: { api: { urls: [api] }, [`files${turn}`]: { urls: [files] } },
      routes: { '/*': 'api', '/files/*': `files${turn}` },
    })
    assert.ok(outcome?.ok)
  }
  assert.equal(ports.size, 1)
  assert.equal(running.gateway.upstreams()[0]?.addresses[0]?.total, 3)
})

test('a request under way ends at the old upstream, whose connections are closed after it', async (context) => {
  const held = Promise.withResolvers<ServerResponse>()
  const server = createServer((_request, response) => held.resolve(response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  context.after(() => server.closeAllConnections())
  const old = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const { running, reload } = await reconfigurable(context, only(old))
  const answer = ask(running, '/held')
  const response = await held.promise
  assert.ok((await reload(only(await named(context, 'new'))))?.ok)
  assert.equal((await ask(running, '/')).body, 'new')
  const closed = once(response.socket!, 'close')
  response.end('old')
  assert.equal((await answer).body, 'old')
  await closed
  server.close()
  await once(server, 'close')
})

test('what is wrong with new upstreams is said, and the ones before go on', async (context) => {
  const api = await named(context, 'api')
  const { running, reload } = await reconfigurable(context, only(api))
  const folder = await temporaryFolder(context)
  const wrong: readonly (readonly [next: Behind, problem: RegExp])[] = [
    [
      { upstreams: { api: { urls: ['https://127.0.0.1:9'], tls: { ca: join(folder, 'gone.pem') } } } },
      /upstreams\.api\.tls\.ca: .*gone\.pem can't be read/,
    ],
    [{ upstreams: { api: { urls: [] } } }, /upstreams\.api\.urls/],
    [{ ...only(api), routes: { '/*': 'apis' } }, /routes\["\/\*"\]: there is no such upstream/],
  ]
  for (const [next, problem] of wrong) {
    const outcome = await reload(next)
    assert.match(outcome?.ok === false ? outcome.problems.join('\n') : '', problem)
    assert.equal((await ask(running, '/')).body, 'api')
  }
  assert.deepEqual(await reload({ takesRestart: [] }), { ...(await reload(only(api))) })
})

const ROUNDS = 30

test('under load no request fails while upstreams are exchanged', async (context) => {
  const upstreams = [await named(context, 'a'), await named(context, 'b')]
  const { running, reload } = await reconfigurable(context, only(upstreams[0]!))
  let isOver = false
  const seen = new Map<string, number>()
  const client = async () => {
    while (!isOver) {
      const { status, body } = await ask(running, '/')
      seen.set(`${status} ${body}`, (seen.get(`${status} ${body}`) ?? 0) + 1)
    }
  }
  const clients = Array.from({ length: 8 }, client)
  for (let round = 1; round <= ROUNDS; round++) {
    assert.ok((await reload(only(upstreams[round % 2]!)))?.ok)
    // Some requests between two reloads, and some across each.
    await ask(running, '/')
  }
  isOver = true
  await Promise.all(clients)
  assert.deepEqual([...seen.keys()].sort(), ['200 a', '200 b'])
  context.diagnostic(
    `${[...seen.values()].reduce((a, b) => a + b)} requests: 0 failed, over ${ROUNDS} reloads`,
  )
})

test('all processes of a fleet take new upstreams in, and so do those that are started after it', async (context) => {
  let behind = only(await named(context, 'old'))
  const fleet = await startFleet({
    workers: 2,
    policy: IN_FRONT,
    upstreams: behind.upstreams!,
    listen: { host: '127.0.0.1', port: 0 },
    source: {
      name: 'sallyport.config.json',
      files: [],
      load: async () => ({ policy: IN_FRONT, configuration: behind }),
    },
  })
  context.after(() => fleet.close({ graceMs: 0 }))
  const bodies = async () => {
    const found = new Set<string>()
    for (let i = 0; i < 20; i++) {
      const [response] = (await once(httpRequest(fleet.url, { agent: false }).end(), 'response')) as [
        IncomingMessage,
      ]
      let body = ''
      for await (const chunk of response) body += chunk
      found.add(body)
    }
    return [...found]
  }
  assert.deepEqual(await bodies(), ['old'])
  behind = { ...only(await named(context, 'new')), routes: { '/*': 'api' } }
  const outcome = await fleet.reload()
  assert.deepEqual(outcome?.ok && outcome.notes, [
    'the upstream api has changed',
    'the routes to upstreams have changed',
  ])
  assert.deepEqual(await bodies(), ['new'])
  await fleet.restart()
  assert.deepEqual(await bodies(), ['new'])
  const wrong = { upstreams: { api: { urls: ['https://127.0.0.1:9'], tls: { ca: '/nowhere/ca.pem' } } } }
  behind = wrong
  assert.equal((await fleet.reload())?.ok, false)
  assert.deepEqual(await bodies(), ['new'])
})
