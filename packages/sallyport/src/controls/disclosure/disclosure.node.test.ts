// End to end through node:http: what a reporter sees, under the policy's own headers.

import assert from 'node:assert/strict'
import { request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import { createServer } from '../../adapters/node/index.ts'
import type { PolicyDocument } from '../../guard/policy.ts'
import { parseSecurityTxt, valuesOf } from './security-txt.ts'

const KEY = '-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDMEZ\n-----END PGP PUBLIC KEY BLOCK-----'
const POLICY: PolicyDocument = {
  extends: 'recommended',
  disclosure: {
    securityTxt: {
      contact: ['mailto:security@example.com'],
      expires: '2027-01-31T00:00:00Z',
      canonical: ['https://api.example.com/.well-known/security.txt'],
      preferredLanguages: ['en', 'de'],
    },
    pgpKey: KEY,
    policyPage: {
      scope: ['<script>alert(1)</script> & "friends"'],
      outOfScope: ['Denial of service'],
      safeHarbour: 'Wir klagen nicht — versprochen.\n\nNever.',
      bounty: { currency: 'EUR', min: 100, max: 5000 },
    },
  },
}

interface Seen {
  readonly status: number
  readonly headers: NodeJS.Dict<string | string[]>
  readonly body: string
}

async function ask(t: TestContext, path: string, method = 'GET', policy = POLICY): Promise<Seen> {
  const server = createServer(policy, (_request, response) => response.end('the application'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return new Promise((resolve, reject) => {
    const outgoing = request({ port, host: '127.0.0.1', path, method, agent: false }, (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        body += chunk
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }))
    })
    outgoing.on('error', reject)
    outgoing.end()
  })
}

describe('vulnerability disclosure on a server', () => {
  it('D20 security.txt is served as RFC 9116 asks, with the key and the policy', async (t) => {
    const { status, headers, body } = await ask(t, '/.well-known/security.txt')
    assert.equal(status, 200)
    assert.equal(headers['content-type'], 'text/plain; charset=utf-8')
    const file = parseSecurityTxt(body)
    assert.deepEqual(valuesOf(file, 'Contact'), ['mailto:security@example.com'])
    assert.deepEqual(valuesOf(file, 'Expires'), ['2027-01-31T00:00:00Z'])
    assert.deepEqual(valuesOf(file, 'Preferred-Languages'), ['en, de'])
    assert.deepEqual(valuesOf(file, 'Encryption'), ['https://api.example.com/.well-known/pgp-key.txt'])
    assert.deepEqual(valuesOf(file, 'Policy'), [
      'https://api.example.com/.well-known/vulnerability-disclosure',
    ])
  })

  it('D20 the key stands where security.txt says', async (t) => {
    const { status, headers, body } = await ask(t, '/.well-known/pgp-key.txt')
    assert.deepEqual([status, headers['content-type'], body], [200, 'text/plain; charset=utf-8', `${KEY}\n`])
  })

  it('D20 the policy page names its bounty range', async (t) => {
    const { status, headers, body } = await ask(t, '/.well-known/vulnerability-disclosure')
    assert.equal(status, 200)
    assert.equal(headers['content-type'], 'text/html; charset=utf-8')
    assert.match(body, /EUR 100 to EUR 5,000/)
  })

  it('H22 the policy page names the address, no public issue, 24 hours, 72 hours and credit', async (t) => {
    const { body } = await ask(t, '/.well-known/vulnerability-disclosure')
    assert.match(body, /href="mailto:security@example\.com"/)
    assert.match(body, /do not open a public issue/)
    assert.match(body, /acknowledge your report within 24 hours/)
    assert.match(body, /fix a confirmed vulnerability within 72 hours/)
    assert.match(body, /credit you by name/)
  })

  it('the page is readable without styles and scripts, and what the policy says is escaped', async (t) => {
    const { headers, body } = await ask(t, '/.well-known/vulnerability-disclosure')
    assert.match(String(headers['content-security-policy']), /default-src 'none'/)
    assert.doesNotMatch(body, /<(?:script|style|link|img)\b|style=|\bon\w+=/)
    assert.match(body, /<li>&lt;script&gt;alert\(1\)&lt;\/script&gt; &amp; &quot;friends&quot;<\/li>/)
    assert.match(body, /<p>Wir klagen nicht — versprochen\.<\/p>\n<p>Never\.<\/p>/)
    assert.match(body, /^<!doctype html>\n<html lang="en">/)
  })

  it('the headers of the policy are on the pages', async (t) => {
    const { headers } = await ask(t, '/.well-known/security.txt')
    assert.equal(headers['x-content-type-options'], 'nosniff')
    assert.match(String(headers['x-request-id']), /^[0-9a-f]{32}$/)
  })

  it('HEAD has the same headers and no body', async (t) => {
    for (const path of ['/.well-known/security.txt', '/.well-known/vulnerability-disclosure']) {
      const get = await ask(t, path)
      const head = await ask(t, path, 'HEAD')
      assert.equal(head.status, 200)
      assert.equal(head.body, '')
      assert.equal(head.headers['content-length'], get.headers['content-length'])
      assert.equal(Number(get.headers['content-length']), Buffer.byteLength(get.body))
      assert.deepEqual(Object.keys(head.headers).sort(), Object.keys(get.headers).sort())
    }
  })

  it('the place before the RFC leads to the one of the RFC', async (t) => {
    const { status, headers } = await ask(t, '/security.txt')
    assert.deepEqual([status, headers.location], [301, '/.well-known/security.txt'])
  })

  it('every other path and method is the application’s', async (t) => {
    for (const [path, method] of [
      ['/.well-known/security.txt', 'POST'],
      ['/.well-known/security.txt/', 'GET'],
      ['/.well-known/other', 'GET'],
      ['/v1/security.txt', 'GET'],
    ] as const)
      assert.equal((await ask(t, path, method)).body, 'the application', `${method} ${path}`)
  })

  it('a query changes nothing', async (t) => {
    assert.match((await ask(t, '/.well-known/security.txt?x=1')).body, /^Contact: /)
  })

  it('without a setting nothing is served', async (t) => {
    for (const path of ['/.well-known/security.txt', '/security.txt'])
      assert.equal((await ask(t, path, 'GET', { extends: 'api' })).body, 'the application')
  })
})
