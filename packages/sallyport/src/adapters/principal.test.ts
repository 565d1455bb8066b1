// Each adapter gates a route by itself and tells its handler who calls (claim D11, embedded).

import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { serve } from '@hono/node-server'
import express from 'express'
import Fastify from 'fastify'
import { Hono } from 'hono'
import type { Place } from '../guard/control.ts'
import { createGuard } from '../guard/guard.ts'
import type { Principal } from '../guard/principal.ts'
import * as forExpress from './express.ts'
import * as forFastify from './fastify.ts'
import * as forFetch from './fetch.ts'
import * as forHono from './hono.ts'
import * as forNode from './node/index.ts'

const CALLER: Principal = {
  organisation: 'org_1',
  subject: 'person_1',
  credential: { kind: 'token', id: 't' },
  scopes: ['orders:read'],
}

const guardFor = (place: Place) =>
  createGuard(
    {
      extends: 'recommended',
      transport: { tls: 'in-front' },
      access: { tokens: [{ service: true }], authenticated: true },
      routes: { '/public': { credentials: 'none' } },
    },
    place,
    {
      // A turn later, as a store answers.
      services: {
        tokens: { find: async (token) => (token === 'right' ? { principal: CALLER } : 'unknown') },
      },
    },
  )

type Ask = (path: string, headers?: Record<string, string>) => Promise<Response>

const overNetwork =
  (port: number): Ask =>
  (path, headers = {}) =>
    fetch(`http://127.0.0.1:${port}${path}`, { headers })

const ADAPTERS: Readonly<Record<string, (t: TestContext) => Promise<Ask>>> = {
  async node(t) {
    const server = forNode.createServer(guardFor('node'), (_request, response) => {
      response.end(JSON.stringify(forNode.principalOf(response) ?? null))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    t.after(() => server.close())
    return overNetwork((server.address() as AddressInfo).port)
  },
  async express(t) {
    const app = express()
    forExpress.guard(app, guardFor('node'))
    app.use((_request, response) => void response.json(forExpress.principalOf(response) ?? null))
    const server = app.listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    t.after(() => server.close())
    return overNetwork((server.address() as AddressInfo).port)
  },
  async fastify(t) {
    const app = Fastify({ ...forFastify.guarded(guardFor('node')) })
    app.get('/*', async (_request, reply) =>
      reply.send(JSON.stringify(forFastify.principalOf(reply) ?? null)),
    )
    await app.listen({ host: '127.0.0.1', port: 0 })
    t.after(() => app.close())
    return overNetwork((app.server.address() as AddressInfo).port)
  },
  async hono(t) {
    const app = new Hono()
    app.get('/*', (context) => context.json(forHono.principalOf(context) ?? null))
    const server = serve({
      fetch: app.fetch,
      port: 0,
      hostname: '127.0.0.1',
      ...forHono.guarded(guardFor('node')),
    })
    await new Promise((resolve) => server.once('listening', resolve))
    t.after(() => server.close())
    return overNetwork((server.address() as AddressInfo).port)
  },
  async fetch() {
    const handler = forFetch.guard(guardFor('fetch'), (request: Request) =>
      Response.json(forFetch.principalOf(request) ?? null),
    )
    return (path, headers = {}) => handler(new Request(`https://api.example${path}`, { headers }))
  },
}

for (const [name, start] of Object.entries(ADAPTERS))
  test(`D11 ${name}: a private path is gated before the handler, which is told who calls`, async (t) => {
    const ask = await start(t)
    const missing = await ask('/v1/account')
    assert.equal(missing.status, 401)
    assert.equal(missing.headers.get('www-authenticate'), 'Bearer')
    assert.equal(((await missing.json()) as { code: string }).code, 'unauthenticated')
    const wrong = await ask('/v1/account', { Authorization: 'Bearer guess' })
    assert.equal(wrong.headers.get('www-authenticate'), 'Bearer error="invalid_token"')
    await wrong.body?.cancel()
    const right = await ask('/v1/account', { Authorization: 'bearer right' })
    assert.equal(right.status, 200)
    assert.deepEqual(await right.json(), CALLER)
    assert.equal(await (await ask('/public', { Authorization: 'Bearer right' })).json(), null)
  })
