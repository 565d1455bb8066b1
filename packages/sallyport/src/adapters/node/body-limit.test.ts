// Bodies over the limit: refused with a whole answer, also where the caller goes on sending.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import { connect } from 'node:net'
import { describe, test } from 'node:test'
import { isGuarded, LAST, withServer } from '../../../test/kinds/connection.ts'
import { answersOf, bodyOf, parseAnswer, send } from '../../../test/kinds/wire.ts'

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
