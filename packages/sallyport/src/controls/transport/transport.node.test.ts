// Plain HTTP and HSTS on real listeners, in clear and behind a declared front.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { listening } from '../../../test/kinds/listen.ts'
import { type Answer, bodyOf, parseAnswer, send, valuesOf } from '../../../test/kinds/wire.ts'
import { createServer } from '../../adapters/node/index.ts'
import { createGuard } from '../../guard/guard.ts'
import type { PolicyDocument } from '../../guard/policy.ts'
import { verdictNow } from '../../guard/services.ts'

const hsts = { maxAgeSeconds: 63_072_000, includeSubDomains: true, preload: true }
const VALUE = 'max-age=63072000; includeSubDomains; preload'

async function ask(policy: PolicyDocument, head: string, ...lines: string[]): Promise<Answer> {
  const app = await listening(createServer(policy, (_request, response) => response.end('content')))
  try {
    const host = lines.some((line) => /^host:/i.test(line)) ? [] : ['Host: api.example:8080']
    return parseAnswer(await send(app, [head, ...host, 'Connection: close', ...lines, '', ''].join('\r\n')))
  } finally {
    await app.close()
  }
}

const redirecting: PolicyDocument = { transport: { tls: 'here', plainHttp: 'redirect', hsts } }

function expectRefusal(answer: Answer): void {
  assert.equal(answer.status, 403)
  assert.equal(JSON.parse(bodyOf(answer)).code, 'https_required')
  assert.deepEqual(valuesOf(answer, 'Location'), [])
}

describe('plain HTTP at a listener that should speak TLS', () => {
  it('is refused, and says nothing else', async () => {
    const answer = await ask({ transport: { tls: 'here', hsts } }, 'GET / HTTP/1.1')
    expectRefusal(answer)
    // RFC 6797, section 7.2.
    assert.deepEqual(valuesOf(answer, 'Strict-Transport-Security'), [])
  })

  for (const method of ['GET', 'HEAD'])
    it(`${method} without credentials is redirected to the same host and path, where the policy says so`, async () => {
      const answer = await ask(redirecting, `${method} /a?b=//evil.example HTTP/1.1`)
      assert.equal(answer.status, 308)
      assert.deepEqual(valuesOf(answer, 'Location'), ['https://api.example/a?b=//evil.example'])
    })

  const refused: Readonly<Record<string, readonly [head: string, ...lines: string[]]>> = {
    'another method': ['DELETE /a HTTP/1.1'],
    'a bearer token': ['GET /a HTTP/1.1', 'Authorization: Bearer x'],
    'a cookie': ['GET /a HTTP/1.1', 'Cookie: a=b'],
    'an API key': ['GET /a HTTP/1.1', 'X-API-Key: k'],
    'a path that reads as a host': ['GET //evil.example/ HTTP/1.1'],
    'a backslash': ['GET /\\evil.example HTTP/1.1'],
  }
  for (const [name, [head, ...lines]] of Object.entries(refused))
    it(`${name} is refused even where others are redirected`, async () => {
      const answer = await ask(redirecting, head, ...lines)
      assert.deepEqual(valuesOf(answer, 'Location'), [])
      assert.ok(answer.status === 403 || answer.status === 400, String(answer.status))
    })

  for (const host of [
    'evil.example@api.example',
    'api.example/evil',
    '[::1]',
    'a b',
    '-x',
    `${'a'.repeat(300)}.example`,
  ])
    it(`leads nowhere for the host "${host.slice(0, 30)}"`, async () => {
      const answer = await ask(redirecting, 'GET / HTTP/1.1', `Host: ${host}`)
      assert.deepEqual(valuesOf(answer, 'Location'), [])
    })

  // Node's parser refuses such a target itself; other front ends may not.
  it('leads nowhere for a target that fits in no header line', () => {
    const guard = createGuard({ ...redirecting, request: { mode: 'off' } }, 'node')
    for (const [target, kind] of [
      ['/?q=a', 'answer'],
      ['/?q=\xff', 'deny'],
      ['/?q=\r\nSet-Cookie: a=b', 'deny'],
    ] as const) {
      const rawHeaders = ['Host', 'api.example']
      const exchange = guard.open({
        method: 'GET',
        target,
        httpVersion: '1.1',
        rawHeaders,
        header: (name) => (name === 'host' ? 'api.example' : undefined),
        peer: '192.0.2.1',
        encrypted: false,
      })
      assert.equal(verdictNow(guard.admit(exchange))?.kind, kind, target)
    }
  })

  it('a forwarded host of an undeclared proxy is not the target', async () => {
    const answer = await ask(
      redirecting,
      'GET /a HTTP/1.1',
      'X-Forwarded-Host: evil.example',
      'Forwarded: host=evil.example',
    )
    assert.deepEqual(valuesOf(answer, 'Location'), ['https://api.example/a'])
  })

  it('in report mode it is answered', async () => {
    const answer = await ask({ transport: { tls: 'here', mode: 'report' } }, 'GET / HTTP/1.1')
    assert.equal(answer.status, 200)
  })
})

describe('behind a front', () => {
  const front: PolicyDocument = {
    transport: { tls: 'in-front', plainHttp: 'redirect', hsts },
    client: { trustedProxies: ['loopback'] },
  }

  it('D1 HSTS stands on every answer', async () => {
    for (const head of ['GET / HTTP/1.1', 'GARBAGE'])
      assert.deepEqual(
        valuesOf(await ask(front, head, 'X-Forwarded-Proto: https'), 'Strict-Transport-Security'),
        [VALUE],
      )
  })

  it('what a declared proxy says came in clear is redirected or refused', async () => {
    const answer = await ask(front, 'GET /a HTTP/1.1', 'X-Forwarded-Proto: http')
    assert.deepEqual(valuesOf(answer, 'Location'), ['https://api.example/a'])
    expectRefusal(await ask(front, 'POST /a HTTP/1.1', 'Content-Length: 0', 'X-Forwarded-Proto: http'))
  })

  it('what nobody says anything of is answered', async () => {
    const { client: _client, ...alone } = front
    assert.equal((await ask(alone, 'GET / HTTP/1.1', 'X-Forwarded-Proto: http')).status, 200)
  })
})

it('a policy that sends no HSTS takes the application’s away', async () => {
  const app = await listening(
    createServer({ transport: { hsts: false } }, (_request, response) => {
      response.setHeader('Strict-Transport-Security', 'max-age=1')
      response.end()
    }),
  )
  try {
    const answer = parseAnswer(await send(app, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'))
    assert.deepEqual(valuesOf(answer, 'Strict-Transport-Security'), [])
  } finally {
    await app.close()
  }
})
