// `verifyApp` on every kind of app: what holds passes, what does not is thrown with its mend, and nothing stays open.

import assert, { AssertionError } from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import express from 'express'
import Fastify from 'fastify'
import helmet from 'helmet'
import { Hono } from 'hono'
import { localCertificate } from '../../../server/src/index.ts'
import { guard as guardExpress } from '../../src/adapters/express.ts'
import { guarded } from '../../src/adapters/fastify.ts'
import { guard as guardFetch } from '../../src/adapters/fetch.ts'
import { createServer as guardedServer } from '../../src/adapters/node/index.ts'
import { type AppUnderTest, type PolicyDocument, verifyApp } from '../../src/testing/index.ts'

const policy: PolicyDocument = {
  extends: 'recommended',
  routes: { '/v1/status': { data: 'public', credentials: 'none' }, 'POST /v1/orders': { data: 'private' } },
}

const json: RequestListener = (_request, response) => {
  response.setHeader('Content-Type', 'application/json')
  response.end('{}')
}

function expressApp(withGuard: boolean) {
  // Otherwise Express prints what handlers throw.
  const app = express().set('env', 'test')
  if (withGuard) guardExpress(app, policy)
  else app.use(helmet())
  app.get('/v1/status', (_request, response) => void response.json({ ok: true }))
  app.get('/v1/fails', () => {
    throw new Error('SELECT * FROM accounts')
  })
  return app
}

function fastifyApp(withGuard: boolean) {
  const app = Fastify(withGuard ? guarded(policy) : {})
  app.get('/v1/status', async () => ({ ok: true }))
  return app
}

function honoApp() {
  const app = new Hono()
  app.get('/v1/status', (context) => context.json({ ok: true }))
  return app
}

const HOLD: Readonly<Record<string, () => AppUnderTest>> = {
  'a server': () => guardedServer(policy, json),
  'an Express app': () => expressApp(true),
  'a Fastify app': () => fastifyApp(true),
  'a Fetch handler': () => guardFetch(policy, honoApp().fetch),
  'an app with fetch': () => ({ fetch: guardFetch(policy, honoApp().fetch) }),
}

const BREAK: Readonly<Record<string, () => AppUnderTest>> = {
  'a listener': () => json,
  'an Express app': () => expressApp(false),
  'a Fastify app': () => fastifyApp(false),
  'a Hono app': () => honoApp(),
}

async function thrown(promise: Promise<unknown>): Promise<AssertionError> {
  try {
    await promise
  } catch (error) {
    assert.ok(error instanceof AssertionError, String(error))
    return error
  }
  throw new Error('nothing was thrown')
}

describe('verifyApp', () => {
  for (const [name, make] of Object.entries(HOLD))
    it(`passes ${name} under its policy`, async () => {
      const result = await verifyApp(make(), policy, {
        samples: [{ class: 'error', path: '/v1/fails' }],
      })
      assert.deepEqual(result.findings, [])
      assert.ok(result.of > 80, `${result.of} probes`)
    })

  for (const [name, make] of Object.entries(BREAK))
    it(`fails ${name} without it, with the lines that mend it`, async () => {
      const error = await thrown(verifyApp(make(), policy))
      assert.match(error.message, /^the app does not hold its policy: \d+ findings, \d+ of \d+ probes hold$/m)
      assert.match(error.message, /mend: .*permissions-policy: camera=\(\)/i)
      assert.doesNotMatch(error.message, /127\.0\.0\.1:\d+/)
      assert.equal(error.operator, 'verifyApp')
    })

  it('fails on the one route that is another than declared', async () => {
    const other: PolicyDocument = { ...policy, routes: { '/v1/status': { data: 'private' } } }
    const error = await thrown(verifyApp(guardedServer(other, json), policy))
    assert.deepEqual(error.actual, ['drift.cache'])
    const places = /^ {2}in (.*)$/m.exec(error.message)![1]!.split(', ')
    assert.ok(
      places.every((place) => place.endsWith(' of /v1/status')),
      error.message,
    )
    await verifyApp(guardedServer(other, json), policy, { except: ['drift.cache'] })
  })

  it('stops what it started, also where it fails, and the app can be verified again', async () => {
    const server = createServer(json)
    await thrown(verifyApp(server, policy))
    assert.equal(server.listening, false)
    await thrown(verifyApp(server, policy))
    const app = fastifyApp(true)
    await verifyApp(app, policy)
    assert.equal(app.server.listening, false)
    await verifyApp(app, policy)
    await app.close()
  })

  it('leaves a server that listens already as it is', async (context) => {
    const server = guardedServer(policy, json)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    context.after(() => {
      server.close()
      server.closeAllConnections()
    })
    const { port } = server.address() as AddressInfo
    await verifyApp(server, policy)
    assert.equal((server.address() as AddressInfo).port, port)
  })

  it('does not take a server on a socket file', async (context) => {
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-testing-'))
    context.after(() => rmSync(folder, { recursive: true, force: true }))
    const server = createServer(json)
    await new Promise<void>((resolve) => server.listen(join(folder, 'socket'), resolve))
    context.after(() => server.close())
    await assert.rejects(verifyApp(server, policy), /listens on a socket file/)
  })

  it('asks over TLS where the policy ends TLS at the app', async (context) => {
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-testing-'))
    context.after(() => rmSync(folder, { recursive: true, force: true }))
    const { key, cert } = await localCertificate({ folder })
    const here: PolicyDocument = { ...policy, transport: { tls: 'here' } }
    await assert.rejects(verifyApp(guardedServer(here, json), here), /give verifyApp\(app, policy, \{ tls:/)
    const app = express()
    guardExpress(app, here)
    app.get('/v1/status', (_request, response) => void response.json({ ok: true }))
    const result = await verifyApp(app, here, { tls: { key, cert } })
    assert.ok(result.classes.some(({ id, answers }) => id === 'tls-versions' && answers > 0))
    const error = await thrown(verifyApp(createTlsServer({ key, cert }, json), here))
    assert.match(error.message, /HIGH tls\.legacy|hsts\.missing/)
  })

  it('tells a wrong policy and a wrong app from a failed test', async () => {
    await assert.rejects(verifyApp(json, { data: 'secret' } as unknown as PolicyDocument), {
      name: 'PolicyError',
    })
    await assert.rejects(verifyApp({} as AppUnderTest, policy), /expected a server, an app of Express/)
  })

  it('asks as each role, and tells no credential', async () => {
    const secret = 'Bearer not-for-the-log-of-a-test'
    const seen = new Set<string | undefined>()
    const leaky: RequestListener = (request, response) => {
      seen.add(request.headers.authorization)
      json(request, response)
    }
    const error = await thrown(
      verifyApp(leaky, policy, {
        credentials: [{ role: 'member', header: 'Authorization', value: secret }],
      }),
    )
    assert.ok(seen.has(secret))
    assert.ok(!error.message.includes('not-for-the-log'))
  })
})
