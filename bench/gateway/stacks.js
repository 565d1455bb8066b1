// The usual stacks, as their own pages set them up, with kept connections to the upstream:
// `node stacks.js NAME UPSTREAM` prints the port it listens on. Plain JavaScript, since its packages install apart.

import http from 'node:http'

const ORIGIN = 'https://app.example.com'
const HSTS = { maxAge: 63_072_000, preload: true }
const CORS = { origin: [ORIGIN], credentials: true, maxAge: 600 }

const [name = '', upstream = ''] = process.argv.slice(2)

const stacks = {
  async fastify() {
    const { default: fastify } = await import('fastify')
    const { default: helmet } = await import('@fastify/helmet')
    const { default: cors } = await import('@fastify/cors')
    const { default: proxy } = await import('@fastify/http-proxy')
    const app = fastify()
    await app.register(helmet, { hsts: HSTS })
    await app.register(cors, CORS)
    await app.register(proxy, {
      upstream,
      undici: { connections: 1_024, pipelining: 1 },
      // OPTIONS is the CORS plugin's.
      httpMethods: ['DELETE', 'GET', 'HEAD', 'PATCH', 'POST', 'PUT'],
    })
    await app.listen({ port: 0, host: '127.0.0.1' })
    return app.server
  },
  async express() {
    const { default: express } = await import('express')
    const { default: helmet } = await import('helmet')
    const { default: cors } = await import('cors')
    const { createProxyMiddleware } = await import('http-proxy-middleware')
    const app = express()
    app.use(helmet({ hsts: HSTS }), cors(CORS))
    const agent = new http.Agent({ keepAlive: true })
    app.use(createProxyMiddleware({ target: upstream, agent, xfwd: true }))
    return new Promise((resolve) => {
      const server = app.listen(0, '127.0.0.1', () => resolve(server))
    })
  },
}

const server = await stacks[name]()
console.log(server.address().port)
process.on('disconnect', () => process.exit(0))
