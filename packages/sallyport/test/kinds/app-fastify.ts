// The app under test on Fastify 5.

import type { FastifyInstance } from 'fastify'
import { WEAKER } from './hostile.ts'
import { SECRET } from './kinds.ts'

/** Gives the app its routes; with careless hooks around them, where asked for. */
export function fastifyRoutes(app: FastifyInstance, careless: boolean): void {
  if (careless) {
    app.addHook('onRequest', async (_request, reply) => {
      for (const [name, value] of WEAKER) reply.header(name, value)
    })
    app.addHook('onSend', async (_request, reply) => {
      for (const [name, value] of WEAKER) reply.raw.appendHeader(name, value)
    })
  }
  const weaker = careless ? WEAKER.flat(1) : []
  app.get('/ok', async () => ({ ok: true }))
  app.options('/ok', async (_request, reply) => reply.header('Allow', 'GET, HEAD, OPTIONS').code(204).send())
  app.get('/empty', async (_request, reply) => reply.code(204).send())
  app.get('/same', async (_request, reply) => reply.code(304).send())
  app.get('/moved', async (_request, reply) => reply.redirect('/ok'))
  app.post('/echo', async (request) => request.body)
  app.get('/throws', () => {
    throw new Error(SECRET)
  })
  app.get('/rejects', async () => {
    throw new Error(SECRET)
  })
  app.get('/unauthorized', async (_request, reply) => reply.code(401).send({}))
  app.get('/forbidden', async (_request, reply) => reply.code(403).send({}))
  // What plugins for events do: past the reply, with what is there on the raw response.
  app.get('/events', (_request, reply) => {
    reply.hijack()
    reply.raw.writeHead(200, [...weaker, 'Content-Type', 'text/event-stream'])
    reply.raw.write('data: 1\n\n')
  })
  app.get('/broken', (request, reply) => {
    reply.hijack()
    reply.raw.writeHead(200, [...weaker, 'Content-Type', 'application/octet-stream'])
    reply.raw.write('half', () => request.raw.socket.destroySoon())
  })
  app.get<{ Params: { id: string } }>('/items/:id', async (request) => ({ id: request.params.id }))
}
