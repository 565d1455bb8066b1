// `request` at work: one table of requests, each with the code that it must meet.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { runs } from '../../../test/runs.ts'
import { catalogue, type ErrorCode } from '../../errors/catalogue.ts'
import type { Denial, Place } from '../../guard/control.ts'
import { createGuard } from '../../guard/guard.ts'
import type { RequestSetting } from './setting.ts'

interface Sent {
  readonly method?: string
  readonly target?: string
  readonly version?: string
  readonly headers?: readonly (readonly [string, string])[]
}

const HOST = ['Host', 'api.example.com'] as const

function judge(sent: Sent, setting: RequestSetting = {}, place: Place = 'node') {
  const guard = createGuard({ request: setting, routes: { '/v1/account/*': {}, '/v1/Upper': {} } }, place)
  const pairs = sent.headers ?? [HOST]
  const exchange = guard.open({
    method: sent.method ?? 'GET',
    target: sent.target ?? '/v1/account/42?x=1',
    httpVersion: sent.version ?? '1.1',
    rawHeaders: pairs.flat(),
    header: (name) => pairs.find(([key]) => key.toLowerCase() === name)?.[1],
    peer: '192.0.2.1',
    encrypted: true,
  })
  const verdict = guard.admit(exchange) as Denial | undefined
  return { code: verdict?.code, verdict, exchange, guard }
}

const withHost = (...headers: readonly (readonly [string, string])[]) => ({ headers: [HOST, ...headers] })
const post = (...headers: readonly (readonly [string, string])[]) => ({
  method: 'POST',
  ...withHost(...headers),
})
const host = (value: string): Sent => ({ headers: [['Host', value]] })
const filler = (count: number) => Array.from({ length: count }, (_, i) => [`x-${i}`, 'v'] as const)
const AUTHORITY = [':method', 'GET'] as const

