// Both heads as functions: of a request's facts, of the bytes of an answer.

import assert from 'node:assert/strict'
import { type IncomingMessage, ServerResponse } from 'node:http'
import { test } from 'node:test'
import * as fc from 'fast-check'
import type { Exchange } from 'sallyport/node'
import { runs } from '../../../sallyport/test/runs.ts'
import { nominatedNames, requestHead } from './request-head.ts'
import { MAX_HEADER_LINES, responseHead } from './response-head.ts'

const raw = (...lines: readonly (readonly [string, string])[]): Buffer[] =>
  lines.flatMap(([name, value]) => [Buffer.from(name, 'latin1'), Buffer.from(value, 'latin1')])

const FAULTS: readonly (readonly [fault: string, status: number, lines: Buffer[]])[] = [
  ['status', 99, []],
  ['status', 199, []],
  ['status', 600, []],
  ['status', Number.NaN, []],
  ['length-and-chunked', 200, raw(['Content-Length', '5'], ['Transfer-Encoding', 'chunked'])],
  ['transfer-encoding', 200, raw(['Transfer-Encoding', 'gzip, chunked'])],
  ['transfer-encoding', 200, raw(['Transfer-Encoding', 'chunked'], ['transfer-encoding', 'chunked'])],
  ['transfer-encoding', 200, raw(['Transfer-Encoding', 'chunked\t'])],
  ['transfer-encoding', 200, raw(['Transfer-Encoding', ''])],
  ['content-length', 200, raw(['Content-Length', '5'], ['content-length', '6'])],
  ['content-length', 200, raw(['Content-Length', '+5'])],
  ['content-length', 200, raw(['Content-Length', '5, 5'])],
  ['content-length', 200, raw(['Content-Length', ''])],
  ['content-length', 200, raw(['Content-Length', '9'.repeat(20)])],
  ['too-many-headers', 200, raw(...Array.from({ length: MAX_HEADER_LINES + 1 }, () => ['A', 'b'] as const))],
]

for (const [fault, status, lines] of FAULTS)
  test(`an answer's head is refused for its ${fault}: ${status} ${lines.slice(0, 4).join(' ')}`, () => {
    assert.equal(responseHead(status, lines), fault)
  })

test('the framing of an answer is written afresh', () => {
  const headersOf = (status: number, ...lines: (readonly [string, string])[]) => {
    const head = responseHead(status, raw(...lines))
    return typeof head === 'string' ? head : head.headers
  }
  assert.deepEqual(headersOf(200, ['content-length', '007']), ['Content-Length', '7'])
  assert.deepEqual(headersOf(200, ['content-length', '7'], ['CONTENT-LENGTH', '7']), ['Content-Length', '7'])
  assert.deepEqual(headersOf(204, ['Content-Length', '7']), [])
  assert.deepEqual(headersOf(200, ['Transfer-Encoding', 'Chunked']), [])
  assert.deepEqual(headersOf(200, ['X-A', '1'], ['Connection', 'x-a'], ['Connection', 'Close']), [])
  assert.deepEqual(headersOf(200, ['X-Bad', 'a\nb'], ['X Bad', '1'], ['X-Ok', 'Zo\xeb']), ['X-Ok', 'Zo\xeb'])
})

test('whatever an upstream sends, the head that passes is one that Node writes without a throw', () => {
  const text = fc.string({ unit: fc.nat(255).map((code) => String.fromCharCode(code)), maxLength: 12 })
  const name = fc.oneof(
    text,
    fc.constantFrom('Content-Length', 'Transfer-Encoding', 'Connection', 'Set-Cookie', 'Date'),
  )
  const value = fc.oneof(text, fc.constantFrom('chunked', '5', 'close, x'))
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 999 }),
      fc.array(fc.tuple(name, value), { maxLength: 6 }),
      (status, lines) => {
        const head = responseHead(status, raw(...lines))
        if (typeof head === 'string') return
        const response = new ServerResponse({
          method: 'GET',
          httpVersionMajor: 1,
          httpVersionMinor: 1,
        } as IncomingMessage)
        response.writeHead(status, head.headers)
      },
    ),
    runs(2_000),
  )
})

