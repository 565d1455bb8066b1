// The claims of Driftstack's page through the gateway, each on every kind of answer that a gateway gives.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { connect as netConnect } from 'node:net'
import { type TestContext, test } from 'node:test'
import { connect as tlsConnect } from 'node:tls'
import { promisify } from 'node:util'
import { startSampleUpstream } from '../src/index.ts'
import { type Answer, ask, gatewayFor, HERE, type Running, upstreamFor } from './harness.ts'

const curl = promisify(execFile)

async function sampleGateway(context: TestContext): Promise<Running> {
  const sample = await startSampleUpstream({ port: 0 })
  context.after(() => sample.close())
  return gatewayFor(context, { policy: HERE, upstream: sample.url, status: true })
}

/** Bytes on a TLS connection, and all that comes back. */
function rawTls(running: Running, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = tlsConnect({ port: running.port, ca: running.ca, servername: 'sallyport.localhost' })
    let text = ''
    socket.setEncoding('latin1')
    socket.on('secureConnect', () => socket.write(bytes, 'latin1'))
    socket.on('data', (chunk: string) => {
      text += chunk
    })
    socket.on('close', () => resolve(text))
    socket.on('error', reject)
  })
}

/** Reads until a pattern is seen, and hangs up. */
function untilSeen(running: Running, bytes: string, pattern: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = tlsConnect({ port: running.port, ca: running.ca, servername: 'sallyport.localhost' })
    let text = ''
    socket.setEncoding('latin1')
    socket.on('secureConnect', () => socket.write(bytes, 'latin1'))
    socket.on('data', (chunk: string) => {
      text += chunk
      if (!pattern.test(text)) return
      socket.destroy()
      resolve(text)
    })
    socket.on('error', reject)
    socket.on('end', () => reject(new Error(`ended before ${pattern}: ${text}`)))
  })
}

// Every kind of answer of the gateway: the upstream's, its own, the guard's, the parser's.
const KINDS: readonly (readonly [kind: string, path: string, status: number, method?: string])[] = [
  ['200 of the upstream', '/v1/products', 200],
  ['HEAD', '/v1/products', 200, 'HEAD'],
  ['302 of the upstream', '/old', 302],
  ['404 of the upstream', '/nowhere', 404],
  ['500 of the upstream', '/v1/orders', 500],
  ['502 of the gateway', '/faults/not-http', 502],
  ['502 for a status out of range', '/faults/status-099', 502],
  ['204 of the upstream', '/faults/no-content-with-body', 204],
  ['status report', '/v1/status', 200],
  ['405 of the gateway', '/v1/status', 405, 'DELETE'],
  ['path that is not canonical', '/v1//products', 400],
]

const FIXED: readonly (readonly [claim: string, name: string, value: string])[] = [
  ['D1', 'strict-transport-security', 'max-age=63072000; includeSubDomains; preload'],
  ['D2', 'x-content-type-options', 'nosniff'],
  ['D3', 'x-frame-options', 'SAMEORIGIN'],
  ['D4', 'referrer-policy', 'no-referrer'],
  ['D5', 'x-dns-prefetch-control', 'off'],
  ['D18', 'cross-origin-resource-policy', 'cross-origin'],
]

test('D1 D2 D3 D4 D5 D18 stand on every kind of answer of the gateway, once each', async (context) => {
  const running = await sampleGateway(context)
  for (const [kind, path, status, method] of KINDS) {
    const answer = await ask(running, path, method ? { method } : {})
    assert.equal(answer.status, status, kind)
    for (const [claim, name, value] of FIXED)
      assert.deepEqual(answer.values(name), [value], `${claim} on ${kind}`)
  }
})

const UNREADABLE: readonly (readonly [kind: string, bytes: string, status: number])[] = [
  ['garbage', 'GARBAGE\r\n\r\n', 400],
  ['no Host', 'GET / HTTP/1.1\r\n\r\n', 400],
  [
    'an unknown expectation',
    'GET / HTTP/1.1\r\nHost: a.example\r\nExpect: tea\r\nConnection: close\r\n\r\n',
    417,
  ],
  ['a head of 40 KB', `GET / HTTP/1.1\r\nHost: a.example\r\nX-Big: ${'a'.repeat(40_000)}\r\n\r\n`, 431],
  ['CONNECT', 'CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example\r\n\r\n', 405],
  [
    'both framings',
    'POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    400,
  ],
]

test('D1 D2 D3 D4 D5 stand on answers to requests that can not be read', async (context) => {
  const running = await sampleGateway(context)
  for (const [kind, bytes, status] of UNREADABLE) {
    const text = await rawTls(running, bytes)
    assert.match(text, new RegExp(`^HTTP/1\\.1 ${status} `), kind)
    const head = text.slice(0, text.indexOf('\r\n\r\n')).toLowerCase()
    for (const [claim, name, value] of FIXED)
      assert.equal(head.split(`\r\n${name}: ${value.toLowerCase()}`).length, 2, `${claim} on ${kind}`)
  }
})

