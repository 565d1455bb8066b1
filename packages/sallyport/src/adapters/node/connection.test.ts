// What one connection sees: answers in the order of its requests, in step after each refusal, complete before it closes.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { describe, test } from 'node:test'
import { listening, type Running } from '../../../test/kinds/listen.ts'
import { type Answer, bodyOf, parseAnswer, send, valuesOf } from '../../../test/kinds/wire.ts'
import { createServer, type PolicyDocument } from './index.ts'

const policy: PolicyDocument = {
  extends: 'api',
  cors: { origins: ['https://app.example.com'], bearer: 'listed' },
  request: { maxBodyBytes: 1_000, nonCanonical: 'refuse' },
}

async function withServer<T>(
  handler: RequestListener,
  use: (app: Running, server: Server) => Promise<T>,
): Promise<T> {
  const server = createServer(policy, handler)
  const app = await listening(server)
  try {
    return await use(app, server)
  } finally {
    await app.close()
  }
}

function get(path: string, ...headers: readonly string[]): string {
  return `${[`GET ${path} HTTP/1.1`, 'Host: a.example', ...headers].join('\r\n')}\r\n\r\n`
}

const LAST = get('/last', 'Connection: close')
const echoPath: RequestListener = (request, response) => void response.end(`own ${request.url}`)

/** Every answer of a connection, in order. */
function answersOf(read: string): Answer[] {
  const answers: Answer[] = []
  for (let rest = read; rest !== ''; ) {
    const answer = parseAnswer(rest)
    answers.push(answer)
    const length = valuesOf(answer, 'content-length')[0]
    if (length === undefined) break
    rest = answer.rest.slice(Number(length))
  }
  return answers
}

function isGuarded(answer: Answer): void {
  assert.deepEqual(valuesOf(answer, 'X-Content-Type-Options'), ['nosniff'])
  assert.deepEqual(valuesOf(answer, 'X-Frame-Options'), ['SAMEORIGIN'])
}

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

describe('upgrade and CONNECT', () => {
  const upgrade = (path: string, ...headers: readonly string[]) =>
    get(path, 'Connection: Upgrade', 'Upgrade: echo', ...headers)

  function withUpgrade<T>(use: (app: Running) => Promise<T>): Promise<T> {
    return withServer(echoPath, (app, server) => {
      server.on('upgrade', (_request, socket, head) => {
        socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n')
        socket.write(head)
        socket.pipe(socket)
      })
      return use(app)
    })
  }

  test('an upgrade that is let in reaches the application, bytes and all', () =>
    withUpgrade(async (app) => {
      const read = await send(app, `${upgrade('/ws')}hello`, (text) => text.endsWith('hello'))
      assert.ok(read.startsWith('HTTP/1.1 101 Switching Protocols\r\n'))
    }))

  test('a denied upgrade gets a complete answer, and the application hears nothing', () =>
    withUpgrade(async (app) => {
      const answer = parseAnswer(await send(app, upgrade('/a/../ws')))
      assert.equal(answer.status, 400)
      isGuarded(answer)
      assert.equal(JSON.parse(bodyOf(answer)).code, 'path_not_canonical')
      assert.deepEqual(valuesOf(answer, 'Connection'), ['close'])
    }))

  test('a denied upgrade that still has a body gets a complete answer', () =>
    withUpgrade(async (app) => {
      const answer = parseAnswer(await send(app, [`${upgrade('/a/../ws', 'Content-Length: 10')}`, 'half']))
      assert.equal(answer.status, 400)
      isGuarded(answer)
    }))

  test('a denied upgrade waits for the answers before it', () =>
    withServer(
      (request, response) => void setImmediate(() => response.end(`own ${request.url}`)),
      async (app, server) => {
        server.on('upgrade', (_request, socket) => void socket.destroy())
        const answers = answersOf(await send(app, get('/first') + upgrade('/a/../ws')))
        assert.deepEqual(
          answers.map((answer) => answer.status),
          [200, 400],
        )
      },
    ))

  for (const [name, bytes] of [
    ['CONNECT', 'CONNECT db.internal:5432 HTTP/1.1\r\nHost: db.internal\r\n\r\n'],
    ['a denied upgrade', upgrade('/a/../ws')],
    ['garbage', 'GARBAGE\r\n\r\n'],
  ] as const)
    test(`${name}, then a reset by the caller, leaves the server running`, () =>
      withUpgrade(async (app) => {
        const socket = connect(app.port, '127.0.0.1')
        socket.write(bytes)
        await once(socket, 'data')
        socket.resetAndDestroy()
        await once(socket, 'close')
        assert.equal(bodyOf(parseAnswer(await send(app, LAST))), 'own /last')
      }))
})

describe('body limit', () => {
  const chunk = (size: number) => `${size.toString(16)}\r\n${'x'.repeat(size)}\r\n`
  const chunked = (...sizes: readonly number[]) =>
    `POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n${sizes.map(chunk).join('')}0\r\n\r\n`

  const count: RequestListener = (request, response) => {
    let bytes = 0
    request.on('error', () => {})
    request.on('data', (data: Buffer) => {
      bytes += data.length
    })
    request.on('end', () => response.end(String(bytes)))
  }

  test('a chunked body up to the limit passes', () =>
    withServer(count, async (app) => {
      const read = await send(app, chunked(400, 600) + LAST)
      assert.equal(bodyOf(answersOf(read)[0]!), '1000')
    }))

  test('a chunked body over the limit is refused with 413, and no later request of it is heard', () =>
    withServer(count, async (app) => {
      const answers = answersOf(await send(app, chunked(400, 600, 1) + LAST))
      assert.deepEqual(
        answers.map((answer) => answer.status),
        [413],
      )
      isGuarded(answers[0]!)
      assert.equal(JSON.parse(bodyOf(answers[0]!)).code, 'body_too_large')
    }))

  test('an answer that has begun is cut off when the body goes over the limit', () =>
    withServer(
      (request, response) => {
        request.on('error', () => {})
        request.resume()
        response.write('begun')
      },
      async (app) => {
        const socket = connect(app.port, '127.0.0.1').setEncoding('latin1')
        let read = ''
        socket.write(`POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n${chunk(10)}`)
        socket.once('data', () => socket.write(chunk(2_000)))
        socket.on('data', (data: string) => {
          read += data
        })
        socket.on('error', () => {})
        await once(socket, 'close')
        const answer = parseAnswer(read)
        assert.equal(answer.status, 200)
        assert.ok(!answer.rest.includes('0\r\n\r\n'))
      },
    ))

  // Without reading on, the close would reset the connection and take the answer from the caller.
  for (const [name, head] of [
    ['413 to a large body', 'POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 8000000\r\n\r\n'],
    ['400 to garbage', 'GARBAGE\r\n\r\n'],
  ] as const)
    test(`${name} arrives whole at a caller who goes on sending`, () =>
      withServer(count, async (app) => {
        const parts = [head, ...Array.from({ length: 80 }, () => 'x'.repeat(100_000))]
        const answer = parseAnswer(await send(app, parts))
        assert.ok(answer.status === 413 || answer.status === 400)
        JSON.parse(bodyOf(answer))
      }))
})
