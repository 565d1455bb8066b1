// CORS end to end: a policy under a server of node:http, asked over real sockets.

import assert from 'node:assert/strict'
import { type IncomingMessage, type RequestListener, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { createServer } from '../../src/adapters/node/index.ts'

const LISTED = 'https://dashboard.example.com'
const FOREIGN = 'https://evil.example'

// An application that grants everything to everybody, and tells what it was sent.
const application: RequestListener = (incoming, response) => {
  response.setHeader('Access-Control-Allow-Origin', incoming.headers.origin ?? '*')
  response.setHeader('Access-Control-Allow-Credentials', 'true')
  response.setHeader('Access-Control-Expose-Headers', 'x-secret')
  response.setHeader('Vary', 'Accept-Encoding')
  const status = Number(/\/status-(\d+)$/.exec(incoming.url ?? '')?.[1] ?? 200)
  const cookies = [
    incoming.headers.cookie,
    incoming.headersDistinct.cookie?.[0],
    incoming.rawHeaders.find((name) => name.toLowerCase() === 'cookie'),
  ]
  response.writeHead(status, { 'Content-Type': 'application/json', 'access-control-max-age': '86400' })
  response.end(JSON.stringify({ cookies: cookies.filter((cookie) => cookie !== undefined).length }))
}

const server = createServer(
  {
    extends: 'api',
    transport: { tls: 'in-front' },
    cors: { origins: [LISTED] },
    routes: { '/v1/session/*': { credentials: 'cookie' } },
  },
  application,
)

before(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)))
after(() => new Promise((resolve) => server.close(resolve)))

interface Reply {
  readonly status: number
  readonly head: IncomingMessage['headersDistinct']
  readonly body: string
}

function ask(path: string, headers: Record<string, string>, method = 'GET'): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const { port } = server.address() as AddressInfo
    const sent = request({ port, host: '127.0.0.1', path, method, headers, agent: false }, (answer) => {
      let body = ''
      answer.setEncoding('utf8')
      answer.on('data', (chunk: string) => {
        body += chunk
      })
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, head: answer.headersDistinct, body }))
    })
    sent.on('error', reject)
    sent.end()
  })
}

function corsNames({ head }: Reply): readonly string[] {
  return Object.keys(head).filter((name) => name.startsWith('access-control-'))
}

function varyNames({ head }: Reply): readonly string[] {
  return (head.vary ?? []).flatMap((value) => value.split(',')).map((name) => name.trim().toLowerCase())
}

test('D12 a listed origin is reflected with credentials, and keeps its cookies', async () => {
  const reply = await ask('/v1/account/me', { Origin: LISTED, Cookie: 'session=1' })
  assert.deepEqual(reply.head['access-control-allow-origin'], [LISTED])
  assert.deepEqual(reply.head['access-control-allow-credentials'], ['true'])
  assert.equal(reply.head['access-control-max-age'], undefined)
  assert.equal(JSON.parse(reply.body).cookies, 3)
})

test('D12 any other origin may read without cookies, and its cookies never reach the application', async () => {
  const reply = await ask('/v1/account/me', { Origin: FOREIGN, Cookie: 'session=1' })
  assert.deepEqual(reply.head['access-control-allow-origin'], ['*'])
  assert.equal(reply.head['access-control-allow-credentials'], undefined)
  assert.equal(JSON.parse(reply.body).cookies, 0)
})

test('D17 a route for cookies grants other origins nothing, whatever the application says', async () => {
  assert.deepEqual(corsNames(await ask('/v1/session/me', { Origin: FOREIGN })), [])
  const preflight = await ask(
    '/v1/session/me',
    { Origin: FOREIGN, 'Access-Control-Request-Method': 'GET' },
    'OPTIONS',
  )
  assert.equal(preflight.status, 403)
  assert.equal(JSON.parse(preflight.body).code, 'origin_not_allowed')
  assert.deepEqual(corsNames(preflight), [])
  assert.ok(varyNames(preflight).includes('origin'))
})

test('D13 D14 D15 a preflight is answered without the application, with the exact lines', async () => {
  const reply = await ask(
    '/v1/account/me',
    { Origin: LISTED, 'Access-Control-Request-Method': 'PATCH', 'Access-Control-Request-Headers': 'x-any' },
    'OPTIONS',
  )
  assert.equal(reply.status, 204)
  assert.equal(reply.body, '')
  assert.deepEqual(reply.head['access-control-allow-origin'], [LISTED])
  assert.deepEqual(reply.head['access-control-allow-credentials'], ['true'])
  assert.deepEqual(reply.head['access-control-max-age'], ['600'])
  assert.deepEqual(reply.head['access-control-allow-methods'], ['GET, POST, PUT, PATCH, DELETE, OPTIONS'])
  assert.deepEqual(reply.head['access-control-allow-headers'], [
    'authorization, content-type, x-request-id, stripe-signature, x-nowpayments-sig',
  ])
  assert.deepEqual(reply.head.vary, ['Origin'])
})

for (const status of [401, 403, 404, 429, 500, 503])
  test(`D12 D16 an answer of ${status} carries "*", the exposed names and a merged Vary`, async () => {
    const reply = await ask(`/v1/account/status-${status}`, { Origin: FOREIGN })
    assert.equal(reply.status, status)
    assert.deepEqual(reply.head['access-control-allow-origin'], ['*'])
    assert.match(reply.head['access-control-expose-headers']?.[0] ?? '', /^x-request-id, .*, retry-after$/)
    assert.ok(varyNames(reply).includes('origin'))
    assert.ok(varyNames(reply).includes('accept-encoding'))
  })

test('an OPTIONS request that is no preflight reaches the application', async () => {
  const reply = await ask('/v1/account/me', { Origin: LISTED }, 'OPTIONS')
  assert.equal(reply.status, 200)
  assert.equal(JSON.parse(reply.body).cookies, 0)
  assert.equal(reply.head['access-control-allow-methods'], undefined)
})

test('Vary names Origin where the request has none', async () => {
  const reply = await ask('/v1/account/me', {})
  assert.ok(varyNames(reply).includes('origin'))
  assert.deepEqual(corsNames(reply), [])
})
