// The headers that hold on every answer of the example, read from the socket.

import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { type Api, buildApi } from './app.ts'
import { type Answer, type Call, exchange, openStream, send } from './wire.ts'

let api: Api
let port: number
let member: string

before(async () => {
  api = buildApi()
  const { app } = api
  // Handlers as they happen to be written: they set what is not theirs, and they break.
  app.get('/v1/account/rogue', (_request, reply) => {
    reply.raw.setHeader('X-Content-Type-Options', 'sniff')
    reply.headers({ ...WRONG, 'strict-transport-security': 'max-age=0' }).send({ rogue: true })
  })
  app.get('/v1/rogue/raw', (_request, reply) => {
    reply.hijack()
    reply.raw.writeHead(200, { ...WRONG, 'X-Frame-Options': ['ALLOWALL', 'DENY'] })
    reply.raw.end('raw')
  })
  app.get('/v1/rogue/throws', () => {
    throw new Error('SELECT secret FROM vault at /srv/app/db.ts:12')
  })
  app.get('/v1/rogue/rejects', async () => Promise.reject(new Error('at /srv/app/db.ts:12')))
  app.get('/v1/rogue/redirect', (_request, reply) => reply.redirect('/v1/status', 302))
  app.get('/v1/rogue/empty', (_request, reply) => reply.code(204).send())
  app.get('/v1/rogue/unchanged', (_request, reply) => reply.code(304).send())
  await app.listen({ host: '127.0.0.1', port: 0 })
  port = (app.server.address() as AddressInfo).port
  member = `Bearer ${api.accounts.issueToken('acct_1')}`
})

after(() => api.app.close())

const WRONG = {
  'X-Frame-Options': 'ALLOWALL',
  'Referrer-Policy': 'unsafe-url',
  'X-DNS-Prefetch-Control': 'on',
  'Cross-Origin-Resource-Policy': 'same-site',
  'Cache-Control': 'public, max-age=600',
  Server: 'AcmeServer/1.2.3',
  'X-Powered-By': 'AcmeFramework 4',
  'X-XSS-Protection': '1; mode=block',
  'Expect-CT': 'max-age=1',
  'Public-Key-Pins': 'pin-sha256="x"',
  'Feature-Policy': "camera 'none'",
  'X-Download-Options': 'noopen',
  'Cross-Origin-Embedder-Policy': 'require-corp',
} as const

const HOST = 'Host: api.driftstack.example\r\n'

/** Every kind of answer: a request, or bytes, and the status that it is answered with. */
const kinds: Readonly<
  Record<string, { readonly call?: Call; readonly bytes?: string; readonly status: number }>
