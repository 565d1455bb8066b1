// The app under test on Hono 4 with @hono/node-server.

import type { HttpBindings } from '@hono/node-server'
import type { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { HTTPException } from 'hono/http-exception'
import { WEAKER } from './hostile.ts'
import { BODY_LIMIT, SECRET } from './kinds.ts'

/** Gives the app its routes; with a careless middleware around them, where asked for. */
export function honoRoutes(app: Hono<{ Bindings: HttpBindings }>, careless: boolean): void {
  if (careless)
    app.use(async (context, next) => {
      context.env.outgoing.setHeader('X-Frame-Options', 'ALLOWALL')
      await next()
      for (const [name, value] of WEAKER) context.header(name, value)
    })
  const weaker = careless ? Object.fromEntries(WEAKER) : {}
  app.get('/ok', (context) => context.json({ ok: true }))
  app.options('/ok', (context) => context.body(null, 204, { Allow: 'GET, HEAD, OPTIONS' }))
  app.get('/empty', (context) => context.body(null, 204))
  app.get('/same', (context) => context.body(null, 304))
  app.get('/moved', (context) => context.redirect('/ok'))
  app.post('/echo', bodyLimit({ maxSize: BODY_LIMIT }), async (context) => {
    try {
      return context.json(await context.req.json())
    } catch {
      throw new HTTPException(400, { message: 'not JSON' })
    }
  })
  app.get('/throws', () => {
    throw new Error(SECRET)
  })
  app.get('/rejects', async () => {
    throw new Error(SECRET)
  })
  app.get('/unauthorized', (context) => context.json({}, 401, weaker))
  app.get('/forbidden', () => new Response('no', { status: 403, headers: weaker }))
  app.get('/events', () => stream('text/event-stream', 'data: 1\n\n', weaker, () => {}))
  app.get('/broken', (context) => {
    const { incoming, outgoing } = context.env
    // The next piece is asked for before the first is written.
    const cut = () => void (outgoing.headersSent ? incoming.socket.destroySoon() : setImmediate(cut))
    return stream('application/octet-stream', 'half', weaker, cut)
  })
  app.get('/items/:id', (context) => context.json({ id: context.req.param('id') }))
  app.onError((error, context) =>
    error instanceof HTTPException ? error.getResponse() : context.text(error.message, 500),
  )
}

function stream(type: string, first: string, weaker: object, after: () => void): Response {
  let pulls = 0
  const body = new ReadableStream({
    pull(controller) {
      if (pulls++ === 0) controller.enqueue(new TextEncoder().encode(first))
      else after()
      return pulls > 1 ? new Promise(() => {}) : undefined
    },
  })
  return new Response(body, { headers: { ...weaker, 'Content-Type': type } })
}
