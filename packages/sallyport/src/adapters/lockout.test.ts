// Guesses inside applications, over the network: Express, Fastify, Hono, node:http and a Fetch handler.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer as createHttpServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { serve } from '@hono/node-server'
import express from 'express'
import Fastify from 'fastify'
import { type Context, Hono } from 'hono'
import type { Place } from '../guard/control.ts'
import { createGuard, type Guard } from '../guard/guard.ts'
import { memoryLockouts } from '../lockout/memory.ts'
import { CHALLENGE_ANSWER, solveChallenge } from '../lockout/solve.ts'
import { fetchListener } from '../testing/fetch-listener.ts'
import * as onExpress from './express.ts'
import * as onFastify from './fastify.ts'
import * as onFetch from './fetch.ts'
import * as onHono from './hono.ts'
import { createServer, withLockout } from './node/index.ts'

const PATH = '/v1/sign-in'

function guardFor(place: Place): { guard: Guard; pass(seconds: number): void } {
  let now = Date.UTC(2026, 0, 1)
  const clock = () => now
  const guard = createGuard(
    {
      extends: 'api',
      transport: { tls: 'in-front' },
      client: { trustedProxies: ['127.0.0.1/32'], forwarded: 'x-forwarded-for' },
      lockout: { networkFailures: 20, surge: { failures: 25, difficulty: 8 } },
      routes: { [`POST ${PATH}`]: { lockout: { name: { from: 'json', field: 'email' } } } },
    },
    place,
    { clock, services: { lockouts: memoryLockouts({ clock }), secret: () => 'a pepper of the tests' } },
  )
  const pass = (seconds: number): void => {
    now += seconds * 1_000
  }
  return { guard, pass }
}

interface Given {
  readonly email?: unknown
  readonly password?: unknown
}

/** What each application does: it verifies, counts how often, and answers with a status. */
function checker() {
  let verified = 0
  return {
    verified: () => verified,
    statusOf({ password }: Given): number {
      verified++
      return password === 'right' ? 200 : 401
    },
  }
}
type Checker = ReturnType<typeof checker>

const listening = async (server: Server): Promise<Server> => {
  if (!server.listening) await once(server.listen(0, '127.0.0.1'), 'listening')
  return server
}

const apps: Readonly<Record<string, (guard: Guard, check: Checker) => Promise<Server>>> = {
  express(guard, check) {
    const app = express().set('env', 'test')
    onExpress.guard(app, guard)
    app.post(
      PATH,
      express.json(),
      onExpress.withLockout(
        (request: express.Request) => request.body?.email,
        (request, response: express.Response) => response.status(check.statusOf(request.body)).json({}),
      ),
    )
    app.post(
      '/v1/other',
      onExpress.withLockout(
        () => 'x',
        () => assert.fail(),
      ),
    )
    return listening(createHttpServer(app))
  },
  async fastify(guard, check) {
    const app = Fastify({ ...onFastify.guarded(guard) })
    app.post(
      PATH,
      onFastify.withLockout(
        (request: { readonly body: unknown }) => (request.body as Given).email,
        (request, reply: { code(status: number): { send(body: object): unknown } }) =>
          reply.code(check.statusOf(request.body as Given)).send({}),
      ),
    )
    await app.listen({ port: 0, host: '127.0.0.1' })
    return app.server
  },
  hono(guard, check) {
    const app = new Hono()
    app.post(
      PATH,
      onHono.withLockout(
        async (context: Context) => (await context.req.json()).email,
        async (context) => context.json({}, check.statusOf(await context.req.json()) as 200),
      ),
    )
    return listening(
      serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1', ...onHono.guarded(guard) }) as Server,
    )
  },
  node(guard, check) {
    const bodies = new WeakMap<object, Given>()
    const handler = withLockout(
      async (request) => {
        let text = ''
        for await (const chunk of request as AsyncIterable<Buffer>) text += chunk
        bodies.set(request, JSON.parse(text))
        return bodies.get(request)!.email
      },
      (request, response: import('node:http').ServerResponse) =>
        response.writeHead(check.statusOf(bodies.get(request)!)).end('{}'),
    )
    return listening(createServer(guard, handler as never))
  },
  fetch(guard, check) {
    const handler = onFetch.guard(
      guard,
      onFetch.withLockout(
        async (request) => ((await request.clone().json()) as Given).email,
        async (request: Request, _bindings: unknown) =>
          Response.json({}, { status: check.statusOf((await request.json()) as Given) }),
      ),
    )
    return listening(createHttpServer(fetchListener((request, bindings) => handler(request, bindings))))
  },
}

