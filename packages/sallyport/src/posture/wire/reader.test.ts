// Answers, whole and broken, read in one piece and byte by byte.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { createReader } from './reader.ts'

const LIMIT = 1_000

function read(text: string, { method = 'GET', pieces = [text.length], ends = true } = {}) {
  const reader = createReader(method, LIMIT)
  const bytes = Buffer.from(text, 'latin1')
  let at = 0
  for (const size of [...pieces, bytes.length]) {
    if (at < bytes.length) reader.push(bytes.subarray(at, at + Math.max(1, size)))
    at += Math.max(1, size)
  }
  if (ends) reader.end()
  return {
    status: reader.head?.status,
    headers: reader.head?.headers,
    faults: reader.head?.faults,
    body: reader.body().toString('latin1'),
    state: reader.bodyState,
    interim: reader.interim,
    strange: reader.strange,
    trailers: reader.trailers,
    done: reader.isDone,
  }
}

const OK = 'HTTP/1.1 200 OK\r\n'

describe('an answer', () => {
  it('keeps every line in order and as sent', () => {
    const { headers } = read(`${OK}A: 1\r\na:2\r\nX-Empty:\r\nB: \t x y \r\n\r\n`)
    assert.deepEqual(headers, [
      ['A', '1'],
      ['a', '2'],
      ['X-Empty', ''],
      ['B', 'x y'],
    ])
  })

  it('names what is no header line', () => {
    const { headers, faults } = read(`${OK}Good: 1\r\n folded\r\nnonsense\r\nBad : 2\r\n\r\n`)
    assert.deepEqual(headers, [
      ['Good', '1 folded'],
      ['Bad', '2'],
    ])
    assert.equal(faults!.length, 3)
  })

  const bodies: readonly (readonly [
    name: string,
    text: string,
    body: string,
    state: string,
    method?: string,
  ])[] = [
    ['by its length', `${OK}Content-Length: 2\r\n\r\nhi and more`, 'hi', 'whole'],
    ['cut before its length', `${OK}Content-Length: 9\r\n\r\nhi`, 'hi', 'cut'],
    ['of no length, to the end', `${OK}\r\nhi`, 'hi', 'whole'],
    ['of length 0', `${OK}Content-Length: 0\r\n\r\nnext`, '', 'whole'],
    ['of two equal lengths', `${OK}Content-Length: 2\r\nContent-Length: 2\r\n\r\nhi`, 'hi', 'whole'],
    ['of two lengths', `${OK}Content-Length: 2\r\nContent-Length: 3\r\n\r\nhi`, '', 'broken'],
    ['of a length that is no number', `${OK}Content-Length: -2\r\n\r\nhi`, '', 'broken'],
    [
      'in chunks',
      `${OK}Transfer-Encoding: chunked\r\n\r\n2;x=y\r\nhi\r\n3\r\n wo\r\n0\r\n\r\n`,
      'hi wo',
      'whole',
    ],
    ['in chunks that stop', `${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nhel`, 'hel', 'cut'],
    ['in chunks of no size', `${OK}Transfer-Encoding: chunked\r\n\r\nzz\r\nhi\r\n`, '', 'broken'],
    [
      'in chunks without their end',
      `${OK}Transfer-Encoding: chunked\r\n\r\n2\r\nhixx\r\n0\r\n\r\n`,
      'hi',
      'broken',
    ],
    ['to HEAD', `${OK}Content-Length: 2\r\n\r\nhi`, '', 'none', 'HEAD'],
    ['to CONNECT', `${OK}\r\nhi`, '', 'none', 'CONNECT'],
    ['of 204', 'HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nhi', '', 'none'],
    ['of 304', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\n', '', 'none'],
    ['longer than is kept', `${OK}\r\n${'x'.repeat(LIMIT + 1)}`, 'x'.repeat(LIMIT), 'too-long'],
    [
      'of events',
      `${OK}Content-Type: text/event-stream\r\n\r\ndata: 1\n\ndata: 2`,
      'data: 1\n\ndata: 2',
      'stream',
    ],
  ]
  for (const [name, text, body, state, method] of bodies)
    it(`has a body ${name}`, () => {
      const found = read(text, { method: method ?? 'GET' })
      assert.deepEqual([found.body, found.state], [body, state])
    })

  it('may come after interim answers, and has trailers', () => {
    const found = read(
      `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n${OK}Transfer-Encoding: chunked\r\n\r\n0\r\nX-Last: 1\r\n\r\n`,
    )
    assert.deepEqual([found.status, found.interim, found.trailers], [200, [100, 103], ['X-Last: 1']])
  })

  it('is none where it is no HTTP', () => {
    for (const text of [
      'SSH-2.0-x\r\n',
      'HTTP/1.1 2000 OK\r\n\r\n',
      'HTTP/1.1 abc\r\n\r\n',
      '\x15\x03\x01\x00\x02\x02',
    ])
      assert.deepEqual([read(text).status, read(text).strange], [undefined, text], text)
    assert.equal(read('HTTP/1.1 200 O').status, undefined)
    assert.equal(read('').strange, undefined)
    const endless = 'HTTP/1.1 103 x\r\n\r\n'.repeat(30)
    assert.equal(read(endless).status, undefined)
  })

  it('is read the same in whatever pieces it comes', () => {
    const texts = bodies.filter(([, , , state]) => state !== 'stream')
    fc.assert(
      fc.property(
        fc.constantFrom(...texts),
        fc.array(fc.integer({ min: 1, max: 30 })),
        ([, text, , , method], pieces) => {
          const options = { method: method ?? 'GET' }
          assert.deepEqual(read(text, { ...options, pieces }), read(text, options))
        },
      ),
    )
  })

  it('never makes the reader throw', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        'HTTP/1.1 200 OK',
        '\r\n',
        '\n',
        ': ',
        'Content-Length',
        'Transfer-Encoding: chunked',
        '0',
        'a\r\n',
      ),
      fc.string({ unit: 'binary', maxLength: 20 }),
    )
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 40 }),
        fc.array(fc.integer({ min: 1, max: 9 })),
        (parts, pieces) => {
          const found = read(parts.join(''), { pieces })
          assert.equal(found.done, true)
        },
      ),
    )
  })
})
