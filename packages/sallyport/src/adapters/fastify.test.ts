// Fastify on a server that the guard makes for it.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, test } from 'node:test'
import Fastify, { type FastifyInstance } from 'fastify'
import { makeAuthority, makeLeaf } from '../../../server/src/tls/certificate.ts'
import { bodyOf, headIsThere, parseAnswer, send, valuesOf } from '../../test/kinds/wire.ts'
import { cspNonce, exchangeOf, guarded, type PolicyDocument } from './fastify.ts'

const policy: PolicyDocument = { extends: 'api' }
const GET = 'GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n'

async function withApp(app: FastifyInstance, use: (port: number, server: Server) => Promise<void>) {
  await app.listen({ port: 0, host: '127.0.0.1' })
  try {
    await use((app.server.address() as AddressInfo).port, app.server)
  } finally {
    app.server.closeAllConnections()
    await app.close()
  }
}

const framing = (read: string) => valuesOf(parseAnswer(read), 'X-Frame-Options')

describe('fastify', () => {
  test('answers, its own errors for bad URLs, and parser errors carry the policy', async () => {
    const app = Fastify({ ...guarded(policy) })
    app.get('/', async (_request, reply) => reply.header('x-frame-options', 'ALLOWALL').send({ ok: true }))
    await withApp(app, async (port) => {
      for (const bytes of [
        GET,
        GET.replace('/ ', '/%zz '),
        'GARBAGE\r\n\r\n',
        GET.replace('Host: a.example\r\n', ''),
      ])
        assert.deepEqual(framing(await send({ port }, bytes)), ['SAMEORIGIN'])
    })
  })

  test('hijack with a raw writeHead cannot go past it', async () => {
    const app = Fastify({ ...guarded(policy) })
    app.get('/', (_request, reply) => {
      reply.hijack()
      reply.raw.writeHead(200, { 'X-Frame-Options': 'ALLOWALL', 'Content-Type': 'text/event-stream' })
      reply.raw.write('data: 1\n\n')
    })
    await withApp(app, async (port) =>
      assert.deepEqual(framing(await send({ port }, GET, headIsThere)), ['SAMEORIGIN']),
    )
  })

  test('both addresses of localhost are guarded', async () => {
    const app = Fastify({ ...guarded(policy) })
    app.get('/', async () => ({}))
    await app.listen({ port: 0, host: 'localhost' })
    for (const { address, port } of app.addresses() as AddressInfo[])
      assert.deepEqual(framing(await send({ port, host: address }, GET)), ['SAMEORIGIN'])
    await app.close()
  })

  test('TLS by options of the guard, or by Fastify’s own', async () => {
    const day = { notBefore: Date.now() - 60_000, notAfter: Date.now() + 86_400_000 }
    const names = { names: ['localhost'], addresses: [] }
    const leaf = makeLeaf(makeAuthority('Test', day, randomBytes), 'Test', names, day, randomBytes)
    const tls = { key: leaf.key, cert: leaf.certificate }
    for (const app of [
      Fastify({ ...guarded(policy, tls) }),
      Fastify({ https: tls, ...guarded(policy) } as unknown as ReturnType<typeof guarded>),
    ]) {
      app.get('/', async () => ({}))
      await withApp(app, async (port) =>
        assert.deepEqual(framing(await send({ port, tls: true }, GET)), ['SAMEORIGIN']),
      )
    }
  })

  test('Fastify’s timeouts hold where they are given, and safe ones where not', async () => {
    const given = Fastify({
      requestTimeout: 7_000,
      keepAliveTimeout: 8_000,
      maxRequestsPerSocket: 9,
      ...guarded(policy),
    })
    assert.deepEqual(
      [given.server.requestTimeout, given.server.keepAliveTimeout, given.server.maxRequestsPerSocket],
      [7_000, 8_000, 9],
    )
    const left = Fastify({ ...guarded(policy) })
    assert.deepEqual([left.server.requestTimeout, left.server.headersTimeout], [30_000, 10_000])
    assert.equal(Fastify({ ...guarded(policy, { requestTimeout: 0 }) }).server.requestTimeout, 0)
  })

  test('HTTP/2 is refused with the way to mend it', () => {
    const options = { http2: true, ...guarded(policy) } as unknown as ReturnType<typeof guarded>
    assert.throws(() => Fastify(options), /http2 is true.*leave http2 out/)
  })

  test('handlers can ask for the exchange and the nonce', async () => {
    const app = Fastify({
      ...guarded({
        ...policy,
        headers: { contentSecurityPolicy: { 'default-src': ["'none'"], 'script-src': ["'nonce'"] } },
      }),
    })
    app.get('/', async (_request, reply) => ({ cell: exchangeOf(reply)?.cell.id, nonce: cspNonce(reply) }))
    await withApp(app, async (port) => {
      const answer = parseAnswer(await send({ port }, GET))
      const { cell, nonce } = JSON.parse(bodyOf(answer))
      assert.equal(cell, '*')
      assert.ok(valuesOf(answer, 'Content-Security-Policy').join().includes(`'nonce-${nonce}'`))
    })
  })
})
