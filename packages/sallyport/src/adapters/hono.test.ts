// Hono on a server that the guard makes for @hono/node-server.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, test } from 'node:test'
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { bodyOf, parseAnswer, send, valuesOf } from '../../test/kinds/wire.ts'
import { cspNonce, exchangeOf, guarded, type PolicyDocument } from './hono.ts'

const policy: PolicyDocument = { extends: 'api' }
const GET = 'GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n'

async function withServer(server: Server, use: (port: number) => Promise<void>): Promise<void> {
  await once(server, 'listening')
  try {
    await use((server.address() as AddressInfo).port)
  } finally {
    server.close()
    server.closeAllConnections()
  }
}

describe('hono', () => {
  test('serve: answers, errors and parser errors carry the policy', async () => {
    const app = new Hono()
    app.get('/', (context) => context.json({ ok: true }, 200, { 'X-Frame-Options': 'ALLOWALL' }))
    const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1', ...guarded(policy) }) as Server
    await withServer(server, async (port) => {
      for (const bytes of [GET, GET.replace('/ ', '/%zz '), GET.replace('/ ', '/none '), 'GARBAGE\r\n\r\n'])
        assert.deepEqual(valuesOf(parseAnswer(await send({ port }, bytes)), 'X-Frame-Options'), [
          'SAMEORIGIN',
        ])
    })
  })

  test('the serverOptions of serve hold, and safe ones where they are left out', async () => {
    const serverOptions = { requestTimeout: 7_000 }
    const server = serve({
      fetch: () => new Response(),
      port: 0,
      hostname: '127.0.0.1',
      serverOptions,
      ...guarded(policy),
    }) as Server
    await withServer(server, async () => {
      assert.deepEqual(
        [server.requestTimeout, server.headersTimeout, server.keepAliveTimeout],
        [7_000, 7_000, 65_000],
      )
    })
  })

  test('handlers can ask for the exchange and the nonce; elsewhere there is none', async () => {
    const app = new Hono()
    app.get('/', (context) => context.json({ cell: exchangeOf(context)?.cell.id, nonce: cspNonce(context) }))
    const nonced: PolicyDocument = {
      ...policy,
      headers: { contentSecurityPolicy: { 'default-src': ["'none'"], 'script-src': ["'nonce'"] } },
    }
    const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1', ...guarded(nonced) }) as Server
    await withServer(server, async (port) => {
      const answer = parseAnswer(await send({ port }, GET))
      const { cell, nonce } = JSON.parse(bodyOf(answer))
      assert.equal(cell, '*')
      assert.ok(valuesOf(answer, 'Content-Security-Policy').join().includes(`'nonce-${nonce}'`))
    })
    assert.deepEqual(await (await app.request('/')).json(), { nonce: '' })
  })
})
