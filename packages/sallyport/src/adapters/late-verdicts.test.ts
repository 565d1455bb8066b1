// A control may have to look something up: requests wait for the verdict, and are judged as ever when it comes.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import express from 'express'
import Fastify from 'fastify'
import { listening } from '../../test/kinds/listen.ts'
import { parseAnswer, send } from '../../test/kinds/wire.ts'
import type { Place } from '../guard/control.ts'
import { createGuard, type Guard } from '../guard/guard.ts'
import { guard as guardExpress } from './express.ts'
import { guarded as guardedFastify } from './fastify.ts'
import { guard as guardFetch } from './fetch.ts'
import { createServer } from './node/index.ts'

const REFUSED = '/refused'
const FAILS = '/fails'

/** Judges like the guard it is made of, a turn of the loop later, and refuses two paths. */
function late(
  wait: () => Promise<void> = () => new Promise((resolve) => setImmediate(resolve)),
  place: Place = 'node',
): Guard {
  const inner = createGuard({ extends: 'recommended', transport: { tls: 'in-front' } }, place)
  return {
    ...inner,
    async admit(exchange) {
      await wait()
      if (exchange.path === FAILS) throw new Error('the place is gone')
      if (exchange.path === REFUSED) return { kind: 'deny', code: 'unauthenticated' }
      return inner.admit(exchange)
    },
  }
}

const get = (path: string, lines = '') =>
  `GET ${path} HTTP/1.1\r\nHost: a.example\r\n${lines}Connection: close\r\n\r\n`

test('node:http: what passes, what is refused, and a control that fails', async (t) => {
  process.on('warning', () => {})
  const running = await listening(createServer(late(), (_request, response) => response.end('served')))
  t.after(() => running.close())
  const passed = parseAnswer(await send(running, get('/')))
  assert.equal(passed.status, 200)
  assert.match(passed.rest, /served/)
  const refused = parseAnswer(await send(running, get(REFUSED)))
  assert.equal(refused.status, 401)
  assert.match(refused.rest, /unauthenticated/)
  assert.equal(parseAnswer(await send(running, get(FAILS))).status, 500)
})

test('node:http: a body waits, and 100 comes only when the request is let in', async (t) => {
  const running = await listening(
    createServer(late(), async (request, response) => {
      let text = ''
      for await (const chunk of request) text += chunk
      response.end(text)
    }),
  )
  t.after(() => running.close())
  const post = (path: string, extra = '') =>
    `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n${extra}Connection: close\r\n\r\nhello`
  assert.match(parseAnswer(await send(running, post('/'))).rest, /hello/)
  assert.match(await send(running, post('/', 'Expect: 100-continue\r\n')), /^HTTP\/1.1 100 [\s\S]*hello/)
  assert.match(await send(running, post(REFUSED, 'Expect: 100-continue\r\n')), /^HTTP\/1.1 401 /)
})

test('node:http: pipelined requests are answered in their order', async (t) => {
  const running = await listening(createServer(late(), (request, response) => response.end(request.url)))
  t.after(() => running.close())
  const one = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`
  const bytes = await send(running, one('/first') + one(REFUSED) + get('/third'))
  assert.match(bytes, /\/first[\s\S]*unauthenticated[\s\S]*\/third/)
})

test('node:http: an upgrade waits, and a caller that resets meanwhile ends nothing', async (t) => {
  const waiting: (() => void)[] = []
  const server = createServer(late(() => new Promise((resolve) => waiting.push(resolve))))
  server.on('upgrade', (_request, socket) => {
    socket.on('error', () => {})
    socket.end('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n')
  })
  const running = await listening(server)
  t.after(() => running.close())
  const { port } = server.address() as AddressInfo
  const ask = get('/', 'Upgrade: websocket\r\n').replace('close', 'Upgrade')
  const gone = connect(port, '127.0.0.1', () => gone.write(ask))
  gone.on('error', () => {})
  await waitFor(() => waiting.length === 1)
  gone.resetAndDestroy()
  await once(gone, 'close')
  waiting[0]!()
  const next = send(running, ask)
  await waitFor(() => waiting.length === 2)
  waiting[1]!()
  assert.match(await next, /^HTTP\/1.1 [12]0[01] /)
})

async function waitFor(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve))
}

test('Express, Fastify and Fetch wait too', async (t: TestContext) => {
  const app = express()
  guardExpress(app, late())
  app.get('/', (_request, response) => void response.send('served'))
  const running = await listening(createHttpServer(app))
  t.after(() => running.close())
  assert.match(parseAnswer(await send(running, get('/'))).rest, /served/)
  assert.equal(parseAnswer(await send(running, get(REFUSED))).status, 401)

  const fastify = Fastify({ ...guardedFastify(late()) })
  fastify.get('/', async () => 'served')
  await fastify.listen({ host: '127.0.0.1', port: 0 })
  t.after(() => fastify.close())
  const other = { port: (fastify.server.address() as AddressInfo).port, close: async () => {} }
  assert.match(parseAnswer(await send(other, get('/'))).rest, /served/)
  assert.equal(parseAnswer(await send(other, get(REFUSED))).status, 401)

  const ask = (path: string) => fetched(new Request(`https://a.example${path}`))
  const fetched = guardFetch(late(undefined, 'fetch'), () => new Response('served'), { onError: () => {} })
  assert.equal(await (await ask('/')).text(), 'served')
  assert.equal((await ask(REFUSED)).status, 401)
  assert.equal((await ask(FAILS)).status, 500)
})
