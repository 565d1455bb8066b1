// What one connection sees: answers in the order of its requests, in step after each refusal, complete before it closes.

import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { describe, test } from 'node:test'
import { echoPath, get, isGuarded, LAST, policy, withServer } from '../../../test/kinds/connection.ts'
import { listening } from '../../../test/kinds/listen.ts'
import { answersOf, bodyOf, parseAnswer, send, valuesOf } from '../../../test/kinds/wire.ts'
import { createServer } from './index.ts'

describe('in step', () => {
  const denied: Readonly<Record<string, string>> = {
    preflight:
      'OPTIONS / HTTP/1.1\r\nHost: a.example\r\nOrigin: https://evil.example\r\nAccess-Control-Request-Method: GET\r\n\r\n',
    'path not canonical': get('/a/../b'),
    'wrong Host': 'GET / HTTP/1.1\r\nHost: a/b\r\n\r\n',
    'no Host': 'GET / HTTP/1.1\r\n\r\n',
    TRACE: 'TRACE / HTTP/1.1\r\nHost: a.example\r\n\r\n',
    'unknown Expect': get('/', 'Expect: y'),
    'two Authorizations': get('/', 'Authorization: Bearer a', 'Authorization: Bearer b'),
    'body over the limit': `POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 2000\r\n\r\n${'x'.repeat(2000)}`,
    'HEAD of a path not canonical': 'HEAD /a/../b HTTP/1.1\r\nHost: a.example\r\n\r\n',
    garbage: 'GARBAGE\r\n\r\n',
  }
  for (const [name, bytes] of Object.entries(denied))
    test(`a denial (${name}) between two requests is answered in its turn, and nothing after a close is`, () =>
      withServer(echoPath, async (app) => {
        const read = await send(app, get('/first') + bytes + LAST)
        const [first, second, third] = answersOf(read)
        assert.equal(bodyOf(first!), 'own /first')
        assert.ok(second!.status >= 400, String(second!.status))
        for (const answer of [first!, second!]) isGuarded(answer)
        if (valuesOf(second!, 'Connection').join().toLowerCase() === 'close') {
          assert.equal(third, undefined)
          assert.ok(!read.includes('own /last'))
        } else assert.equal(bodyOf(third!), 'own /last')
      }))

  test('a denied preflight keeps the connection', () =>
    withServer(echoPath, async (app) => {
      const answers = answersOf(await send(app, denied.preflight + LAST))
      assert.deepEqual(
        answers.map((answer) => answer.status),
        [403, 200],
      )
    }))

  test('requests that came whole are answered before the garbage that follows them', () =>
    withServer(
      (request, response) => void setImmediate(() => response.end(`own ${request.url}`)),
      async (app) => {
        const answers = answersOf(await send(app, `${get('/1')}${get('/2')}${get('/3')}GARBAGE\r\n\r\n`))
        assert.deepEqual(
          answers.map((answer) => answer.status),
          [200, 200, 200, 400],
        )
        assert.deepEqual(answers.slice(0, 3).map(bodyOf), ['own /1', 'own /2', 'own /3'])
        for (const answer of answers) isGuarded(answer)
      },
    ))

  test('garbage after an answer that has begun adds nothing to it', () =>
    withServer(
      (_request, response) => void response.write('begun'),
      async (app) => {
        const read = await send(app, `${get('/')}GARBAGE\r\n\r\n`)
        assert.ok(!read.includes(' 400 '), read)
      },
    ))

  test('a broken body is answered with 400 in place of the handler’s answer', () =>
    withServer(
      (request, response) => {
        request.on('error', () => {})
        request.resume().on('end', () => response.end('never'))
      },
      async (app) => {
        const read = await send(
          app,
          'POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\nxx\r\n',
        )
        const [answer, ...more] = answersOf(read)
        assert.equal(answer!.status, 400)
        isGuarded(answer!)
        assert.deepEqual(more, [])
      },
    ))

  test('a caller who leaves during an answer leaves the server as it was', () =>
    withServer(
      (request, response) => {
        if (request.url === '/last') return void response.end('own /last')
        response.write('x'.repeat(1_000_000))
        response.on('close', () => response.end('more'))
      },
      async (app) => {
        await send(app, get('/'), (read) => read.length > 1_000)
        assert.equal(bodyOf(parseAnswer(await send(app, LAST))), 'own /last')
      },
    ))

  test('HTTP/1.0 is answered without chunks, and the connection closes', () =>
    withServer(
      (_request, response) => {
        response.write('a')
        response.end('b')
      },
      async (app) => {
        const answer = parseAnswer(await send(app, 'GET / HTTP/1.0\r\nHost: a.example\r\n\r\n'))
        assert.equal(answer.rest, 'ab')
        isGuarded(answer)
      },
    ))

  test('a connection that had its share of requests is answered with 503 and the policy', async () => {
    const server = createServer(policy, echoPath)
    server.maxRequestsPerSocket = 1
    const app = await listening(server)
    const answers = answersOf(await send(app, get('/1') + LAST))
    assert.deepEqual(
      answers.map((answer) => answer.status),
      [200, 503],
    )
    for (const answer of answers) isGuarded(answer)
    assert.equal(JSON.parse(bodyOf(answers[1]!)).code, 'unavailable')
    await app.close()
  })
})

describe('interim answers', () => {
  test('102 and 103 go out as they are; the policy stands on the last answer', () =>
    withServer(
      (_request, response) => {
        response.writeProcessing()
        response.writeEarlyHints({ link: '</style.css>; rel=preload', 'x-frame-options': 'ALLOWALL' })
        response.end('done')
      },
      async (app) => {
        const read = await send(app, LAST)
        assert.ok(read.startsWith('HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink:'), read)
        isGuarded(parseAnswer(read))
      },
    ))

  const post = (path: string, body = '') =>
    `POST ${path} HTTP/1.1\r\nHost: a.example\r\nExpect: 100-continue\r\nContent-Length: 3\r\nConnection: close\r\n\r\n${body}`

  test('a request that is let in hears 100 before its answer', () =>
    withServer(echoPath, async (app) => {
      const read = await send(app, post('/in', 'abc'))
      assert.ok(read.startsWith('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n'), read)
      isGuarded(parseAnswer(read))
    }))

  test('a refused request hears no 100, only the refusal, and the connection closes', () =>
    withServer(echoPath, async (app) => {
      const answer = parseAnswer(await send(app, post('/a/../b')))
      assert.equal(answer.status, 400)
      isGuarded(answer)
    }))

  test('an application’s own checkContinue is asked for requests that are let in, and only for those', () =>
    withServer(echoPath, async (app, server) => {
      const asked: (string | undefined)[] = []
      server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
        asked.push(request.url)
        response.writeHead(417, { 'X-Frame-Options': 'ALLOWALL', 'Content-Type': 'application/json' })
        response.end('{}')
      })
      isGuarded(parseAnswer(await send(app, post('/in'))))
      isGuarded(parseAnswer(await send(app, post('/a/../b'))))
      assert.deepEqual(asked, ['/in'])
    }))
})
