// Streams of node:http2 under the guard, without a gateway: what a handler sees of a request, and what is written for it.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import {
  type ClientHttp2Session,
  connect,
  createServer,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { createGuard, type Guard } from '../../guard/guard.ts'
import type { PolicyDocument } from '../../guard/policy.ts'
import { enterHttp2 } from './http2.ts'

type Handler = (request: IncomingMessage, response: ServerResponse) => void

const POLICY: PolicyDocument = {
  extends: 'recommended',
  transport: { tls: 'in-front' },
  cors: { origins: ['https://a.example'] },
}

async function serve(
  context: TestContext,
  handler: Handler,
  guard: Guard = createGuard(POLICY, 'gateway'),
): Promise<ClientHttp2Session> {
  const server = createServer()
  server.on('stream', (stream: ServerHttp2Stream, _headers, _flags, rawHeaders: string[]) => {
    const peer = { remoteAddress: '203.0.113.9', encrypted: false }
    enterHttp2(guard, stream, rawHeaders, peer, () => 0, { admitted: handler, refused() {} })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  session.on('error', () => {})
  context.after(() => {
    session.destroy()
    server.close()
  })
  return session
}

interface Seen {
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

async function ask(session: ClientHttp2Session, headers: OutgoingHttpHeaders, body?: string): Promise<Seen> {
  const stream = session.request(headers, { endStream: body === undefined })
  if (body !== undefined) stream.end(body)
  const [answer] = (await once(stream, 'response')) as [IncomingHttpHeaders]
  let text = ''
  for await (const chunk of stream) text += chunk
  return { headers: answer, body: text }
}

test('the end of a request that was broken off is not told to anybody', async (context) => {
  for (const method of ['POST', 'HEAD']) {
    const events: string[] = []
    const arrived = Promise.withResolvers<IncomingMessage>()
    const over = Promise.withResolvers<void>()
    const session = await serve(context, (request, response) => {
      const onEnd = () => events.push('end')
      request.on('data', () => arrived.resolve(request))
      request.on('end', onEnd)
      request.once('end', () => events.push('end once'))
      response.on('close', over.resolve)
    })
    // Node's `close` would end the request first; a signal cancels it as browsers do.
    const leaving = new AbortController()
    const options = { endStream: false, signal: leaving.signal }
    const stream = session.request({ ':path': '/', ':method': method }, options)
    stream.on('error', () => {})
    stream.write('half')
    const request = await arrived.promise
    leaving.abort()
    await over.promise
    assert.deepEqual([events, request.complete], [[], false], method)
  }
})

test('the end of a whole request is told, once, and not to who took his listener back', async (context) => {
  const events: string[] = []
  const session = await serve(context, (request, response) => {
    const gone = () => events.push('gone')
    request.on('end', gone)
    request.off('end', gone)
    request.on('end', () => {
      events.push(`end ${request.complete}`)
      response.end('x')
    })
    request.resume()
  })
  await ask(session, { ':path': '/', ':method': 'POST' }, 'body')
  assert.deepEqual(events, ['end true'])
})

test('what a handler sets stays, what the policy owns does not, and what belongs to HTTP/1.1 is left out', async (context) => {
  const session = await serve(context, (_request, response) => {
    response.setHeader('X-Set', 'one')
    response.setHeader('X-Frame-Options', 'ALLOWALL')
    response.setHeader('X-Gone', 'x')
    response.removeHeader('x-gone')
    response.setHeader('Vary', 'Accept')
    response.writeHead(200, {
      Connection: 'keep-alive',
      'Transfer-Encoding': 'chunked',
      'X-Given': ['a', 'b'],
    })
    response.write('first ')
    response.end('last')
  })
  const { headers, body } = await ask(session, { ':path': '/' })
  assert.equal(body, 'first last')
  assert.equal(headers['x-set'], 'one')
  assert.equal(headers['x-given'], 'a, b')
  assert.equal(headers['x-frame-options'], 'DENY')
  assert.match(String(headers['vary']), /^Accept, .*Origin/)
  for (const name of ['x-gone', 'connection', 'transfer-encoding'])
    assert.equal(headers[name], undefined, name)
})

test('an error without a head of its own is replaced by a problem', async (context) => {
  const session = await serve(context, (_request, response) => {
    response.statusCode = 500
    response.setHeader('X-Debug', 'SELECT 1')
    response.end('Error: at /srv/app.js')
  })
  const { headers, body } = await ask(session, { ':path': '/' })
  assert.equal(headers[':status'], 500)
  assert.equal(headers['content-type'], 'application/problem+json')
  assert.equal(headers['x-debug'], undefined)
  assert.equal(JSON.parse(body).code, 'internal')
})

test('a control that fails while it judges has not let the request in, and one that fails later answers 500', async (context) => {
  const judging = createGuard(POLICY, 'gateway')
  const warnings: Error[] = []
  const listener = (warning: Error) => warnings.push(warning)
  process.on('warning', listener)
  context.after(() => process.off('warning', listener))
  const admits = await serve(context, (_request, response) => response.end('let in'), {
    ...judging,
    admit() {
      throw new Error('secret')
    },
  })
  const refused = await ask(admits, { ':path': '/' })
  assert.equal(refused.headers[':status'], 500)
  assert.doesNotMatch(refused.body, /secret|let in/)
  const cells = createGuard(POLICY, 'gateway')
  const emits = await serve(context, (_request, response) => response.end('let in'), {
    ...cells,
    open(incoming) {
      const exchange = cells.open(incoming)
      const compiled = {
        ...exchange.cell.compiled,
        perAnswer: [
          () => {
            throw new RangeError('secret')
          },
        ],
      }
      return Object.defineProperty(exchange, 'cell', { value: { ...exchange.cell, compiled } })
    },
  })
  const failed = await ask(emits, { ':path': '/' })
  assert.equal(failed.headers[':status'], 500)
  assert.equal(failed.headers['x-frame-options'], 'DENY')
  assert.doesNotMatch(failed.body, /secret|let in/)
  assert.ok(warnings.length > 0)
})

test('CONNECT is refused before any policy is asked, and the process lives', async (context) => {
  const guard = createGuard({ ...POLICY, request: { mode: 'off' } }, 'gateway')
  const session = await serve(context, (_request, response) => response.end('let in'), guard)
  const { headers, body } = await ask(
    session,
    { ':method': 'CONNECT', ':authority': 'evil.example:443' },
    'GET / HTTP/1.1',
  )
  assert.deepEqual([headers[':status'], JSON.parse(body).code], [405, 'method_not_allowed'])
  assert.equal(headers['x-frame-options'], 'DENY')
  assert.equal((await ask(session, { ':path': '/' })).body, 'let in')
})

test('writing to somebody who has left is no error', async (context) => {
  const done = Promise.withResolvers<boolean[]>()
  const session = await serve(context, (_request, response) => {
    response.on('close', () => {
      const kept = response.write('late')
      response.end('later')
      response.flushHeaders()
      response.writeContinue()
      done.resolve([kept, response.writableEnded, response.headersSent, response.destroyed])
    })
  })
  const stream = session.request({ ':path': '/' })
  stream.on('error', () => {})
  stream.on('ready', () => setImmediate(() => stream.destroy(new Error('left'))))
  assert.deepEqual(await done.promise, [false, true, true, true])
})

test('a Host that names another host than the authority is refused', async (context) => {
  const session = await serve(context, (_request, response) => response.end('served'))
  const as = (given: string) => ask(session, { ':path': '/', ':authority': 'a.example', host: given })
  assert.equal((await as('evil.example')).headers[':status'], 400)
  assert.match((await as('evil.example')).body, /host_invalid/)
  assert.equal((await as('A.EXAMPLE')).headers[':status'], 200)
})
