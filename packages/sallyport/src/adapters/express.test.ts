// The guard finds the server under an Express app by itself, whoever makes the server, before the first byte is read.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { describe, test } from 'node:test'
import express from 'express'
import helmet from 'helmet'
import { makeAuthority, makeLeaf } from '../../../server/src/tls/certificate.ts'
import { listening } from '../../test/kinds/listen.ts'
import { type Answer, bodyOf, parseAnswer, send, valuesOf } from '../../test/kinds/wire.ts'
import { cspNonce, exchangeOf, guard, type PolicyDocument } from './express.ts'
import { createServer as createGuardedServer } from './node/index.ts'

const policy: PolicyDocument = { extends: 'api' }
const GET = 'GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n'
const GARBAGE = 'GARBAGE\r\n\r\n'

function guardedApp(): express.Express {
  const app = express()
  guard(app, policy)
  app.get('/', (_request, response) => void response.set('X-Frame-Options', 'ALLOWALL').json({ ok: true }))
  return app
}

async function answersOf(server: Server, requests: readonly string[], tls = false): Promise<Answer[]> {
  const app = await listening(server)
  const answers: Answer[] = []
  for (const request of requests) answers.push(parseAnswer(await send({ port: app.port, tls }, request)))
  await app.close()
  return answers
}

function expectGuarded(answers: readonly Answer[]): void {
  for (const answer of answers) {
    assert.deepEqual(valuesOf(answer, 'X-Frame-Options'), ['SAMEORIGIN'])
    assert.deepEqual(valuesOf(answer, 'X-Powered-By'), [])
  }
}

describe('express', () => {
  test('app.listen: the very first bytes of the first connection are answered by the policy', async () => {
    const server = guardedApp().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    for (const first of [GARBAGE, 'GET / HTTP/1.1\r\n\r\n', GET])
      expectGuarded([parseAnswer(await send({ port }, first))])
    server.close()
  })

  test('http.createServer(app): also where parser errors come first', async () => {
    for (const first of [GARBAGE, GET])
      expectGuarded(await answersOf(createServer(guardedApp()), [first, GET]))
  })

  test('https.createServer(options, app)', async () => {
    const day = { notBefore: Date.now() - 60_000, notAfter: Date.now() + 86_400_000 }
    const names = { names: ['localhost'], addresses: [] }
    const leaf = makeLeaf(makeAuthority('Test', day, randomBytes), 'Test', names, day, randomBytes)
    const server = createHttpsServer({ key: leaf.key, cert: leaf.certificate }, guardedApp())
    expectGuarded(await answersOf(server, [GARBAGE, GET], true))
  })

  test('an app behind a listener of someone else’s is guarded with the first request', async () => {
    const app = guardedApp()
    const server = createServer((request, response) => app(request, response))
    expectGuarded(await answersOf(server, [GET, GARBAGE, GET]))
  })

  test('there, attach puts the guard under the server at once', async () => {
    const app = express()
    const { attach } = guard(app, policy)
    app.get('/', (_request, response) => void response.end())
    const server = createServer((request, response) => app(request, response))
    attach(server)
    attach(server)
    expectGuarded(await answersOf(server, [GARBAGE, GET]))
  })

  test('a refused request never reaches the app, whichever way it came', async () => {
    let reached = 0
    for (const wrap of [false, true]) {
      const app = express()
      guard(app, { extends: 'api', request: { nonCanonical: 'refuse' } })
      app.use((_request, response) => {
        reached++
        response.end()
      })
      const server = wrap ? createServer((request, response) => app(request, response)) : createServer(app)
      const [answer] = await answersOf(server, [GET.replace('/ ', '/a/../b ')])
      assert.equal(JSON.parse(bodyOf(answer!)).code, 'path_not_canonical')
      expectGuarded([answer!])
    }
    assert.equal(reached, 0)
  })

  test('the server of node:http that has its own policy takes an Express app as handler', async () => {
    const app = express()
    app.get('/', (_request, response) => void response.set('X-Frame-Options', 'ALLOWALL').send('own'))
    expectGuarded(await answersOf(createGuardedServer(policy, app), [GET, GARBAGE]))
  })

  test('mounted apps, helmet and a policy of two routes live together', async () => {
    const app = express()
    guard(app, {
      ...policy,
      routes: { '/v1/public': { data: 'public', cache: { owner: 'policy', maxAgeSeconds: 5 } } },
    })
    app.use(helmet())
    const inner = express()
    inner.get('/public', (_request, response) => void response.send('inner'))
    app.use('/v1', inner)
    const [answer] = await answersOf(createServer(app), [GET.replace('/ ', '/v1/public ')])
    assert.equal(bodyOf(answer!), 'inner')
    expectGuarded([answer!])
    assert.deepEqual(valuesOf(answer!, 'Cache-Control'), ['public, max-age=5'])
  })

  test('an app without a guard in the same process is left alone', async () => {
    guardedApp()
    const app = express()
    app.get('/', (_request, response) => void response.status(500).set('X-Frame-Options', 'own').send('own'))
    const [answer] = await answersOf(createServer(app), [GET])
    assert.equal(bodyOf(answer!), 'own')
    assert.deepEqual(valuesOf(answer!, 'X-Frame-Options'), ['own'])
    assert.deepEqual(valuesOf(answer!, 'Strict-Transport-Security'), [])
  })

  test('a second guard for the same app is refused', () => {
    const app = guardedApp()
    assert.throws(() => guard(app, policy), /already has a guard/)
  })

  test('handlers can ask for the exchange and the nonce', async () => {
    const app = express()
    guard(app, {
      ...policy,
      headers: { contentSecurityPolicy: { 'default-src': ["'none'"], 'script-src': ["'nonce'"] } },
    })
    app.get('/', (_request, response) => {
      response.json({ cell: exchangeOf(response)?.cell.id, nonce: cspNonce(response) })
    })
    const [answer] = await answersOf(createServer(app), [GET])
    const { cell, nonce } = JSON.parse(bodyOf(answer!))
    assert.equal(cell, '*')
    assert.ok(valuesOf(answer!, 'Content-Security-Policy').join().includes(`'nonce-${nonce}'`))
  })
})
