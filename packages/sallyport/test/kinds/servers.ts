// The apps under test, each on a port of its own: under Sallyport, or under the headers plugins that are usual for the
// framework.

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type Server, type ServerOptions } from 'node:http'
import fastifyCors from '@fastify/cors'
import fastifyHelmet from '@fastify/helmet'
import { createAdaptorServer, type HttpBindings } from '@hono/node-server'
import cors from 'cors'
import express from 'express'
import Fastify from 'fastify'
import helmet from 'helmet'
import { Hono } from 'hono'
import { cors as honoCors } from 'hono/cors'
import { secureHeaders } from 'hono/secure-headers'
import { guard } from '../../src/adapters/express.ts'
import { guarded as guardedFastify } from '../../src/adapters/fastify.ts'
import { guarded as guardedHono } from '../../src/adapters/hono.ts'
import type { PolicyDocument } from '../../src/adapters/node/index.ts'
import { expressRoutes, quiet } from './app-express.ts'
import { fastifyRoutes } from './app-fastify.ts'
import { honoRoutes } from './app-hono.ts'
import { BODY_LIMIT, ORIGIN } from './kinds.ts'
import { listening, type Running } from './listen.ts'
import { TIMEOUTS } from './timeouts.ts'

type Timeouts = Readonly<Record<keyof typeof TIMEOUTS, number>>

/** The app under a policy, by framework; handlers set weaker headers on purpose. */
export const guardedApps: Readonly<
  Record<string, (policy: PolicyDocument, timeouts?: Timeouts) => Promise<Running>>
> = {
  // In a process of its own: what a handler of plain node:http throws goes on to the process, as without a guard.
  async node(policy, timeouts = TIMEOUTS) {
    const child = fork(
      new URL('./node-process.ts', import.meta.url),
      [policy, timeouts].map((each) => JSON.stringify(each)),
    )
    const [port] = (await once(child, 'message')) as [number]
    return {
      port,
      async close() {
        child.kill()
        await once(child, 'exit')
      },
    }
  },
  express(policy, timeouts = TIMEOUTS) {
    const app = quiet(express())
    guard(app, policy)
    expressRoutes(app, true)
    return listening(createServer(timeouts as ServerOptions, app))
  },
  async fastify(policy, timeouts = TIMEOUTS) {
    const app = Fastify({ bodyLimit: BODY_LIMIT, ...guardedFastify(policy, timeouts) })
    fastifyRoutes(app, true)
    await app.ready()
    return listening(app.server)
  },
  hono(policy, timeouts = TIMEOUTS) {
    const app = new Hono<{ Bindings: HttpBindings }>()
    honoRoutes(app, true)
    const server = createAdaptorServer({ fetch: app.fetch, ...guardedHono(policy, timeouts) })
    return listening(server as Server)
  },
}

/** The app under the usual plugins; handlers set nothing that weakens them. */
export const usualApps: Readonly<Record<string, () => Promise<Running>>> = {
  express() {
    const app = quiet(express())
    app.use(helmet(), cors({ origin: [ORIGIN] }))
    expressRoutes(app, false)
    return listening(createServer(TIMEOUTS as ServerOptions, app))
  },
  async fastify() {
    const app = Fastify({ bodyLimit: BODY_LIMIT })
    await app.register(fastifyHelmet)
    await app.register(fastifyCors, { origin: [ORIGIN] })
    fastifyRoutes(app, false)
    await app.ready()
    return listening(app.server)
  },
  hono() {
    const app = new Hono<{ Bindings: HttpBindings }>()
    app.use(secureHeaders(), honoCors({ origin: [ORIGIN] }))
    honoRoutes(app, false)
    return listening(createAdaptorServer({ fetch: app.fetch }) as Server)
  },
}
