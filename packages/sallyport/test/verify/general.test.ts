// What is judged beside the policy: cookies as browsers keep them, and what the body of a success tells.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { localCertificate } from '../../../server/src/tls/local.ts'
import type { PolicyDocument } from '../../src/guard/policy.ts'
import { verificationJunit } from '../../src/posture/verify/junit.ts'
import type { Verification } from '../../src/posture/verify/result.ts'
import { verificationText } from '../../src/posture/verify/text.ts'
import { verify } from '../../src/posture/verify/verify.ts'
import { bare, type Handler, NOSNIFF, withTls } from './server.ts'

const GOOD = '__Host-session=1; Path=/; Secure; HttpOnly; SameSite=Strict'

function answering(cookies: readonly string[], body = '{}', type = 'application/json'): Handler {
  return (_request, response) => {
    response.setHeader('X-Content-Type-Options', 'nosniff')
    response.setHeader('Content-Type', type)
    if (cookies.length > 0) response.setHeader('Set-Cookie', cookies)
    response.end(body)
  }
}

async function overTls(context: TestContext, handler: Handler): Promise<Verification> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-general-'))
  context.after(() => rmSync(folder, { recursive: true, force: true }))
  const { key, cert, ca } = await localCertificate({ folder, clock: Date.now })
  const port = await withTls(context, { key, cert, minVersion: 'TLSv1.3' }, handler)
  return verify(NOSNIFF, { scheme: 'https', host: '127.0.0.1', port, ca })
}

const ids = ({ findings }: Verification) =>
  [...new Set(findings.filter(({ control }) => control === 'general').map(({ id }) => id))].sort()

describe('beside the policy, verify judges', () => {
  for (const [cookie, wanted] of [
    [GOOD, []],
    [GOOD.replace('; Secure', ''), ['cookie.no-secure', 'cookie.rejected']],
    [GOOD.replace('; HttpOnly', ''), ['cookie.no-httponly']],
    [GOOD.replace('; SameSite=Strict', ''), ['cookie.no-samesite']],
    [GOOD.replace('Strict', 'None'), ['cookie.samesite-none']],
    [GOOD.replace('__Host-', ''), ['cookie.no-prefix']],
    [`${GOOD}; Domain=shop.example`, ['cookie.broad-domain', 'cookie.rejected']],
    ['theme=dark; Path=/; Secure; SameSite=Lax', []],
    // Taken back: nothing of it is kept.
    ['session=; Path=/; Max-Age=0', []],
    ['session=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT', []],
  ] as const)
    it(`H18 the cookie ${cookie}: ${wanted.join(', ') || 'nothing'}`, async (context) => {
      const result = await overTls(context, answering([cookie]))
      assert.deepEqual(ids(result), wanted)
      assert.ok(
        result.findings.every(({ id, control }) => control === 'general' || !id.startsWith('cookie.')),
      )
    })

  for (const [what, body, isFound] of [
    ['a stack', '{"ok":true,"trace":"Error: x\\n    at run (/srv/app/routes.js:1:2)"}', true],
    ['a connection string', '{"db":"postgres://app:hunter2secret@db.internal/main"}', true],
    ['a private key', '{"pem":"-----BEGIN PRIVATE KEY-----\\nMIIEvQ"}', true],
    ['a secret key', '{"key":"sk_live_0123456789abcdefghij"}', true],
    [
      'a token that was asked for',
      '{"token":"eyJhbGciOiJFZDI1NTE5In0.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJlc2lnbmF0dXJl"}',
      false,
    ],
    ['a path and a table', '{"path":"/srv/app/x","note":"relation users"}', false],
  ] as const)
    it(`H20 a success that tells ${what}: ${isFound ? 'found' : 'nothing'}`, async (context) => {
      const result = await verify(NOSNIFF, await bare(context, answering([], body)))
      assert.deepEqual(ids(result), isFound ? ['leak.error-detail'] : [])
      const text = verificationText(result) + verificationJunit(result) + JSON.stringify(result)
      assert.doesNotMatch(text, /hunter2secret|0123456789abcdefghij|MIIEvQ/)
    })

  it('and counts it in a line of its own, which is no control', async (context) => {
    const result = await overTls(context, answering([GOOD]))
    const line = result.controls.find(({ name }) => name === 'general')
    assert.ok(line && line.of > 3 && line.passed === line.of)
    assert.equal(
      result.controls.reduce((sum, { of }) => sum + of, 0),
      result.of,
    )
    assert.match(
      verificationText(result),
      /^ {2}general +Cookies, and what headers and bodies of successes tell +\d+ of \d+$/m,
    )
  })
})

describe('of every answer, verify judges', () => {
  const OPEN: PolicyDocument = { ...NOSNIFF, headers: { mode: 'report' } }
  const withHeader =
    (name: string, value: string, when: (origin: string, accept: string) => boolean = () => true): Handler =>
    ({ headers }, response) => {
      response.setHeader('X-Content-Type-Options', 'nosniff')
      if (when(headers.origin ?? '', headers.accept ?? '')) response.setHeader(name, value)
      response.end('{}')
    }

  for (const [name, value, wanted] of [
    ['Server', 'nginx/1.18.0', 'leak.server-version'],
    ['X-Powered-By', 'PHP', 'leak.framework'],
    ['X-Debug-Query', '1', 'leak.debug-header'],
    ['Server-Timing', 'db;dur=53', 'leak.debug-header'],
    ['X-Error', 'SQLSTATE[42S22]: Column not found: 1054 Unknown column', 'leak.error-detail'],
  ] as const)
    it(`H18 the header ${name}: ${value}`, async (context) => {
      assert.deepEqual(ids(await verify(OPEN, await bare(context, withHeader(name, value)))), [wanted])
    })

  it('H18 what only a caller that asks for a page is told', async (context) => {
    const url = await bare(
      context,
      withHeader('X-Powered-By', 'PHP', (_origin, accept) => accept === 'text/html'),
    )
    assert.deepEqual(ids(await verify(OPEN, url)), ['leak.framework'])
    // Where the policy says that it takes no banner away, one is no surprise.
    assert.deepEqual(ids(await verify(NOSNIFF, url)), [])
  })

  for (const origin of ['http://localhost:3000', 'https://evil.com'])
    it(`H18 a grant to ${origin} alone`, async (context) => {
      const policy = { ...NOSNIFF, cors: { origins: ['https://app.example.com'] } }
      const url = await bare(
        context,
        withHeader('Access-Control-Allow-Origin', origin, (sent) => sent === origin),
      )
      const { findings } = await verify(policy, url)
      assert.ok(findings.some(({ detail }) => detail.includes(origin)))
    })

  it('H18 an identity that two answers share', async (context) => {
    const policy = { ...NOSNIFF, client: { requestId: {} } }
    const repeated = async (next: () => string) => {
      const url = await bare(context, (request, response) =>
        withHeader('X-Request-Id', next())(request, response),
      )
      const { findings } = await verify(policy, url)
      return findings.some(({ detail }) => detail.endsWith('on two answers'))
    }
    let count = 0
    assert.equal(await repeated(() => (count++).toString(16).padStart(32, '0')), false)
    assert.equal(await repeated(() => 'a'.repeat(32)), true)
  })
})
