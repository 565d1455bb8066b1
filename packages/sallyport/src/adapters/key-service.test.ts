// `/v1/keys` inside applications, over the network: the guard answers by itself under every framework, whatever the
// application makes of the path.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer as createHttpServer, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import { serve } from '@hono/node-server'
import express from 'express'
import Fastify from 'fastify'
import { Hono } from 'hono'
import { type MemoryAdministrator, memoryAdministrator } from '../../test/keys/administrator.ts'
import type { Place } from '../guard/control.ts'
import { createGuard, type Guard } from '../guard/guard.ts'
import type { Principal } from '../guard/principal.ts'
import { fetchListener } from '../testing/fetch-listener.ts'
import * as onExpress from './express.ts'
import * as onFastify from './fastify.ts'
import * as onFetch from './fetch.ts'
import * as onHono from './hono.ts'
import { createServer } from './node/index.ts'

const NOW = Date.UTC(2026, 0, 1)
const ADMIN: Principal = {
  organisation: 'acme-inc',
  subject: 'ada',
  role: 'admin',
  credential: { kind: 'session', id: 's1' },
  scopes: [],
}

function guardFor(place: Place): { readonly guard: Guard; readonly administrator: MemoryAdministrator } {
  const administrator = memoryAdministrator(() => NOW)
  const guard = createGuard(
    {
      extends: 'commerce',
      transport: { tls: 'in-front' },
      keys: { vendor: 'acme', selfService: {} },
      access: { sessions: { cookie: 'session' } },
    },
    place,
    {
      clock: () => NOW,
      services: {
        keyAdministrator: administrator,
        keys: { find: () => 'unknown', used: () => {} },
        sessions: { find: (cookies) => (cookies.includes('ada') ? { principal: ADMIN } : 'unknown') },
      },
    },
  )
  return { guard, administrator }
}

async function listening(context: TestContext, server: Server): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  context.after(() => {
    server.close()
    server.closeAllConnections()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const HOSTS: Readonly<Record<string, (context: TestContext, guard: Guard) => Promise<string>>> = {
  node: (context, guard) =>
    listening(
      context,
      createServer(guard, (_request, response) => response.end('the application')),
    ),
  express(context, guard) {
    const app = express().set('env', 'test')
    onExpress.guard(app, guard)
    app.use(express.json())
    app.use((_request, response) => void response.send('the application'))
    return listening(context, createHttpServer(app))
  },
  async fastify(context, guard) {
    const app = Fastify({ ...onFastify.guarded(guard) })
    app.all('*', async () => 'the application')
    await app.listen({ port: 0, host: '127.0.0.1' })
    context.after(() => app.close())
    return `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`
  },
  async hono(context, guard) {
    const app = new Hono()
    app.all('*', (hono) => hono.text('the application'))
    const server = serve({
      fetch: app.fetch,
      port: 0,
      hostname: '127.0.0.1',
      ...onHono.guarded(guard),
    }) as Server
    await once(server, 'listening')
    context.after(() => void server.close())
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  },
  fetch: (context, guard) =>
    listening(
      context,
      createHttpServer(fetchListener(onFetch.guard(guard, () => new Response('the application')))),
    ),
}

for (const [host, start] of Object.entries(HOSTS))
  test(`H7 keys are made, rotated and revoked under ${host}`, async (context) => {
    const { guard, administrator } = guardFor(host === 'fetch' ? 'fetch' : 'node')
    const url = await start(context, guard)
    const ask = async (method: string, path: string, body?: string, headers = {}) => {
      const answer = await fetch(`${url}/v1/keys${path}`, {
        method,
        headers: { Cookie: 'session=ada', 'Content-Type': 'application/json', ...headers },
        ...(body === undefined ? {} : { body }),
      })
      assert.match(answer.headers.get('cache-control')!, /no-store, private/)
      assert.equal(answer.headers.get('x-frame-options'), 'DENY')
      return { status: answer.status, json: JSON.parse(await answer.text()) }
    }
    const made = await ask('POST', '', '{"name":"Till","scopes":["orders:read"]}')
    assert.deepEqual([made.status, made.json.createdBy], [201, 's1'])
    assert.match(made.json.key, /^sk_acme_live_/)
    assert.equal((await ask('POST', `/${made.json.id}/rotate`, '')).json.generation, 2)
    assert.equal((await ask('GET', '')).json.keys.length, 1)
    assert.equal((await ask('DELETE', `/${made.json.id}`)).status, 200)
    assert.deepEqual(administrator.done, ['create Till', 'rotate key-0', 'revoke key-0'])
    assert.equal((await ask('POST', '', `{"name":"${'x'.repeat(20_000)}"}`)).json.code, 'body_too_large')
    assert.equal((await ask('GET', '', undefined, { Cookie: 'session=eve' })).status, 401)
    // The text of an error names its place, which is nobody's business.
    administrator.isAway = true
    for (const [method, body] of [
      ['GET', undefined],
      ['POST', '{"name":"Till"}'],
    ] as const) {
      const away = await ask(method, '', body)
      assert.deepEqual([away.status, away.json.code], [503, 'unavailable'])
      assert.ok(!JSON.stringify(away.json).includes('hunter2'))
    }
    administrator.isAway = false
    assert.equal((await fetch(`${url}/v1/keysmith`, { headers: { Cookie: 'session=ada' } })).status, 200)
  })

test('a body of no declared length is counted; one that never ends is nobody’s key', async (context) => {
  const { guard, administrator } = guardFor('node')
  const url = new URL(await HOSTS['node']!(context, guard))
  const HEAD =
    'POST /v1/keys HTTP/1.1\r\nHost: a.example\r\nCookie: session=ada\r\nContent-Type: application/json\r\n'
  const said = async (bytes: string, more?: (text: string) => string | undefined): Promise<string> => {
    const socket = connect(Number(url.port), url.hostname)
    let text = ''
    socket.setEncoding('latin1').on('error', () => {})
    socket.on('data', (chunk: string) => {
      text += chunk
      const next = more?.(text)
      if (next !== undefined) socket.write(next)
    })
    socket.write(HEAD + bytes)
    await once(socket, 'close')
    return text
  }
  const chunk = (body: string) => `${body.length.toString(16)}\r\n${body}\r\n`
  const chunked = 'Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n'
  assert.match(await said(`${chunked}${chunk('{"name":')}${chunk('"Till"}')}0\r\n\r\n`), /^HTTP\/1\.1 201/)
  assert.match(await said(`${chunked}${chunk(' '.repeat(16_385))}`), /^HTTP\/1\.1 413/)
  let isSent = false
  const continued = await said(
    'Expect: 100-continue\r\nContent-Length: 15\r\nConnection: close\r\n\r\n',
    (text) => {
      if (isSent || !text.includes('100 Continue')) return undefined
      isSent = true
      return '{"name":"Late"}'
    },
  )
  assert.match(continued, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 201 /)
  assert.deepEqual(administrator.done, ['create Till', 'create Late'])
  const socket = connect(Number(url.port), url.hostname)
  socket.on('error', () => {})
  socket.write(`${HEAD}Content-Length: 100\r\n\r\n{"name":"Half"}`)
  await once(socket, 'connect')
  socket.destroy()
  await said(`${chunked}${chunk('{"name":"After"}')}0\r\n\r\n`)
  assert.deepEqual(administrator.done, ['create Till', 'create Late', 'create After'])
})
