// A small API that is wrong on purpose: it leaks, it sets its own security headers, it lets private data be cached.
// `npm start` puts the gateway in front of it, so that the difference can be seen.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { FAULTS } from './faults.ts'

/** A running sample. */
export interface SampleUpstream {
  /** `http://127.0.0.1:9000` */
  readonly url: string
  readonly port: number
  close(): Promise<void>
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void

const PRODUCTS = [
  { id: 'prod_1', name: 'Tide table, 2026', priceCents: 1_200 },
  { id: 'prod_2', name: 'Signal lamp', priceCents: 8_900 },
]

/** A stack trace of the kind that ends up in tickets and on pages. */
const LEAK = `error: duplicate key value violates unique constraint "orders_pkey"
DETAIL:  Key (id)=(4711) already exists. STATEMENT: INSERT INTO orders (id, customer_email) VALUES ($1, $2)
    at Parser.parseErrorMessage (/srv/app/node_modules/pg-protocol/dist/parser.js:285:98)
    at async createOrder (/srv/app/src/orders.ts:42:17)`

const ROUTES: Readonly<Record<string, Handler>> = {
  '/': (_request, response) => json(response, 200, { name: 'Sample API', routes: Object.keys(ROUTES) }),
  // Private, and yet every cache may keep it for ten minutes.
  '/v1/account': (_request, response) => {
    response.setHeader('Cache-Control', 'public, max-age=600')
    response.setHeader('Server', 'AcmeServer/1.2.3')
    response.setHeader('X-Powered-By', 'AcmeFramework 4')
    response.setHeader('X-Frame-Options', 'ALLOWALL')
    response.setHeader('Access-Control-Allow-Origin', '*')
    json(response, 200, { id: 'acct_1', email: 'owner@example.com', plan: 'pro' })
  },
  '/v1/orders': (_request, response) => {
    response.statusCode = 500
    response.setHeader('Content-Type', 'text/plain')
    response.setHeader('X-Debug-Query', 'INSERT INTO orders')
    response.end(LEAK)
  },
  '/v1/products': (_request, response) => json(response, 200, { products: PRODUCTS }),
  '/v1/echo': (request, response) => {
    response.setHeader('Content-Type', request.headers['content-type'] ?? 'application/octet-stream')
    request.pipe(response)
  },
  '/v1/headers': (request, response) => json(response, 200, { rawHeaders: request.rawHeaders }),
  '/v1/slow': (request, response) => {
    const timer = setTimeout(() => json(response, 200, { waited: true }), 3_000)
    request.socket.once('close', () => clearTimeout(timer))
  },
  '/v1/events': (request, response) => {
    response.setHeader('Content-Type', 'text/event-stream')
    response.setHeader('Cache-Control', 'public, max-age=60')
    let id = 0
    const tick = () => response.write(`id: ${++id}\nevent: tick\ndata: {"n":${id}}\n\n`)
    tick()
    const timer = setInterval(tick, 1_000)
    request.socket.once('close', () => clearInterval(timer))
    response.once('close', () => clearInterval(timer))
  },
  '/old': (_request, response) => {
    response.writeHead(302, { Location: '/v1/products', Server: 'AcmeServer/1.2.3' })
    response.end('moved')
  },
  '/download': (_request, response) => {
    response.setHeader('Content-Type', 'text/csv')
    response.setHeader('Content-Disposition', 'attachment; filename="orders.csv"')
    response.end('id,total\n4711,12.00\n')
  },
}

/**
 * Starts the sample on loopback.
 *
 * @param options.port 0 takes any that is free
 */
export async function startSampleUpstream(options: { readonly port: number }): Promise<SampleUpstream> {
  const server = createServer(answer)
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    // The faults leave sockets in states in which Node reports errors; a sample outlives them.
    socket.on('error', () => socket.destroy())
  })
  const { port } = await listen(server, options.port)
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  const path = (request.url ?? '/').split('?', 1)[0]!
  const fault = path.startsWith('/faults/') ? FAULTS[path.slice('/faults/'.length)] : undefined
  const handler = ROUTES[path]
  if (fault !== undefined) fault(request.socket)
  else if (handler === undefined) {
    response.writeHead(404, { 'Content-Type': 'text/plain' })
    response.end(`no route ${path} in /srv/app/src/routes.ts`)
  } else handler(request, response)
}

function json(response: ServerResponse, status: number, value: unknown): void {
  response.statusCode = status
  response.setHeader('Content-Type', 'application/json')
  response.end(JSON.stringify(value))
}

function listen(server: Server, port: number): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => resolve(server.address() as AddressInfo))
  })
}
