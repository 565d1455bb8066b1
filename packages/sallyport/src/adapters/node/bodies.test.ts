// An error body of the application is replaced by a problem document, however it is written; framing stays right, and
// nothing that described the old body stays.

import assert from 'node:assert/strict'
import type { RequestListener, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { describe, test } from 'node:test'
import { SECRET } from '../../../test/kinds/kinds.ts'
import { listening } from '../../../test/kinds/listen.ts'
import { type Answer, bodyOf, parseAnswer, send, valuesOf } from '../../../test/kinds/wire.ts'
import { createServer, type GuardedServerOptions, isBodyReplaced, type PolicyDocument } from './index.ts'

const policy: PolicyDocument = { extends: 'api' }

async function readAll(
  handler: RequestListener,
  requests = 'GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n',
  options: GuardedServerOptions = {},
): Promise<string> {
  const app = await listening(createServer(policy, handler, options))
  try {
    return await send(app, requests)
  } finally {
    await app.close()
  }
}

function expectProblem(answer: Answer, status: number): void {
  assert.equal(answer.status, status)
  assert.deepEqual(valuesOf(answer, 'Content-Type'), ['application/problem+json'])
  assert.deepEqual(valuesOf(answer, 'Transfer-Encoding'), [])
  const length = Number(valuesOf(answer, 'Content-Length').join())
  assert.equal(Buffer.byteLength(answer.rest), length)
  const { code, status: told } = JSON.parse(answer.rest)
  assert.equal(typeof code, 'string')
  assert.equal(told, status)
  assert.ok(!JSON.stringify(answer).includes(SECRET))
}

const OLD_BODY = {
  'Content-Type': 'text/html',
  'Content-Length': '9999',
  'Content-Encoding': 'gzip',
  'Content-Range': 'bytes 0-1/2',
  ETag: '"old"',
  'Last-Modified': 'Wed, 21 Oct 2015 07:28:00 GMT',
  'X-Debug': SECRET,
}

describe('replaced bodies', () => {
  const ways: Readonly<Record<string, (response: ServerResponse) => unknown>> = {
    'end with a body'(response) {
      response.statusCode = 500
      response.end(SECRET)
    },
    'end with bytes'(response) {
      response.statusCode = 500
      response.end(Buffer.from(SECRET))
    },
    'end without a body'(response) {
      response.statusCode = 500
      response.end()
    },
    'write, then end'(response) {
      response.statusCode = 500
      response.write(SECRET)
      response.write(Buffer.from(SECRET))
      response.end(SECRET)
    },
    'writeHead with the old body’s headers'(response) {
      response.writeHead(500, OLD_BODY)
      response.end(SECRET)
    },
    'setHeader with the old body’s headers'(response) {
      for (const [name, value] of Object.entries(OLD_BODY)) response.setHeader(name, value)
      response.writeHead(500)
      response.end(SECRET)
    },
    'a status message'(response) {
      response.writeHead(500, `failed at ${SECRET.slice(0, 8)}`, { 'X-Debug': SECRET })
      response.end()
    },
    'flushHeaders first'(response) {
      response.statusCode = 500
      response.flushHeaders()
      response.end(SECRET)
    },
    'chunked by the application'(response) {
      response.writeHead(500, { 'Transfer-Encoding': 'chunked', Trailer: 'X-Debug' })
      response.write(SECRET)
      response.addTrailers({ 'X-Debug': SECRET })
      response.end()
    },
    pipe(response) {
      response.statusCode = 500
      Readable.from([SECRET, 'x'.repeat(200_000), SECRET]).pipe(response)
    },
    'another status after the head'(response) {
      response.writeHead(500)
      response.statusCode = 200
      response.write(SECRET)
      response.end(SECRET)
    },
    'end twice'(response) {
      response.statusCode = 500
      response.end(SECRET)
      response.end()
    },
    'writeHead wrapped by a plugin'(response) {
      const { writeHead } = response
      response.writeHead = ((...args: Parameters<typeof writeHead>) => {
        response.setHeader('X-Plugin', SECRET)
        return writeHead.apply(response, args)
      }) as typeof writeHead
      response.statusCode = 500
      response.end(SECRET)
    },
  }
  for (const [way, write] of Object.entries(ways))
    test(`${way}: the caller reads a problem document`, async () => {
      const answer = parseAnswer(await readAll((_request, response) => void write(response)))
      expectProblem(answer, 500)
      assert.equal(answer.reason, 'Internal Server Error')
      for (const name of Object.keys(OLD_BODY))
        if (!/^content-(?:type|length)$/i.test(name)) assert.deepEqual(valuesOf(answer, name), [], name)
    })

  test('what a caller needs on an error stays: Retry-After, Allow, WWW-Authenticate, cookies, Vary', async () => {
    const kept = {
      'Retry-After': '5',
      Allow: 'GET',
      'WWW-Authenticate': 'Bearer',
      'Set-Cookie': ['a=1', 'b=2'],
      Vary: 'Accept',
    }
    for (const form of ['table', 'object', 'flat'] as const) {
      const answer = parseAnswer(
        await readAll((_request, response) => {
          if (form === 'object') response.writeHead(503, kept)
          else if (form === 'flat') response.writeHead(503, Object.entries(kept).flat(1) as string[])
          else for (const [name, value] of Object.entries(kept)) response.setHeader(name, value)
          response.statusCode = 503
          response.end(SECRET)
        }),
      )
      expectProblem(answer, 503)
      assert.deepEqual(valuesOf(answer, 'Set-Cookie'), ['a=1', 'b=2'], form)
      assert.deepEqual(valuesOf(answer, 'Retry-After'), ['5'], form)
      assert.ok(valuesOf(answer, 'Vary').join().startsWith('Accept'), form)
    }
  })

  test('HEAD has the length of the problem document and no body', async () => {
    const read = await readAll(
      (_request, response) => response.writeHead(500).end(SECRET),
      'HEAD / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n',
    )
    const answer = parseAnswer(read)
    assert.equal(answer.rest, '')
    assert.ok(Number(valuesOf(answer, 'Content-Length').join()) > 50)
  })

  test('HEAD is survived where Node refuses bodies that may not be', async () => {
    const head = 'HEAD / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n'
    const options = { rejectNonStandardBodyWrites: true }
    expectHead(await readAll((_request, response) => response.writeHead(500).end(), head, options), 500)
    const refused = head.replace('HEAD /', 'HEAD /a/../b')
    const strict: PolicyDocument = { extends: 'api', request: { nonCanonical: 'refuse' } }
    const app = await listening(createServer(strict, undefined, options))
    expectHead(await send(app, refused), 400)
    await app.close()
  })

  test('an answer below 400, and an error under replaceBodies "none", pass as they are', async () => {
    const passed = await readAll((_request, response) => response.writeHead(200).end(SECRET))
    assert.equal(bodyOf(parseAnswer(passed)), SECRET)
    const app = await listening(
      createServer({ extends: 'api', errors: { replaceBodies: 'none' } }, (_request, response) => {
        response.writeHead(500, 'Own Words').end('own body')
      }),
    )
    const answer = parseAnswer(await send(app, 'GET / HTTP/1.0\r\n\r\n'))
    assert.equal(answer.reason, 'Own Words')
    assert.equal(answer.rest, 'own body')
    await app.close()
  })

  test('a head that was sent before the failure is not rewritten', async () => {
    const read = await readAll((_request, response) => {
      response.write('first ')
      response.statusCode = 500
      response.end('second')
    })
    assert.equal(bodyOf(parseAnswer(read)), 'first second')
  })

  test('callbacks are called, write asks for no pause, and the response finishes', async () => {
    const events: string[] = []
    await readAll((_request, response) => {
      response.on('finish', () => events.push('finish'))
      response.statusCode = 500
      events.push(String(response.write('x'.repeat(1_000_000), () => events.push('write'))))
      response.write('x', 'latin1', () => events.push('write with encoding'))
      events.push(String(isBodyReplaced(response)))
      response.end('x', () => events.push('end'))
    })
    assert.deepEqual(events.sort(), ['end', 'finish', 'true', 'true', 'write', 'write with encoding'])
  })

  test('a write after the end is an error as by Node', async () => {
    const codes: unknown[] = []
    await readAll((_request, response) => {
      response.on('error', (error: { code?: string }) => codes.push(error.code))
      response.statusCode = 500
      response.end()
      response.write(SECRET)
    })
    assert.deepEqual(codes, ['ERR_STREAM_WRITE_AFTER_END'])
  })

  test('a wrong chunk is refused as by Node, before a head is written', async () => {
    let thrown: { code?: string } = {}
    const read = await readAll((_request, response) => {
      response.statusCode = 500
      try {
        response.end(5 as never)
      } catch (error) {
        thrown = error as { code?: string }
      }
      assert.equal(response.headersSent, false)
      response.end()
    })
    assert.equal(thrown.code, 'ERR_INVALID_ARG_TYPE')
    expectProblem(parseAnswer(read), 500)
  })

  test('strictContentLength counts the problem document, not the application’s bytes', async () => {
    const read = await readAll((_request, response) => {
      response.strictContentLength = true
      response.writeHead(500, { 'Content-Length': '3' })
      response.write('longer than three')
      response.end()
    })
    expectProblem(parseAnswer(read), 500)
  })

  test('after each replaced answer the connection is in step', async () => {
    const requests = Object.keys(ways).map((_way, i) => `GET /${i} HTTP/1.1\r\nHost: a.example\r\n\r\n`)
    const last = 'GET /last HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n'
    let read = await readAll((request, response) => {
      if (request.url === '/last') return void response.end('last')
      Object.values(ways)[Number(request.url!.slice(1))]!(response)
    }, requests.join('') + last)
    for (const way of Object.keys(ways)) {
      const answer = parseAnswer(read)
      assert.equal(answer.status, 500, way)
      const body = bodyOf(answer)
      JSON.parse(body)
      read = answer.rest.slice(body.length)
    }
    assert.equal(bodyOf(parseAnswer(read)), 'last')
  })
})

function expectHead(read: string, status: number): void {
  const answer = parseAnswer(read)
  assert.equal(answer.status, status)
  assert.equal(answer.rest, '')
}
