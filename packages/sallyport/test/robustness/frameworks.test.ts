// The robustness suite under Express, Fastify and Hono: a framework must not undo what the guard refuses.
// `next start` is not among them: it stands on the same attach() under node:http as all of these, and its own answers are
// compared in examples/calmony-pay. Nor are Fetch hosts: they parse before any handler, and hide the bytes from us; what
// they answer by themselves is stated in test/runtimes.

import { once } from 'node:events'
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http'
import { after, before } from 'node:test'
import { serve } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import express from 'express'
import Fastify from 'fastify'
import { Hono } from 'hono'
import { guard } from '../../src/adapters/express.ts'
import { guarded as guardedFastify } from '../../src/adapters/fastify.ts'
import { guarded as guardedHono } from '../../src/adapters/hono.ts'
import { ROBUSTNESS_POLICY, type Subject } from './run.ts'
import { recorder, subjectOf } from './subject.ts'
import { robustnessSuite, type SuiteOptions } from './suite.ts'

interface Started {
  readonly server: Server
  readonly taken: Subject['taken']
}

async function startExpress(): Promise<Started> {
  const { listener, taken } = recorder()
  const app = express()
  guard(app, ROBUSTNESS_POLICY)
  app.use(listener)
  const server = createHttpServer(app)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { server, taken }
}

async function startFastify(): Promise<Started> {
  const { listener, taken } = recorder()
  const app = Fastify({ ...guardedFastify(ROBUSTNESS_POLICY) })
  app.addHook('onRequest', async (request, reply) => {
    reply.hijack()
    listener(request.raw, reply.raw)
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  return { server: app.server, taken }
}

async function startHono(): Promise<Started> {
  const { listener, taken } = recorder()
  const app = new Hono<{ Bindings: { incoming: IncomingMessage; outgoing: ServerResponse } }>()
  app.all('*', ({ env }) => {
    listener(env.incoming, env.outgoing as ServerResponse & { req: IncomingMessage })
    return RESPONSE_ALREADY_SENT
  })
  const server = serve({
    fetch: app.fetch,
    port: 0,
    hostname: '127.0.0.1',
    ...guardedHono(ROBUSTNESS_POLICY),
  }) as Server
  if (!server.listening) await once(server, 'listening')
  return { server, taken }
}

// The cuts are node:http's concern, and its own suite makes them all.
const OPTIONS: SuiteOptions = { randomCuts: 1, byteByByte: false }

const FRAMEWORKS = { Express: startExpress, Fastify: startFastify, Hono: startHono } as const

const running = new Map<string, { readonly server: Server; readonly subject: Subject }>()

before(async () => {
  for (const [name, start] of Object.entries(FRAMEWORKS)) {
    const { server, taken } = await start()
    running.set(name, { server, subject: subjectOf(server, taken) })
  }
})

after(() => {
  for (const { server } of running.values()) {
    server.closeAllConnections()
    server.close()
  }
})

// @hono/node-server makes a URL of Host and target first, and answers 400 by itself where that URL reads differently.
const HONO_ANSWERS = 'answered by @hono/node-server itself: Host and target make no URL that reads the same'
const WITHOUT: Readonly<Record<string, SuiteOptions['without']>> = {
  Hono: { 'target-asterisk': HONO_ANSWERS, 'host-ipv6-mapped': HONO_ANSWERS },
}

for (const name of Object.keys(FRAMEWORKS))
  robustnessSuite(name, () => running.get(name)!.subject, { ...OPTIONS, without: WITHOUT[name] ?? {} })
