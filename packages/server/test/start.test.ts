// Starting a gateway: what is wrong is said at once, and a status belongs to the gateway only where that is asked for.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { test } from 'node:test'
import { startGateway } from '../src/index.ts'
import { ask, gatewayFor, HERE, IN_FRONT, temporaryFolder, upstreamFor } from './harness.ts'

const listen = { host: '127.0.0.1', port: 0 }

const WRONG_UPSTREAMS: readonly (readonly [upstream: string, message: RegExp])[] = [
  ['', /expected an http or https URL, received ""/],
  ['127.0.0.1:9000', /expected an http or https URL/],
  ['ftp://127.0.0.1', /expected an http or https URL/],
  ['http://127.0.0.1:9000/api', /expected an origin without a path, .*write "http:\/\/127\.0\.0\.1:9000"/],
  ['http://127.0.0.1:9000/?a=1', /expected an origin without a path/],
]

test('an upstream that is no origin is refused with the way to mend it', async () => {
  for (const [upstream, message] of WRONG_UPSTREAMS)
    await assert.rejects(startGateway({ policy: IN_FRONT, upstream, listen }), message, upstream)
})

test('a password in the URL of an upstream is refused without repeating it', async () => {
  const upstream = 'http://user:hunter2@127.0.0.1:9000'
  const error = await startGateway({ policy: IN_FRONT, upstream, listen }).then(
    () => assert.fail('started'),
    (reason: Error) => reason,
  )
  assert.match(error.message, /password/)
  assert.doesNotMatch(error.message, /hunter2/)
})

test('a certificate where the policy ends TLS in front is a contradiction', async () => {
  const tls = { cert: 'x', key: 'x' }
  await assert.rejects(
    startGateway({ policy: IN_FRONT, upstream: 'http://127.0.0.1:9', listen, tls }),
    /the policy says that TLS ends in front/,
  )
})

test('a port that is taken, a wrong policy and a wrong certificate are errors of the start', async (context) => {
  const upstream = await upstreamFor(context, (_request, response) => response.end())
  const { port } = await gatewayFor(context, { upstream })
  await assert.rejects(startGateway({ policy: IN_FRONT, upstream, listen: { ...listen, port } }), {
    code: 'EADDRINUSE',
  })
  const wrong = { extends: 'api', colour: 'red' } as object
  await assert.rejects(startGateway({ policy: wrong, upstream, listen }), /colour/)
  await assert.rejects(startGateway({ policy: HERE, upstream, listen, tls: { cert: 'x', key: 'y' } }))
})

test('without a certificate a local one is made in the state folder, once', async (context) => {
  const upstream = await upstreamFor(context, (_request, response) => response.end('hello'))
  const stateFolder = await temporaryFolder(context)
  const read = () => readFile(join(stateFolder, 'tls', 'ca.pem'), 'utf8')
  for (let start = 0; start < 2; start++) {
    const gateway = await startGateway({ policy: HERE, upstream, listen, stateFolder })
    assert.match(gateway.url, /^https:\/\/127\.0\.0\.1:\d+$/)
    const running = { gateway, port: gateway.address.port, events: [], ca: await read(), caFile: '' }
    assert.equal((await ask(running, '/')).body, 'hello')
    await gateway.close({ graceMs: 0 })
  }
})

test('the status paths are the upstream’s unless the gateway is asked to answer them', async (context) => {
  const upstream = await upstreamFor(context, (_request, response) => response.end('of the upstream'))
  const running = await gatewayFor(context, { upstream })
  assert.equal((await ask(running, '/v1/status')).body, 'of the upstream')
})

test('D9 the status answers GET and HEAD, names its methods, and counts refusals and failures', async (context) => {
  const upstream = await upstreamFor(context, (request) => request.socket.destroy())
  const running = await gatewayFor(context, { upstream, status: true })
  assert.equal((await ask(running, '/v1/broken')).status, 502)
  assert.equal((await ask(running, '/v1//twisted')).status, 400)
  const report = JSON.parse((await ask(running, '/v1/status')).body)
  assert.deepEqual(report.requests, { total: 3, refused: 1, failed: 1 })
  const head = await ask(running, '/v1/status', { method: 'HEAD' })
  assert.deepEqual([head.status, head.body], [200, ''])
  assert.ok(Number(head.header('content-length')) > 100)
  for (const path of ['/v1/status', '/v1/status/stream']) {
    const options = await ask(running, path, { method: 'OPTIONS' })
    assert.deepEqual([options.status, options.header('allow')], [204, 'GET, HEAD, OPTIONS'])
    const post = await ask(running, path, { method: 'POST', body: 'x' })
    assert.deepEqual([post.status, post.header('allow')], [405, 'GET, HEAD, OPTIONS'])
    assert.equal(JSON.parse(post.body).code, 'method_not_allowed')
  }
})

test('D10 a reader that comes back with its last event gets on from there', async (context) => {
  const upstream = await upstreamFor(context, (_request, response) => response.end())
  const running = await gatewayFor(context, { upstream, status: true })
  const first = await reader(running.port)
  const id = /^id: (\S+)$/m.exec(await first.next())![1]!
  first.leave()
  await ask(running, '/')
  const second = await reader(running.port, id)
  const text = await second.next()
  assert.doesNotMatch(text, new RegExp(`id: ${id}$`, 'm'), 'it has that one already')
  second.leave()
})

async function reader(port: number, lastEventId?: string) {
  const headers = lastEventId === undefined ? {} : { 'Last-Event-ID': lastEventId }
  const settings = { host: '127.0.0.1', port, path: '/v1/status/stream', headers, agent: false as const }
  const request = httpRequest(settings).end()
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  response.setEncoding('utf8')
  response.on('error', () => {})
  return {
    async next(): Promise<string> {
      let text = ''
      for (;;) {
        const [chunk] = (await once(response, 'data')) as [string]
        text += chunk
        if (/^data: .*\n\n/m.test(text)) return text
      }
    },
    leave: () => request.destroy(),
  }
}