const CASES: readonly (readonly [what: string, sent: Sent, code: ErrorCode | undefined])[] = [
  ['a usual request', {}, undefined],
  ['HTTP/1.0 without Host', { version: '1.0', headers: [] }, undefined],
  ['HTTP/0.9', { version: '0.9', headers: [] }, 'version_not_supported'],
  ['"HTTP/2.0" on a connection of HTTP/1', { version: '2.0' }, 'version_not_supported'],
  ['HTTP/1.2', { version: '1.2' }, 'version_not_supported'],
  ['an empty version', { version: '' }, 'version_not_supported'],
  ['real HTTP/2', { version: '2.0', headers: [AUTHORITY, [':authority', 'a.example']] }, undefined],
  [
    'HTTP/2 with a Host that differs',
    { version: '2.0', headers: [AUTHORITY, [':authority', 'a.example'], ['host', 'b.example']] },
    'host_invalid',
  ],
  [
    'HTTP/2 with Transfer-Encoding',
    { version: '2.0', headers: [AUTHORITY, [':authority', 'a'], ['transfer-encoding', 'chunked']] },
    'ambiguous_framing',
  ],
  [
    'HTTP/2 with cookie crumbs',
    { version: '2.0', headers: [AUTHORITY, [':authority', 'a'], ['cookie', 'a=1'], ['cookie', 'b=2']] },
    undefined,
  ],
  ['TRACE', { method: 'TRACE' }, 'method_not_allowed'],
  ['TRACK', { method: 'TRACK' }, 'method_not_allowed'],
  ['CONNECT', { method: 'CONNECT', target: 'a:443' }, 'method_not_allowed'],
  ['a method in small letters', { method: 'get' }, 'not_implemented'],
  ['a method of WebDAV', { method: 'PROPFIND' }, 'not_implemented'],
  ['no Host in HTTP/1.1', { headers: [] }, 'host_invalid'],
  ['two Host lines', withHost(['host', 'api.example.com']), 'host_invalid'],
  ['two Host lines in HTTP/1.0', { version: '1.0', ...withHost(['host', 'b']) }, 'host_invalid'],
  ['an empty Host', host(''), 'host_invalid'],
  ['a Host with a user name', host('user@api.example.com'), 'host_invalid'],
  ['a Host with a path', host('a/b'), 'host_invalid'],
  ['a Host with markup', host('<script>'), 'host_invalid'],
  ['a Host with a port too high', host('h:65536'), 'host_invalid'],
  ['a Host list', host('a, b'), 'host_invalid'],
  ['two Authorization lines', withHost(['Authorization', 'a'], ['AUTHORIZATION', 'a']), 'duplicate_header'],
  ['two Content-Type lines', withHost(['Content-Type', 'a'], ['content-type', 'a']), 'duplicate_header'],
  ['two Cookie lines', withHost(['Cookie', 'a=1'], ['Cookie', 'b=1']), 'duplicate_header'],
  ['two Origin lines', withHost(['Origin', 'a'], ['Origin', 'b']), 'duplicate_header'],
  [
    'two Content-Encoding lines',
    withHost(['Content-Encoding', 'gzip'], ['content-encoding', 'br']),
    'duplicate_header',
  ],
  [
    'two Sec-Fetch-Site lines',
    withHost(['sec-fetch-site', 'none'], ['sec-fetch-site', 'none']),
    'duplicate_header',
  ],
  ['two Accept lines', withHost(['Accept', 'a/b'], ['Accept', 'c/d']), undefined],
  [
    'Content-Length and chunked',
    post(['Content-Length', '3'], ['Transfer-Encoding', 'chunked']),
    'ambiguous_framing',
  ],
  [
    'two equal Content-Length lines',
    post(['Content-Length', '3'], ['Content-Length', '3']),
    'ambiguous_framing',
  ],
  ['a Content-Length list', post(['Content-Length', '3, 3']), 'ambiguous_framing'],
  ['a signed Content-Length', post(['Content-Length', '+3']), 'ambiguous_framing'],
  ['a Content-Length with a leading zero', post(['Content-Length', '03']), 'ambiguous_framing'],
  ['an empty Content-Length', post(['Content-Length', '']), 'ambiguous_framing'],
  ['a Content-Length of 16 digits', post(['Content-Length', '1000000000000000']), 'ambiguous_framing'],
  ['Content-Length 0', post(['Content-Length', '0']), undefined],
  ['chunked', post(['Transfer-Encoding', 'chunked']), undefined],
  ['Chunked with a capital', post(['transfer-encoding', 'Chunked']), undefined],
  ['gzip, chunked', post(['Transfer-Encoding', 'gzip, chunked']), 'ambiguous_framing'],
  ['identity', post(['Transfer-Encoding', 'identity']), 'ambiguous_framing'],
  [
    'chunked twice',
    post(['Transfer-Encoding', 'chunked'], ['Transfer-Encoding', 'chunked']),
    'ambiguous_framing',
  ],
  ['chunked in HTTP/1.0', { ...post(['Transfer-Encoding', 'chunked']), version: '1.0' }, 'ambiguous_framing'],
  ['Expect: 100-continue', post(['Expect', '100-Continue'], ['Content-Length', '1']), undefined],
  ['Expect with more', post(['Expect', 'y 100-continue']), 'expectation_failed'],
  [
    'Connection: keep-alive, Upgrade',
    withHost(['Connection', 'keep-alive, Upgrade'], ['Upgrade', 'websocket']),
    undefined,
  ],
  ['Connection: close, TE', withHost(['connection', 'close, TE,']), undefined],
  ['a nominated Authorization', withHost(['Connection', 'close, Authorization']), 'header_not_allowed'],
  [
    'a nominated header on a second line',
    withHost(['Connection', 'close'], ['Connection', 'Host']),
    'header_not_allowed',
  ],
  ['HTTP2-Settings', withHost(['HTTP2-Settings', 'AAMAAABk']), 'header_not_allowed'],
  [
    'an upgrade to h2c',
    withHost(['Connection', 'Upgrade'], ['Upgrade', 'websocket, H2C']),
    'header_not_allowed',
  ],
  ['absolute form', { target: 'http://api.example.com/v1/account?x=1' }, undefined],
  ['absolute form in other letters', { target: 'HTTP://API.example.com/v1/account' }, undefined],
  ['absolute form for another host', { target: 'http://evil.example/v1/account' }, 'target_invalid'],
  ['absolute form with a user name', { target: 'http://u@api.example.com/v1' }, 'target_invalid'],
  ['absolute form of another scheme', { target: 'ftp://api.example.com/v1' }, 'target_invalid'],
  ['absolute form without an authority', { target: 'http:///v1' }, 'target_invalid'],
  ['authority form', { target: 'api.example.com:443' }, 'target_invalid'],
  ['asterisk form with OPTIONS', { method: 'OPTIONS', target: '*' }, undefined],
  ['asterisk form with GET', { target: '*' }, 'target_invalid'],
  ['an empty target', { target: '' }, 'target_invalid'],
  ['a fragment', { target: '/v1#x' }, 'target_invalid'],
  ['a fragment after a query', { target: '/v1?a#x' }, 'target_invalid'],
  ['a space', { target: '/v1 x' }, 'target_invalid'],
  ['a raw non-ASCII path', { target: '/caf\u00e9' }, 'target_invalid'],
  ['a raw non-ASCII query', { target: '/v1?caf\u00e9' }, 'target_invalid'],
  ['a control character', { target: '/v1?a\u0001' }, 'target_invalid'],
  ['DEL', { target: '/v1?a\u007f' }, 'target_invalid'],
  ...[...'"<>\\`{}'].map(
    (char) => [`${char} in a path`, { target: `/v1/a${char}` }, 'target_invalid'] as const,
  ),
  ...[...'"<>'].map((char) => [`${char} in a query`, { target: `/v1?a=${char}` }, 'target_invalid'] as const),
  ...[..."|{}`^[]\\';:@,$*()!"].map(
    (char) => [`${char} in a query, as browsers send it`, { target: `/v1?a=${char}` }, undefined] as const,
  ),
  ['a bare % in a query, as browsers send it', { target: '/v1?q=100%' }, undefined],
  ['a target of 8192 bytes', { target: `/${'a'.repeat(8191)}` }, undefined],
  ['a target of 8193 bytes', { target: `/${'a'.repeat(8192)}` }, 'target_too_long'],
  ['100 header lines', withHost(...filler(99)), undefined],
  ['101 header lines', withHost(...filler(100)), 'headers_too_large'],
  ['a head of more than 16384 bytes', withHost(['x', 'a'.repeat(16_400)]), 'headers_too_large'],
]

