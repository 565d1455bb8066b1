// The small app that every runtime serves behind `sallyport/fetch`.

import { guard, type PolicyDocument } from '../../src/adapters/fetch.ts'

export const policy: PolicyDocument = {
  extends: 'recommended',
  cors: { origins: ['https://app.example'] },
  request: { maxBodyBytes: 64 },
  routes: { '/public': { data: 'public', credentials: 'none', cache: { maxAgeSeconds: 30 } } },
}

async function handler(request: Request): Promise<Response> {
  const { pathname } = new URL(request.url)
  switch (pathname) {
    case '/ok':
    case '/public':
      return Response.json({ ok: true, body: request.method === 'POST' ? await request.text() : undefined })
    case '/own':
      return new Response('{}', {
        headers: {
          'Strict-Transport-Security': 'max-age=0',
          'X-Frame-Options': 'ALLOWALL',
          'X-Powered-By': 'a runtime',
          Server: 'a server',
          'X-Mine': 'kept',
        },
      })
    case '/cookies': {
      const headers = new Headers({ 'Content-Type': 'application/json' })
      headers.append('Set-Cookie', 'a=1')
      headers.append('Set-Cookie', 'b=2')
      return new Response('{}', { headers })
    }
    case '/empty':
      return new Response(null, { status: 204 })
    case '/unchanged':
      return new Response(null, { status: 304, headers: { ETag: '"a"' } })
    case '/redirect':
      return new Response(null, { status: 302, headers: { Location: '/ok' } })
    case '/throws':
      throw new Error('secret of the application')
    case '/fails':
      return new Response('secret of the application', { status: 503, headers: { 'Retry-After': '7' } })
    case '/stream':
      return new Response(ticks(), { headers: { 'Content-Type': 'text/event-stream' } })
    case '/far':
      // A Response of `fetch()`, whose headers can't be changed.
      return fetch(new URL('/own', request.headers.get('x-upstream') ?? ''))
    default:
      return Response.json({ error: 'no such path' }, { status: 404 })
  }
}

function ticks(): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  let tick = 0
  return new ReadableStream({
    pull(controller) {
      tick++
      controller.enqueue(encoder.encode(`data: ${tick}\n\n`))
      if (tick === 3) controller.close()
    },
  })
}

export const app = guard(policy, handler, { onError: () => {} })
