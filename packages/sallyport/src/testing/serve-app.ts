// Puts an app of any kind on a port of this machine for as long as a test takes.

import { createServer, type RequestListener, Server } from 'node:http'
import { createServer as createTlsServer, Server as TlsServer } from 'node:https'
import type { SecureContextOptions } from 'node:tls'
import type { Place } from '../guard/control.ts'
import type { WireTarget } from '../posture/wire/target.ts'
import { type FetchHandler, fetchListener } from './fetch-listener.ts'

/** What of a Fastify app is needed. */
interface FastifyApp {
  ready(): PromiseLike<unknown>
  readonly server: object
}

/** An app with a Fetch handler: Hono, or what Bun, Deno and workers take. */
interface FetchApp {
  fetch(request: Request, ...rest: never[]): Response | Promise<Response>
}

/**
 * An app: a server, a Fastify app, an app with `fetch`, a listener `(request, response)` such as an Express app, or a
 * Fetch handler `(request)`. Of two functions the one with a single parameter is taken for a Fetch handler.
 */
export type AppUnderTest =
  | Server
  | TlsServer
  | FastifyApp
  | FetchApp
  | ((request: never, response: never, ...rest: never[]) => unknown)
  | ((request: Request) => Response | Promise<Response>)

/** A certificate for an app whose policy ends TLS itself; PEM. */
export interface TestCertificate {
  readonly key: string | Buffer
  readonly cert: string | Buffer
}

/** An app that answers, until it is stopped. */
export interface ServedApp {
  readonly target: WireTarget
  /** Where a guard in it runs. */
  readonly place: Place
  stop(): Promise<void>
}

/**
 * Starts an app on 127.0.0.1. A server that listens already is used as it is, and left running.
 *
 * @throws TypeError where it is no app
 */
export async function serveApp(app: AppUnderTest, tls: SecureContextOptions | undefined): Promise<ServedApp> {
  if (app instanceof Server || app instanceof TlsServer) return onServer(app, 'node')
  if (isFastify(app)) {
    // A plugin that fails while it loads is a failure of the app, and says so itself.
    await app.ready()
    return onServer(app.server as Server, 'node')
  }
  if (isFetchApp(app))
    return onServer(serverFor(fetchListener(app.fetch.bind(app) as FetchHandler), tls), 'fetch')
  if (typeof app === 'function')
    return app.length === 1
      ? onServer(serverFor(fetchListener(app as FetchHandler), tls), 'fetch')
      : onServer(serverFor(app as RequestListener, tls), 'node')
  throw new TypeError(
    `verifyApp: expected a server, an app of Express, Fastify or Hono, or a handler, received ${app === null ? 'null' : typeof app}; write verifyApp(app, policy)`,
  )
}

function isFastify(app: object): app is FastifyApp {
  const { ready, server, inject } = app as Partial<FastifyApp> & { readonly inject?: unknown }
  return typeof ready === 'function' && typeof inject === 'function' && typeof server === 'object'
}

function isFetchApp(app: object): app is FetchApp {
  return app !== null && typeof (app as Partial<FetchApp>).fetch === 'function'
}

function serverFor(listener: RequestListener, tls: SecureContextOptions | undefined): Server | TlsServer {
  return tls === undefined ? createServer(listener) : createTlsServer({ ...tls }, listener)
}

async function onServer(server: Server | TlsServer, place: Place): Promise<ServedApp> {
  const mine = !server.listening
  if (mine) await listen(server)
  const bound = server.address()
  if (bound === null || typeof bound === 'string')
    throw new TypeError(
      'verifyApp: the server listens on a socket file; hand over one that listens on a port, or on nothing yet',
    )
  const { port, address } = bound
  // A server of all addresses answers on this one.
  const host = address === '::' || address === '0.0.0.0' ? '127.0.0.1' : address
  const encrypted = server instanceof TlsServer
  return {
    // The certificate is the test's own; whether clients trust the deployed one is not for a test to know.
    target: encrypted ? { scheme: 'https', host, port, insecure: true } : { scheme: 'http', host, port },
    place,
    stop: async () => {
      if (mine) await close(server)
    },
  }
}

function listen(server: Server | TlsServer): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      server.off('error', reject)
      resolve()
    })
  })
}

function close(server: Server | TlsServer): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
