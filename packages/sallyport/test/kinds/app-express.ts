// The app under test on Express 5.

import express from 'express'
import { WEAKER } from './hostile.ts'
import { BODY_LIMIT, SECRET } from './kinds.ts'

/** Gives the app its routes; with a careless middleware before them, where asked for. */
export function expressRoutes(app: express.Express, careless: boolean): void {
  app.use(express.json({ limit: BODY_LIMIT, strict: false }))
  if (careless)
    app.use((_request, response, next) => {
      for (const [name, value] of WEAKER) response.set(name, value)
      response.append('X-Frame-Options', 'ALLOWALL')
      next()
    })
  const weaker = careless ? Object.fromEntries(WEAKER) : {}
  app.get('/ok', (_request, response) => void response.json({ ok: true }))
  app.options(
    '/ok',
    (_request, response) => void response.set('Allow', 'GET, HEAD, OPTIONS').status(204).end(),
  )
  app.get('/empty', (_request, response) => void response.writeHead(204, weaker).end())
  app.get('/same', (_request, response) => void response.status(304).end())
  app.get('/moved', (_request, response) => response.redirect('/ok'))
  app.post('/echo', (request, response) => void response.json(request.body))
  app.get('/throws', () => {
    throw Object.assign(new Error(SECRET), { headers: weaker })
  })
  app.get('/rejects', async () => {
    throw Object.assign(new Error(SECRET), { status: 500, headers: weaker })
  })
  app.get('/unauthorized', (_request, response) => void response.status(401).json({}))
  app.get('/forbidden', (_request, response) => void response.sendStatus(403))
  app.get('/events', (_request, response) => {
    response.writeHead(200, { ...weaker, 'Content-Type': 'text/event-stream' })
    response.write('data: 1\n\n')
  })
  app.get('/broken', (request, response) => {
    response.type('bin').write('half', () => request.socket.destroySoon())
  })
  app.get('/items/:id', (request, response) => void response.json({ id: request.params.id }))
}

/** Express prints errors that nobody handles, except under this setting. */
export function quiet(app: express.Express): express.Express {
  return app.set('env', 'test')
}
