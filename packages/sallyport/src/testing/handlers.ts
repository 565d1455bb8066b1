// The handlers of an app, as its framework lists them.

import { expressHandlers, isExpress } from './express-handlers.ts'
import { fastifyHandlers, isFastifyWithRoutes } from './fastify-handlers.ts'

/** One handler: a method, `*` for every one, and a path in the framework's own way of writing. */
export interface Handler {
  readonly method: string
  readonly path: string
}

/** Handlers that a framework does not tell of. */
export interface Unreadable {
  /** Where they are, as it is written in `except`. */
  readonly path: string
  readonly what: string
  readonly mend: string
}

/** What a framework tells of its handlers. */
export interface Handlers {
  readonly handlers: readonly Handler[]
  /** What can't be read, and what to do about it. */
  readonly unreadable: readonly Unreadable[]
}

/** An app whose handlers can be listed: Express 5, Fastify, Hono. */
export type RoutedApp = object

/** Lists the handlers. @throws TypeError where the framework is none that tells */
export async function handlersOf(app: RoutedApp): Promise<Handlers> {
  if (isFastifyWithRoutes(app)) return fastifyHandlers(app)
  if (isExpress(app)) return expressHandlers(app)
  if (isHono(app)) return honoHandlers(app)
  throw new TypeError(
    'forEachRoute: expected an app of Express 5, Fastify or Hono, whose routes can be listed, received another value; write forEachRoute(app, policy)',
  )
}

interface HonoApp {
  readonly routes: readonly {
    readonly method: string
    readonly path: string
    readonly handler: { readonly length: number }
  }[]
}

function isHono(app: object): app is HonoApp {
  return app !== null && Array.isArray((app as Partial<HonoApp>).routes) && 'fetch' in app
}

// Middleware stands in the same list, for every method; what tells it apart is that it takes `next`.
function honoHandlers({ routes }: HonoApp): Handlers {
  return {
    handlers: routes
      .filter(({ method, handler }) => method !== 'ALL' || handler.length < 2)
      .map(({ method, path }) => ({ method: method === 'ALL' ? '*' : method, path })),
    unreadable: [],
  }
}
