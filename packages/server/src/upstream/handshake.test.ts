// Opening handshakes, right and wrong, on both sides. The vector is the one of RFC 6455, section 1.3.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Exchange } from 'sallyport/node'
import { acceptOf, clientHandshake, openingHead } from './handshake.ts'

const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='
const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo='

function asked(lines: readonly (readonly [string, string])[]): Exchange {
  const rawHeaders = lines.flat()
  const header = (name: string) => lines.find(([each]) => each.toLowerCase() === name)?.[1]
  return { incoming: { rawHeaders }, header } as unknown as Exchange
}

const GOOD = [
  ['Sec-WebSocket-Key', KEY],
  ['Sec-WebSocket-Version', '13'],
] as const

test('the accept of the standard', () => assert.equal(acceptOf(KEY), ACCEPT))

test('a handshake is read with what it offers', () => {
  const offered = clientHandshake(
    asked([
      ...GOOD,
      ['Sec-WebSocket-Protocol', 'chat, superchat'],
      ['sec-websocket-protocol', 'v2'],
      ['Sec-WebSocket-Extensions', 'permessage-deflate; client_max_window_bits, x-other'],
    ]),
  )
  assert.deepEqual(offered, {
    key: KEY,
    protocols: new Set(['chat', 'superchat', 'v2']),
    extensions: new Set(['permessage-deflate', 'x-other']),
  })
})

for (const [name, lines] of [
  ['no key', GOOD.slice(1)],
  ['a key of another length', [['Sec-WebSocket-Key', 'c2hvcnQ='], GOOD[1]]],
  ['a key with bits left over', [['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZR=='], GOOD[1]]],
  ['two keys', [...GOOD, ['sec-websocket-key', KEY]]],
  ['no version', GOOD.slice(0, 1)],
  ['an old version', [GOOD[0], ['Sec-WebSocket-Version', '8']]],
  ['two versions', [...GOOD, ['Sec-WebSocket-Version', '13']]],
  ['a body', [...GOOD, ['Content-Length', '5']]],
  ['a body in chunks', [...GOOD, ['Transfer-Encoding', 'chunked']]],
] as const)
  test(`${name}: no handshake`, () => {
    assert.equal(clientHandshake(asked(lines)), undefined)
  })

const OFFERED = { key: KEY, protocols: new Set(['chat']), extensions: new Set(['permessage-deflate']) }
const OPEN = {
  Upgrade: 'WebSocket',
  Connection: 'keep-alive, Upgrade',
  'Sec-WebSocket-Accept': ACCEPT,
} as const

for (const [name, changes, expected] of [
  ['a plain one', {}, undefined],
  [
    'what was offered',
    { 'Sec-WebSocket-Protocol': 'chat', 'Sec-WebSocket-Extensions': 'permessage-deflate; a=1' },
    undefined,
  ],
  ['another protocol', { Upgrade: 'h2c' }, 'upgrade'],
  ['several protocols', { Upgrade: 'websocket, h2c' }, 'upgrade'],
  ['no Connection: Upgrade', { Connection: 'keep-alive' }, 'connection'],
  ['a wrong accept', { 'Sec-WebSocket-Accept': 'AAAAAAAAAAAAAAAAAAAAAAAAAAA=' }, 'accept'],
  ['no accept', { 'Sec-WebSocket-Accept': '' }, 'accept'],
  ['a subprotocol that nobody offered', { 'Sec-WebSocket-Protocol': 'admin' }, 'protocol'],
  ['two subprotocols', { 'Sec-WebSocket-Protocol': 'chat, admin' }, 'protocol'],
  ['an extension that nobody offered', { 'Sec-WebSocket-Extensions': 'x-trace' }, 'extension'],
] as const)
  test(`an answer with ${name}: ${expected ?? 'opens'}`, () => {
    const head = openingHead(OFFERED, Object.entries({ ...OPEN, ...changes }).flat())
    assert.equal(typeof head === 'string' ? head : undefined, expected)
  })

test('of the head only what may pass goes to the client, each once', () => {
  const head = openingHead(OFFERED, [
    ...Object.entries(OPEN).flat(),
    ...[
      'Server',
      'x',
      'Set-Cookie',
      'a=1',
      'X-Accel-Redirect',
      '/x',
      'Content-Length',
      '9',
      'X-Bad',
      'a\u0001b',
    ],
    ...['Transfer-Encoding', 'chunked'],
  ])
  assert.deepEqual(head, [
    ...['Upgrade', 'websocket', 'Connection', 'Upgrade'],
    ...['Sec-WebSocket-Accept', ACCEPT, 'Set-Cookie', 'a=1'],
  ])
})