test('D6 D7 D8 private paths are no-store, private, whatever the upstream says and however it fails', async (context) => {
  const upstream = await upstreamFor(context, (request, response) => {
    if (request.url!.endsWith('/broken')) return void request.socket.destroy()
    response.statusCode = request.url!.endsWith('/error') ? 500 : 200
    response.setHeader('Cache-Control', 'public, max-age=600')
    response.setHeader('Expires', 'Thu, 01 Jan 2037 00:00:00 GMT')
    response.setHeader('CDN-Cache-Control', 'max-age=600')
    response.end('private')
  })
  const running = await gatewayFor(context, { policy: HERE, upstream })
  for (const base of ['/v1/account', '/v1/admin', '/v1/billing'])
    for (const path of [base, `${base}/deep/er`, `${base}/error`, `${base}/broken`]) {
      const answer = await ask(running, path)
      assert.deepEqual(answer.values('cache-control'), ['no-store, private'], path)
      assert.equal(answer.header('expires'), undefined, path)
      assert.equal(answer.header('cdn-cache-control'), undefined, path)
    }
})

test('D9 the status is readable without credentials and kept for 30 seconds', async (context) => {
  const running = await sampleGateway(context)
  await ask(running, '/v1/products')
  const answer = await ask(running, '/v1/status')
  assert.equal(answer.status, 200)
  assert.deepEqual(answer.values('cache-control'), ['public, max-age=30'])
  const report = JSON.parse(answer.body)
  assert.equal(report.status, 'ok')
  assert.match(report.policyDigest, /^sha256:[0-9a-f]{64}$/)
  assert.equal(new Date(report.startedAt).toISOString(), report.startedAt)
  assert.deepEqual(report.requests, { total: 2, refused: 0, failed: 0 })
  assert.deepEqual(Object.keys(report).sort(), ['policyDigest', 'requests', 'startedAt', 'status', 'version'])
})

test('D10 the status stream is a real event stream with no-cache, no-transform', async (context) => {
  const running = await sampleGateway(context)
  const stdout = await untilSeen(
    running,
    'GET /v1/status/stream HTTP/1.1\r\nHost: sallyport.localhost\r\n\r\n',
    /\ndata: .*\n\n/,
  )
  assert.match(stdout, /^HTTP\/1\.1 200 OK\r\n/)
  assert.match(stdout, /^Cache-Control: no-cache, no-transform\r$/m)
  assert.match(stdout, /^Content-Type: text\/event-stream; charset=utf-8\r$/m)
  assert.match(
    stdout,
    /\r\n\r\n[0-9a-f]+\r\nretry: 3000\n\nid: [0-9a-z]+-1\nevent: status\ndata: \{"status":"ok",.*\}\n\n/,
  )
})

test("D19 headers of the upstream's making that say what runs there do not pass", async (context) => {
  const running = await sampleGateway(context)
  const answer: Answer = await ask(running, '/v1/account')
  for (const name of ['server', 'x-powered-by']) assert.equal(answer.header(name), undefined, name)
})

test("H20 an upstream's stack trace never reaches a caller", async (context) => {
  const running = await sampleGateway(context)
  const answer = await ask(running, '/v1/orders')
  assert.equal(answer.status, 500)
  assert.equal(answer.header('content-type'), 'application/problem+json')
  assert.equal(JSON.parse(answer.body).code, 'internal')
  assert.doesNotMatch(answer.body, /orders|\/srv|INSERT/)
  assert.equal(answer.header('x-debug-query'), undefined)
})

test('H1 TLS 1.3 alone is spoken, with the hybrid group first, and plain HTTP is not understood', async (context) => {
  const running = await sampleGateway(context)
  const seen = await new Promise<{ protocol: string | null; group: unknown }>((resolve, reject) => {
    const socket = tlsConnect(
      { port: running.port, ca: running.ca, servername: 'sallyport.localhost' },
      () => {
        resolve({ protocol: socket.getProtocol(), group: socket.getEphemeralKeyInfo() })
        socket.destroy()
      },
    )
    socket.on('error', reject)
  })
  assert.equal(seen.protocol, 'TLSv1.3')
  for (const refused of [
    { maxVersion: 'TLSv1.2' as const },
    { ecdhCurve: 'P-521' },
    { ALPNProtocols: ['spdy/3.1'] },
  ]) {
    const error = await new Promise<Error>((resolve, reject) => {
      const socket = tlsConnect({
        port: running.port,
        ca: running.ca,
        servername: 'sallyport.localhost',
        ...refused,
      })
      socket.on('secureConnect', () => reject(new Error(`spoke ${JSON.stringify(refused)}`)))
      socket.on('error', resolve)
    })
    assert.match(error.message, /alert|handshake/i)
  }
  const plain = await new Promise<string>((resolve) => {
    const socket = netConnect(running.port, '127.0.0.1', () =>
      socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n'),
    )
    let text = ''
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
    })
    socket.on('close', () => resolve(text))
    socket.on('error', () => {})
  })
  assert.doesNotMatch(plain, /^HTTP\/1\.1 200/)
  assert.equal((await ask(running, '/v1/products')).status, 200)
})

test('curl trusts the local certificate by its authority, and nothing else', async (context) => {
  const running = await sampleGateway(context)
  const resolve = ['--resolve', `sallyport.localhost:${running.port}:127.0.0.1`]
  const url = `https://sallyport.localhost:${running.port}/v1/products`
  const { stdout } = await curl('curl', ['-sS', '--cacert', running.caFile, ...resolve, url])
  assert.match(stdout, /Tide table/)
  const byAddress = await curl('curl', [
    '-sS',
    '--cacert',
    running.caFile,
    `https://127.0.0.1:${running.port}/old`,
  ])
  assert.equal(byAddress.stdout, 'moved')
  await assert.rejects(curl('curl', ['-sS', ...resolve, url]), /certificate/)
})