describe('request', () => {
  for (const [what, sent, code] of CASES)
    test(`${what} ${code ? `meets ${code}` : 'passes'}`, () => {
      const { verdict } = judge(sent)
      assert.equal(verdict?.code, code)
      if (verdict) assert.equal(verdict.close, true)
    })

  test('H13 a body over the limit is refused by its declared length, and counted where it has none', () => {
    const setting = { maxBodyBytes: 10 }
    assert.equal(judge(post(['Content-Length', '11']), setting).code, 'body_too_large')
    const exact = judge(post(['Content-Length', '10']), setting)
    assert.deepEqual([exact.code, exact.exchange.bodyLimit], [undefined, undefined])
    assert.equal(judge(post(['Transfer-Encoding', 'chunked']), setting).exchange.bodyLimit, 10)
    assert.equal(
      judge({ ...post(), version: '2.0', headers: [AUTHORITY, ['host', 'a']] }, setting).exchange.bodyLimit,
      10,
    )
    assert.equal(judge({}, setting).exchange.bodyLimit, undefined)
    assert.equal(judge(post(['Transfer-Encoding', 'chunked'])).exchange.bodyLimit, undefined)
  })

  test('in report mode nothing is refused and no body is cut', () => {
    const { code, exchange, guard } = judge(
      { method: 'POST', headers: [HOST, HOST, ['Transfer-Encoding', 'chunked']] },
      { mode: 'report', maxBodyBytes: 1 },
    )
    assert.equal(code, undefined)
    assert.equal(exchange.bodyLimit, undefined)
    assert.deepEqual([...guard.wouldDo], [['SP-REQUEST-01 host_invalid /v1/account/*', 1]])
    assert.equal(
      judge(post(['Transfer-Encoding', 'chunked']), { mode: 'report', maxBodyBytes: 1 }).exchange.bodyLimit,
      undefined,
    )
  })

  test('a path that is not canonical is refused at the gateway, and meets the strict cell in an application', () => {
    const sent = { target: '/v1/../admin' }
    assert.equal(judge(sent, {}, 'gateway').code, 'path_not_canonical')
    assert.equal(judge(sent, {}, 'node').code, undefined)
    assert.equal(judge(sent, {}, 'node').exchange.cell.origin, 'strict')
    assert.equal(judge(sent, { nonCanonical: 'refuse' }, 'node').code, 'path_not_canonical')
    assert.equal(judge(sent, { nonCanonical: 'strict' }, 'gateway').code, undefined)
    for (const char of '|[]^')
      assert.equal(judge({ target: `/a${char}` }, {}, 'gateway').code, 'path_not_canonical')
  })

  test('a canonical path that a careless program takes for another route is refused before somebody else’s program', () => {
    for (const target of ['/v1/upper', '/v1/Upper/', '/V1/account/1']) {
      const { code, exchange } = judge({ target }, {}, 'gateway')
      assert.deepEqual([code, exchange.cell.origin], ['path_not_canonical', 'strict'])
      assert.equal(judge({ target }, {}, 'node').code, undefined)
    }
  })

  test('methods are added to the known ones, and stand in Allow', () => {
    const setting = { methods: ['PROPFIND'] }
    assert.equal(judge({ method: 'PROPFIND' }, setting).code, undefined)
    assert.deepEqual(judge({ method: 'TRACE' }, setting).verdict?.headers?.pairs, [
      ['Allow', 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, QUERY, PROPFIND'],
    ])
  })

  test('on a Fetch host, which hides the header lines, what can be known is judged', () => {
    const guard = createGuard({ request: { maxBodyBytes: 5 } }, 'fetch')
    const verdictOf = (method: string, target: string, length?: string) => {
      const exchange = guard.open({
        method,
        target,
        httpVersion: '',
        rawHeaders: [],
        header: (name) => (name === 'content-length' ? length : undefined),
        peer: undefined,
        encrypted: true,
      })
      return [(guard.admit(exchange) as Denial | undefined)?.code, exchange.bodyLimit]
    }
    assert.deepEqual(verdictOf('GET', '/x', '5'), [undefined, undefined])
    assert.deepEqual(verdictOf('POST', '/x'), [undefined, 5])
    assert.deepEqual(verdictOf('POST', '/x', '6'), ['body_too_large', undefined])
    assert.deepEqual(verdictOf('POST', '/x', '6x'), ['ambiguous_framing', undefined])
    assert.deepEqual(verdictOf('TRACE', '/x'), ['method_not_allowed', undefined])
    assert.deepEqual(verdictOf('GET', `/${'x'.repeat(9000)}`), ['target_too_long', undefined])
  })

  test('no input makes it throw', () => {
    const text = fc.oneof(
      fc.string(),
      fc.constantFrom('Host', 'connection', 'Upgrade', 'chunked', 'content-length', ':a'),
    )
    fc.assert(
      fc.property(
        fc.constantFrom('1.1', '1.0', '2.0', ''),
        text,
        text,
        fc.array(fc.tuple(text, text), { maxLength: 20 }),
        (version, method, target, headers) => {
          const { code } = judge({ version, method, target, headers })
          assert.ok(code === undefined || code in catalogue)
        },
      ),
      runs(300),
    )
  })
})