> = {
  'a public answer': { call: { path: '/v1/status' }, status: 200 },
  'a private answer': { call: { path: '/v1/account' }, status: 200 },
  'a write': {
    call: {
      method: 'PATCH',
      path: '/v1/account',
      body: '{"name":"Tugs"}',
      headers: { 'Content-Type': 'application/json' },
    },
    status: 200,
  },
  'a HEAD': { call: { method: 'HEAD', path: '/v1/status' }, status: 200 },
  'a redirect': { call: { path: '/v1/rogue/redirect' }, status: 302 },
  'no content': { call: { path: '/v1/rogue/empty' }, status: 204 },
  'not modified': { call: { path: '/v1/rogue/unchanged' }, status: 304 },
  'no token': { call: { path: '/v1/account', headers: { Authorization: '' } }, status: 401 },
  'too few rights': { call: { path: '/v1/admin/accounts' }, status: 403 },
  'no such route': { call: { path: '/v2/nothing' }, status: 404 },
  'no such invoice': { call: { path: '/v1/billing/invoices/inv_9' }, status: 404 },
  'a body that is refused': {
    call: {
      method: 'PATCH',
      path: '/v1/account',
      body: '{"name":""}',
      headers: { 'Content-Type': 'application/json' },
    },
    status: 400,
  },
  'a body of an unknown type': {
    call: { method: 'PATCH', path: '/v1/account', body: 'x', headers: { 'Content-Type': 'text/x' } },
    status: 415,
  },
  'a body that is too large': {
    call: {
      method: 'PATCH',
      path: '/v1/account',
      headers: { 'Content-Type': 'application/json', 'Content-Length': '9999999' },
    },
    status: 413,
  },
  'a handler that throws': { call: { path: '/v1/rogue/throws' }, status: 500 },
  'a handler that rejects': { call: { path: '/v1/rogue/rejects' }, status: 500 },
  'a handler that sets the headers itself': { call: { path: '/v1/account/rogue' }, status: 200 },
  'a handler that writes past the framework': { call: { path: '/v1/rogue/raw' }, status: 200 },
  'a preflight': {
    call: {
      method: 'OPTIONS',
      path: '/v1/account',
      headers: { Origin: 'https://dashboard.driftstack.example', 'Access-Control-Request-Method': 'GET' },
    },
    status: 204,
  },
  'a plain OPTIONS': { call: { method: 'OPTIONS', path: '/v1/account' }, status: 404 },
  'an escape that Fastify refuses': { call: { path: '/v1/%zz' }, status: 400 },
  'security.txt': { call: { path: '/.well-known/security.txt' }, status: 200 },
  'a line that is no request': { bytes: 'GARBAGE\r\n\r\n', status: 400 },
  'a header name with a space': { bytes: `GET /v1/status HTTP/1.1\r\n${HOST}X Y: 1\r\n\r\n`, status: 400 },
  'no Host': { bytes: 'GET /v1/status HTTP/1.1\r\n\r\n', status: 400 },
  'a head that is too large': {
    bytes: `GET /v1/status HTTP/1.1\r\n${HOST}X: ${'a'.repeat(20_000)}\r\n\r\n`,
    status: 431,
  },
  'an expectation that nobody meets': {
    bytes: `GET /v1/status HTTP/1.1\r\n${HOST}Expect: tea\r\nConnection: close\r\n\r\n`,
    status: 417,
  },
}

function answerTo(kind: string): Promise<Answer> {
  const { call, bytes } = kinds[kind]!
  return call
    ? send(port, { ...call, headers: { Authorization: member, ...call.headers } })
    : exchange(port, bytes!)
}

const ALWAYS: Readonly<Record<string, readonly [name: string, value: string]>> = {
  D1: ['Strict-Transport-Security', 'max-age=63072000; includeSubDomains; preload'],
  D2: ['X-Content-Type-Options', 'nosniff'],
  D3: ['X-Frame-Options', 'SAMEORIGIN'],
  D4: ['Referrer-Policy', 'no-referrer'],
  D5: ['X-DNS-Prefetch-Control', 'off'],
  D18: ['Cross-Origin-Resource-Policy', 'cross-origin'],
}

for (const [claim, [name, value]] of Object.entries(ALWAYS)) {
  for (const kind of Object.keys(kinds))
    test(`${claim} ${name} is sent once on ${kind}`, async () => {
      const answer = await answerTo(kind)
      assert.equal(answer.status, kinds[kind]!.status)
      assert.deepEqual(answer.all(name), [value])
    })
  test(`${claim} ${name} is sent once on a stream`, async () => {
    const stream = await openStream(port, { path: '/v1/status/stream' })
    stream.close()
    assert.deepEqual(stream.head.all(name), [value])
  })
}

const LEFT_OUT = [
  'Server',
  'X-Powered-By',
  'X-XSS-Protection',
  'Expect-CT',
  'Public-Key-Pins',
  'Feature-Policy',
  'X-Download-Options',
  'Cross-Origin-Embedder-Policy',
]

for (const kind of Object.keys(kinds))
  test(`D19 nothing that is left out on purpose is sent on ${kind}`, async () => {
    const answer = await answerTo(kind)
    assert.deepEqual(
      LEFT_OUT.flatMap((name) => answer.all(name)),
      [],
    )
  })

test('D19 what a crash says stays inside', async () => {
  for (const kind of ['a handler that throws', 'a handler that rejects']) {
    const { body } = await answerTo(kind)
    assert.doesNotMatch(body, /srv|SELECT|\.ts/)
    assert.equal((JSON.parse(body) as { code: string }).code, 'internal')
  }
})
