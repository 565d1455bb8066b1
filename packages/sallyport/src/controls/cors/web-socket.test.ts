// Which pages may open a WebSocket: the policy's flag, and the origins that CORS lists.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createGuard } from '../../guard/guard.ts'
import type { PolicyDocument } from '../../guard/policy.ts'
import { verdictNow } from '../../guard/services.ts'

const LISTED = 'https://app.example.com'

interface Asked {
  readonly policy?: PolicyDocument
  readonly target?: string
  readonly encrypted?: boolean
  readonly headers?: readonly (readonly [name: string, value: string])[]
}

function ask({ policy = {}, target = '/live', encrypted = true, headers = [] }: Asked) {
  const guard = createGuard(
    { request: { webSocket: true }, ...policy, transport: { tls: encrypted ? 'here' : 'in-front' } },
    'gateway',
  )
  const rawHeaders = [
    ['Host', 'api.example.com'],
    ['Connection', 'keep-alive, Upgrade'],
    ['Upgrade', 'websocket'],
    ...headers,
  ].flat()
  const exchange = guard.open({
    method: 'GET',
    target,
    httpVersion: '1.1',
    rawHeaders,
    header: (name) => rawHeaders.find((_, i) => i % 2 === 1 && rawHeaders[i - 1]!.toLowerCase() === name),
    peer: '192.0.2.1',
    encrypted,
  })
  const verdict = verdictNow(guard.admit(exchange))
  return {
    code: verdict?.kind === 'deny' ? verdict.code : undefined,
    webSocket: exchange.webSocket,
    cookiesIgnored: exchange.cookiesIgnored,
  }
}

const origin = (value: string) => [['Origin', value]] as const

for (const [name, asked, expected] of [
  ['a program without an origin', {}, undefined],
  ['a page of this host', { headers: origin('https://api.example.com') }, undefined],
  ['a page of this host in clear', { headers: origin('http://api.example.com') }, 'origin_not_allowed'],
  [
    'a page of this host in clear, where nobody knows how it came',
    { headers: origin('http://api.example.com'), encrypted: false },
    undefined,
  ],
  ['a page of another port', { headers: origin('https://api.example.com:8443') }, 'origin_not_allowed'],
  ['a page of another host', { headers: origin('https://evil.example') }, 'origin_not_allowed'],
  ['a page without an origin to speak of', { headers: origin('null') }, 'origin_not_allowed'],
  ['a look-alike', { headers: origin('https://api.example.com.evil.example') }, 'origin_not_allowed'],
  ['a listed origin', { policy: { cors: { origins: [LISTED] } }, headers: origin(LISTED) }, undefined],
  [
    'an origin that is not listed',
    {
      policy: { credentials: 'cookie', cors: { origins: [LISTED] } },
      headers: origin('https://evil.example'),
    },
    'origin_not_allowed',
  ],
  [
    'what the browser calls the same origin',
    { headers: [...origin('https://other.example'), ['Sec-Fetch-Site', 'same-origin'] as const] },
    undefined,
  ],
] as const satisfies readonly (readonly [string, Asked, string | undefined])[])
  test(`${name}: ${expected ?? 'let in'}`, () => {
    const seen = ask(asked)
    assert.equal(seen.code, expected)
    assert.equal(seen.webSocket, true)
  })

test('where everybody may call without cookies, everybody may open one without cookies', () => {
  const policy: PolicyDocument = { credentials: 'bearer', cors: { origins: [LISTED], bearer: 'any-origin' } }
  const seen = ask({ policy, headers: origin('https://evil.example') })
  assert.deepEqual(seen, { code: undefined, webSocket: true, cookiesIgnored: true })
})

test('nothing is a WebSocket where the policy does not say so, or two programs may read the path differently', () => {
  const policy: PolicyDocument = { request: { webSocket: false } }
  assert.equal(ask({ policy }).webSocket, false)
  assert.equal(ask({ policy: { request: {} } }).webSocket, false)
  const routes: PolicyDocument = {
    request: { nonCanonical: 'strict' },
    routes: { '/live': { request: { webSocket: true } } },
  }
  assert.equal(ask({ policy: routes }).webSocket, true)
  for (const target of ['/LIVE', '/live/', '/x/../live']) {
    const seen = ask({ policy: routes, target })
    assert.deepEqual([seen.code, seen.webSocket], [undefined, false], target)
  }
})

test('a foreign page is no affair of CORS where no WebSocket can open', () => {
  const policy: PolicyDocument = { request: {} }
  assert.equal(ask({ policy, headers: origin('https://evil.example') }).code, undefined)
})
