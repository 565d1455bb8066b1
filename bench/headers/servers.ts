// The servers that are compared, each with the same answer: `{"ok":true}` at /v1/things. Started as a process of its
// own: `node servers.ts NAME` prints the port it listens on.

import { createServer, get, type Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { PolicyDocument } from '../../packages/sallyport/src/guard/policy.ts'

// The published build, typed as its sources.
const built = (entry: string) =>
  import(new URL(`../../packages/sallyport/dist/adapters/${entry}`, import.meta.url).href)

const BODY = '{"ok":true}'
const ORIGIN = 'https://app.example.com'

// The `api` preset with a dashboard's origin: headers, cache class, CORS, Vary, request form, request id.
const policy: PolicyDocument = { extends: 'api', cors: { origins: [ORIGIN] } }

function manyRoutes(count: number): PolicyDocument {
  const cache = { owner: 'policy' } as const
  const routes: NonNullable<PolicyDocument['routes']> & Record<string, unknown> = {
    '/v1/things': { data: 'private', cache },
  }
  for (let i = 1; i < count; i++)
    routes[`/v1/resource-${i % 1000}/${Math.floor(i / 1000)}/:id`] = {
      data: i % 2 ? 'private' : 'public',
      cache,
    }
  return { ...policy, routes }
}

const bare = (_request: unknown, response: import('node:http').ServerResponse): void => {
  response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': BODY.length })
  response.end(BODY)
}

// What Node or the handler itself writes.
const NOT_OURS: readonly string[] = ['content-type', 'content-length', 'date', 'connection', 'keep-alive']

/** The lines that the policy puts on the answer, names and values in turn, read off a guarded server. */
async function policyLines(): Promise<readonly string[]> {
  const guarded = await servers['sallyport']!()
  await new Promise<void>((listening) => guarded.listen(0, '127.0.0.1', listening))
  const { port } = guarded.address() as AddressInfo
  const raw = await new Promise<readonly string[]>((resolve, reject) => {
    const asked = get(
      { port, host: '127.0.0.1', path: '/v1/things', headers: { Origin: ORIGIN } },
      (answer) => {
        answer.resume()
        resolve(answer.rawHeaders)
      },
    )
    asked.on('error', reject)
  })
  guarded.close()
  guarded.closeAllConnections()
  return raw.filter((_, index) => !NOT_OURS.includes(raw[index - (index % 2)]!.toLowerCase()))
}

const HELMET = { hsts: { maxAge: 63_072_000, preload: true } } as const
const CORS = {
  origin: [ORIGIN],
  credentials: true,
  maxAge: 600,
  exposedHeaders: ['x-request-id', 'retry-after'],
}

const servers: Readonly<Record<string, () => Promise<Server>>> = {
  async bare() {
    return createServer(bare)
  },
  // The same lines by hand, none of them looked at: in a list, as node:http takes them from anybody.
  async 'by-hand'() {
    const list = [...(await policyLines()), 'Content-Type', 'application/json', 'Content-Length', '11']
    return createServer((_request, response) => {
      response.writeHead(200, list)
      response.end(BODY)
    })
  },
  // The same bytes as one string after the status line, which node:http offers nobody: what sending them costs.
  async bytes() {
    const lines = await policyLines()
    const wire = lines.map((text, index) => (index % 2 ? `${text}\r\n` : `${text}: `)).join('')
    type Store = (firstLine: string, headers: unknown) => void
    const { _storeHeader } = ServerResponse.prototype as unknown as { _storeHeader: Store }
    class WithBytes extends ServerResponse {
      _storeHeader(firstLine: string, headers: unknown): void {
        _storeHeader.call(this, firstLine + wire, headers)
      }
    }
    return createServer({ ServerResponse: WithBytes }, bare)
  },
  async sallyport() {
    const node = (await built(
      'node/index.js',
    )) as typeof import('../../packages/sallyport/src/adapters/node/index.ts')
    return node.createServer(policy, bare)
  },
  async 'routes-10'() {
    const node = (await built(
      'node/index.js',
    )) as typeof import('../../packages/sallyport/src/adapters/node/index.ts')
    return node.createServer(manyRoutes(10), bare)
  },
  async 'routes-10000'() {
    const node = (await built(
      'node/index.js',
    )) as typeof import('../../packages/sallyport/src/adapters/node/index.ts')
    return node.createServer(manyRoutes(10_000), bare)
  },
  async express() {
    const { default: express } = await import('express')
    const app = express()
    app.get('/v1/things', (_request, response) => void response.json({ ok: true }))
    return createServer(app)
  },
  async 'express-usual'() {
    const { default: express } = await import('express')
    const { default: helmet } = await import('helmet')
    const { default: cors } = await import('cors')
    const app = express()
    app.use(helmet(HELMET), cors(CORS))
    app.get('/v1/things', (_request, response) => void response.json({ ok: true }))
    return createServer(app)
  },
  async 'express-sallyport'() {
    const { default: express } = await import('express')
    const { guard } = (await built(
      'express.js',
    )) as typeof import('../../packages/sallyport/src/adapters/express.ts')
    const app = express()
    guard(app, policy)
    app.get('/v1/things', (_request, response) => void response.json({ ok: true }))
    return createServer(app)
  },
  async fastify() {
    const { default: fastify } = await import('fastify')
    const app = fastify()
    app.get('/v1/things', async () => ({ ok: true }))
    await app.ready()
    return app.server
  },
  async 'fastify-usual'() {
    const { default: fastify } = await import('fastify')
    const { default: helmet } = await import('@fastify/helmet')
    const { default: cors } = await import('@fastify/cors')
    const app = fastify()
    await app.register(helmet, HELMET)
    await app.register(cors, CORS)
    app.get('/v1/things', async () => ({ ok: true }))
    await app.ready()
    return app.server
  },
  async 'fastify-sallyport'() {
    const { default: fastify } = await import('fastify')
    const { guarded } = (await built(
      'fastify.js',
    )) as typeof import('../../packages/sallyport/src/adapters/fastify.ts')
    const app = fastify({ ...guarded(policy) })
    app.get('/v1/things', async () => ({ ok: true }))
    await app.ready()
    return app.server as unknown as Server
  },
  async hono() {
    const { Hono } = await import('hono')
    const { createAdaptorServer } = await import('@hono/node-server')
    const app = new Hono()
    app.get('/v1/things', (context) => context.json({ ok: true }))
    return createAdaptorServer({ fetch: app.fetch }) as Server
  },
  async 'hono-usual'() {
    const { Hono } = await import('hono')
    const { createAdaptorServer } = await import('@hono/node-server')
    const { secureHeaders } = await import('hono/secure-headers')
    const { cors } = await import('hono/cors')
    const app = new Hono()
    app.use(secureHeaders(), cors({ origin: [ORIGIN], credentials: true, maxAge: 600 }))
    app.get('/v1/things', (context) => context.json({ ok: true }))
    return createAdaptorServer({ fetch: app.fetch }) as Server
  },
  async 'hono-sallyport'() {
    const { Hono } = await import('hono')
    const { createAdaptorServer } = await import('@hono/node-server')
    const { guarded } = (await built(
      'hono.js',
    )) as typeof import('../../packages/sallyport/src/adapters/hono.ts')
    const app = new Hono()
    app.get('/v1/things', (context) => context.json({ ok: true }))
    return createAdaptorServer({ fetch: app.fetch, ...guarded(policy) }) as Server
  },
}

const name = process.argv[2] ?? ''
const make = servers[name]
if (!make)
  throw new Error(`no server named ${JSON.stringify(name)}; there are ${Object.keys(servers).join(', ')}`)
const server = await make()
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port))
process.on('disconnect', () => process.exit(0))