/** An exchange with these lines; facts that no test names are those of a direct caller. */
function exchangeWith(
  lines: readonly (readonly [string, string])[],
  facts: Partial<Exchange> = {},
): Exchange {
  const header = (name: string) => lines.find(([key]) => key.toLowerCase() === name)?.[1]
  return {
    client: { address: '192.0.2.1', scheme: 'https', host: 'api.example.com', viaProxy: false },
    requestId: '',
    traceparent: undefined,
    cookiesIgnored: false,
    upstreamLines: [],
    incoming: { rawHeaders: lines.flat() },
    header,
    ...facts,
  } as unknown as Exchange
}

const sent = (...of: Parameters<typeof exchangeWith>) => requestHead(exchangeWith(...of)).headers

const OWN = [
  'X-Forwarded-For',
  '192.0.2.1',
  'X-Forwarded-Proto',
  'https',
  'X-Forwarded-Host',
  'api.example.com',
]

test('D12 cookies that the exchange ignores are left out', () => {
  assert.deepEqual(sent([['Cookie', 'a=1']]), ['Cookie', 'a=1', ...OWN])
  assert.deepEqual(sent([['cOOkie', 'a=1']], { cookiesIgnored: true }), OWN)
})

test('a trace goes on only where a declared proxy began it', () => {
  const id = '4bf92f3577b34da6a3ce929d0e0e4736'
  const lines = [
    ['traceparent', `00-${id}-00f067aa0ba902b7-01`],
    ['tracestate', 'a=1'],
  ] as const
  const client = { address: undefined, scheme: 'unknown', host: undefined, viaProxy: true } as const
  const next = `00-${id}-b7ad6b7169203331-01`
  assert.deepEqual(sent(lines, { client, traceparent: next }), ['tracestate', 'a=1', 'Traceparent', next])
  const other = `00-${'1'.repeat(32)}-b7ad6b7169203331-01`
  assert.deepEqual(sent(lines, { client, traceparent: other }), ['Traceparent', other])
  assert.deepEqual(sent(lines, { traceparent: next }), [...OWN, 'Traceparent', next])
  assert.deepEqual(sent(lines), OWN)
})

test('a request id of the policy replaces a caller’s; without one the caller’s is the application’s business', () => {
  assert.deepEqual(sent([['x-request-id', 'mine']], { requestId: 'ours' }), [...OWN, 'X-Request-Id', 'ours'])
  assert.deepEqual(sent([['x-request-id', 'mine']]), ['x-request-id', 'mine', ...OWN])
})

test('the policy’s own lines stand in place of any of the same name', () => {
  assert.deepEqual(
    sent(
      [
        ['x-tenant', 'mine'],
        ['X-TENANT', 'mine too'],
        ['X-Tenants', 'another'],
      ],
      { upstreamLines: [['X-Tenant', 'ours']] },
    ),
    ['X-Tenants', 'another', ...OWN, 'X-Tenant', 'ours'],
  )
})

test('the framing of a request is told apart from its other lines', () => {
  const bodyOf = (...lines: (readonly [string, string])[]) => requestHead(exchangeWith(lines)).body
  assert.deepEqual(bodyOf(), { kind: 'none' })
  assert.deepEqual(bodyOf(['Content-Length', '12']), { kind: 'length', bytes: 12 })
  assert.deepEqual(bodyOf(['Transfer-Encoding', 'chunked']), { kind: 'chunked' })
  assert.deepEqual(sent([['content-length', '012']]), [...OWN, 'Content-Length', '12'])
})

test('a Connection header takes away what it names, but not the credential or the type', () => {
  assert.equal(nominatedNames(undefined), undefined)
  assert.equal(nominatedNames('close, Keep-Alive, , '), undefined)
  assert.deepEqual([...nominatedNames('X-Hop,close , x-other')!], ['x-hop', 'x-other'])
  assert.equal(nominatedNames('authorization, Cookie, content-type'), undefined)
})
