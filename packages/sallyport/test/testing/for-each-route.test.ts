// `forEachRoute` on the frameworks themselves: which handlers no route of the policy covers, which routes nothing serves.

import assert, { AssertionError } from 'node:assert/strict'
import { describe, it } from 'node:test'
import express from 'express'
import Fastify from 'fastify'
import { Hono } from 'hono'
import { forEachRoute, type PolicyDocument } from '../../src/testing/index.ts'

const policy: PolicyDocument = {
  extends: 'recommended',
  routes: {
    '/v1/account/*': { data: 'private' },
    '/v1/status': { data: 'public', credentials: 'none' },
    'GET /v1/orders/:id': { data: 'private' },
    '/v1/left-over': { data: 'private' },
  },
}

const end = (_request: unknown, response: { end(): void }) => response.end()

function expressApp() {
  const app = express()
  app.use((_request, _response, next) => next())
  app.get('/v1/status', end)
  app.route('/v1/orders/:id').get(end).delete(end)
  const inner = express.Router()
  inner.get('/', end)
  inner.post('/keys{/:id}', end)
  app.use('/v1/account', inner)
  app.use(['/internal', '/debug'], inner)
  return app
}

function fastifyApp() {
  const app = Fastify()
  app.get('/v1/status', async () => '')
  app.get('/v1/orders/:id', async () => '')
  app.delete('/v1/orders/:id', async () => '')
  app.register(
    async (inner) => {
      inner.get('/', async () => '')
      inner.post('/keys/:id?', async () => '')
    },
    { prefix: '/v1/account' },
  )
  app.get('/v1/stats', async () => '')
  app.get('/files/*', async () => '')
  return app
}

function honoApp() {
  const app = new Hono()
  app.use('/v1/*', async (_context, next) => next())
  app.get('/v1/status', (context) => context.text(''))
  app.get('/v1/orders/:id{[0-9]+}', (context) => context.text(''))
  app.delete('/v1/orders/:id', (context) => context.text(''))
  const inner = new Hono()
  inner.post('/keys/:id?', (context) => context.text(''))
  app.route('/v1/account', inner)
  app.all('/everything/*', (context) => context.text(''))
  return app
}

async function uncovered(promise: Promise<unknown>): Promise<readonly string[]> {
  try {
    await promise
  } catch (error) {
    assert.ok(error instanceof AssertionError, String(error))
    return (error.actual as string[]).toSorted()
  }
  return []
}

describe('forEachRoute fails on the handlers that no route covers', () => {
  it('of Express, routers at several places included', async () => {
    assert.deepEqual(await uncovered(forEachRoute(expressApp(), policy)), [
      'DELETE /v1/orders/:id',
      'GET /debug',
      'GET /internal',
      'POST /debug/keys{/:id}',
      'POST /internal/keys{/:id}',
    ])
  })

  it('of Fastify, plugins included', async () => {
    assert.deepEqual(await uncovered(forEachRoute(fastifyApp(), policy)), [
      'DELETE /v1/orders/:id',
      'GET /files/*',
      'GET /v1/stats',
      'HEAD /files/*',
      'HEAD /v1/stats',
    ])
  })

  it('of Hono, middleware left out', async () => {
    assert.deepEqual(await uncovered(forEachRoute(honoApp(), policy)), [
      '/everything/*',
      'DELETE /v1/orders/:id',
    ])
  })

  it('unless they are excepted', async () => {
    const except = ['DELETE /v1/orders/:id', '/internal/*', '/debug/*']
    const { served, unserved } = await forEachRoute(expressApp(), policy, { except })
    assert.deepEqual(
      served.map(({ method, path, route }) => `${method} ${path} -> ${route}`),
      [
        'GET /v1/status -> /v1/status',
        'GET /v1/orders/:id -> GET /v1/orders/:id',
        'GET /v1/account -> /v1/account/*',
        'POST /v1/account/keys{/:id} -> /v1/account/*',
      ],
    )
    assert.deepEqual(unserved, ['/v1/left-over'])
  })

  it('and names the line that mends it', async () => {
    const message = await forEachRoute(fastifyApp(), policy).then(
      () => '',
      (error: Error) => error.message,
    )
    assert.match(
      message,
      /^ {2}GET \/v1\/stats: .*; mend: routes: \{ 'GET \/v1\/stats': \{ data: 'private' \} \}$/m,
    )
    assert.match(message, /'DELETE \/v1\/orders\/:id'/)
    assert.match(message, /'GET \/files\/\*'/)
    assert.match(message, /no handler serves: \/v1\/left-over/)
  })

  it('where a wider handler is covered in part alone', async () => {
    const app = new Hono()
    app.get('/v1/*', (context) => context.text(''))
    assert.deepEqual(await uncovered(forEachRoute(app, policy)), ['GET /v1/*'])
    assert.deepEqual(await uncovered(forEachRoute(app, { routes: { '/v1/*': { data: 'private' } } })), [])
  })
})

describe('forEachRoute', () => {
  it('fails on routes that can not be read, each with what to do', async () => {
    const app = express()
    app.get(/^\/v1\/\d+$/, end)
    app.use('/sub', express())
    await assert.rejects(forEachRoute(app, {}), (error: Error) => {
      assert.match(error.message, /\/\^\\\/v1\\\/\\d\+\$\/ is a pattern/)
      assert.match(error.message, /mounted at \/sub.*prefix: "\/sub"/)
      return true
    })
    await forEachRoute(app, {}, { except: ['/sub/*', '/^\\/v1\\/\\d+$/'] })
  })

  it('takes the place where an app is mounted', async () => {
    const app = express()
    app.get('/status', end)
    assert.deepEqual(await uncovered(forEachRoute(app, policy)), ['GET /status'])
    const { served } = await forEachRoute(app, policy, { prefix: '/v1' })
    assert.deepEqual(
      served.map(({ path }) => path),
      ['/v1/status'],
    )
  })

  it('hands each handler over with its cell', async () => {
    const app = express()
    app.get('/v1/status', end)
    const classes: string[] = []
    await forEachRoute(app, policy, { each: ({ cell }) => classes.push(cell.data) })
    assert.deepEqual(classes, ['public'])
    const wanted = new Error('status must not be public')
    const each = () => {
      throw wanted
    }
    await assert.rejects(forEachRoute(app, policy, { each }), wanted)
  })

  it('takes a route for served where a wider handler meets it', async () => {
    const app = new Hono()
    app.get('/v1/*', (context) => context.text(''))
    const routes = { '/v1/*': {}, '/v1/orders/:id': {}, 'POST /v1/orders': {}, '/v2/*': {} }
    assert.deepEqual((await forEachRoute(app, { routes })).unserved, ['POST /v1/orders', '/v2/*'])
  })

  it('fails on unserved routes where it is told to', async () => {
    const app = express()
    app.get('/v1/status', end)
    await assert.rejects(
      forEachRoute(app, policy, { noneUnserved: true }),
      /no handler serves: \/v1\/account\/\*, GET \/v1\/orders\/:id, \/v1\/left-over/,
    )
  })

  it('says so where an app lists no routes', async () => {
    await assert.rejects(forEachRoute({}, policy), /expected an app of Express 5, Fastify or Hono/)
  })
})
