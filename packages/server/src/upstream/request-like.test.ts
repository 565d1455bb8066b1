// Bodies that could be taken for a request, and those that can't.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isRequestLike } from './request-like.ts'

const like = (text: string, isWhole = true) => isRequestLike(Buffer.from(text, 'latin1'), isWhole)

test('a request is like a request, however it is dressed up', () => {
  for (const text of [
    'GET / HTTP/1.1\r\n',
    '\r\nGET / HTTP/1.1\r\n',
    '\n\n\nPOST /x HTTP/1.0\n',
    'get\t/ HTTP/1.1\r\n',
    'X-Y ',
    'GET /',
    'a plain text',
  ])
    assert.equal(like(text), true, JSON.stringify(text))
})

test('data is not', () => {
  for (const text of [
    '',
    '{"a": 1}',
    '[1, 2]',
    '"a b"',
    '<a b="c"/>',
    'a=b&c=d e',
    '--boundary\r\nContent',
    '\u0000\u0001',
    'true',
    '12',
    ' GET / HTTP/1.1',
  ])
    assert.equal(like(text), false, JSON.stringify(text))
})

test('what is not decided yet is taken for one', () => {
  assert.equal(like('GE', false), true)
  assert.equal(like('\r\n', false), true)
  assert.equal(like('A'.repeat(200)), true)
  assert.equal(like('{', false), false)
})

test('whatever a strict parser would begin a request with is found', () => {
  const token = fc.stringMatching(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,20}$/)
  fc.assert(
    fc.property(fc.nat({ max: 5 }), token, fc.string(), (breaks, method, rest) => {
      assert.equal(like(`${'\r\n'.repeat(breaks)}${method} ${rest}`), true)
    }),
  )
})