async function running(context: TestContext, name: string) {
  const { guard, pass } = guardFor(name === 'fetch' ? 'fetch' : 'node')
  const check = checker()
  const server = await apps[name]!(guard, check)
  context.after(() => {
    server.close()
    server.closeAllConnections()
  })
  const { port } = server.address() as AddressInfo
  const post = (given: Given, from: string, path = PATH, more: object = {}) =>
    fetch(`http://127.0.0.1:${port}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-forwarded-for': from, ...more },
      body: JSON.stringify(given),
    })
  return { check, pass, post }
}

for (const name of Object.keys(apps)) {
  test(`H12 ${name}: per e-mail, growing waits, equal answers, and a success that starts anew`, async (context) => {
    const { check, pass, post } = await running(context, name)
    const guess = (password: string, at: number) =>
      post({ email: at % 2 ? 'ada@example.com' : 'Ada@Example.com ', password }, `198.51.100.${at}`)
    for (let at = 1; at <= 5; at++) assert.equal((await guess('wrong', at)).status, 401)
    for (const password of ['wrong', 'right']) {
      const refused = await guess(password, 6)
      assert.equal(refused.status, 429)
      // 30 s and up to 15 % more at random: in a few of a thousand cases no more.
      assert.match(refused.headers.get('retry-after') ?? '', /^(?:30|60)$/)
      assert.equal(refused.headers.get('content-type'), 'application/problem+json')
      assert.ok(refused.headers.has('strict-transport-security'))
      assert.equal(((await refused.json()) as { code: string }).code, 'locked_out')
    }
    assert.equal(check.verified(), 5)
    pass(35)
    assert.equal((await guess('wrong', 7)).status, 401)
    pass(35)
    assert.equal((await guess('wrong', 8)).status, 429)
    pass(35)
    const right = await guess('right', 9)
    assert.equal(right.status, 200)
    assert.match(right.headers.get('set-cookie') ?? '', /^__Host-sallyport_device=/)
    for (let at = 10; at < 15; at++) assert.equal((await guess('wrong', at)).status, 401)
  })

  test(`H12 ${name}: per IP, twenty guesses in ten minutes`, async (context) => {
    const { check, post } = await running(context, name)
    for (let at = 1; at <= 20; at++)
      assert.equal((await post({ email: `n${at}`, password: 'wrong' }, '192.0.2.1')).status, 401)
    assert.equal((await post({ email: 'ada', password: 'right' }, '192.0.2.1')).status, 429)
    assert.equal((await post({ email: 'ada', password: 'right' }, '192.0.2.2')).status, 200)
    assert.equal(check.verified(), 21)
  })

  test(`H12 ${name}: in a surge a stranger solves a puzzle, whose answer is good once`, async (context) => {
    const { check, post } = await running(context, name)
    for (let at = 1; at <= 25; at++) await post({ email: `n${at}`, password: 'wrong' }, `198.51.100.${at}`)
    const ada = (more?: object) => post({ email: 'ada', password: 'right' }, '192.0.2.1', PATH, more)
    const asked = await ada()
    assert.equal(asked.status, 403)
    const { code, challenge } = (await asked.json()) as {
      readonly code: string
      readonly challenge: Parameters<typeof solveChallenge>[0]
    }
    assert.equal(code, 'challenge_required')
    assert.equal(check.verified(), 25)
    const answer = { [CHALLENGE_ANSWER]: await solveChallenge(challenge) }
    assert.deepEqual([(await ada(answer)).status, (await ada(answer)).status], [200, 403])
    assert.equal(check.verified(), 26)
  })

  test(`${name}: a guess without a name is refused unverified`, async (context) => {
    const { check, post } = await running(context, name)
    assert.equal((await post({ email: { $gt: '' }, password: 'right' }, '192.0.2.1')).status, 400)
    assert.equal(check.verified(), 0)
  })
}

test('a wrapped handler on a route that the policy does not name fails, and lets nobody in', async (context) => {
  const { post } = await running(context, 'express')
  assert.equal((await post({ email: 'ada' }, '192.0.2.1', '/v1/other')).status, 500)
})
