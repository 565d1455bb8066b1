// What a reviewer reads: security.txt, the disclosure policy, and the description of the policy that runs.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { digest } from 'sallyport'
import { resolvedFor } from '../../packages/sallyport/src/guard/resolve.ts'
import { controls } from '../../packages/sallyport/src/posture/register.ts'
import { type Api, buildApi } from './app.ts'
import policy from './sallyport.config.ts'
import { type Answer, openStream, send } from './wire.ts'

let api: Api
let port: number
let member: string

before(async () => {
  api = buildApi()
  await api.app.listen({ host: '127.0.0.1', port: 0 })
  port = (api.app.server.address() as AddressInfo).port
  member = `Bearer ${api.accounts.issueToken('acct_1')}`
})

after(() => api.app.close())

test('D20 security.txt has the contact, the date, the key and the policy (RFC 9116)', async () => {
  const answer = await send(port, { path: '/.well-known/security.txt' })
  assert.equal(answer.status, 200)
  assert.equal(answer.get('Content-Type'), 'text/plain; charset=utf-8')
  const origin = 'https://api.driftstack.example'
  assert.deepEqual(answer.body.trimEnd().split('\n'), [
    'Contact: mailto:security@driftstack.example',
    'Expires: 2027-11-01T00:00:00Z',
    `Encryption: ${origin}/.well-known/pgp-key.txt`,
    'Preferred-Languages: en',
    `Canonical: ${origin}/.well-known/security.txt`,
    `Policy: ${origin}/.well-known/vulnerability-disclosure`,
  ])
})

test('D20 the key that security.txt names is one that programs can read', async () => {
  const answer = await send(port, { path: '/.well-known/pgp-key.txt' })
  assert.equal(answer.status, 200)
  const packets = armouredBytes(answer.body)
  // RFC 9580, section 4.2.1: a public-key packet (tag 6) stands first; version 4, EdDSA.
  assert.equal((packets[0]! >> 2) & 0x0f, 6)
  assert.equal(packets[2], 4)
})

// RFC 9580, section 6: base64 between the armour lines, a checksum last.
function armouredBytes(text: string): Buffer {
  const lines = text.trim().split(/\r?\n/)
  const body = lines.slice(lines.indexOf('') + 1, -1).filter((line) => !line.startsWith('='))
  return Buffer.from(body.join(''), 'base64')
}

test('D20 GnuPG reads the key, where it is installed', async (context) => {
  const home = mkdtempSync(join(tmpdir(), 'driftstack-key-'))
  context.after(() => rmSync(home, { recursive: true, force: true }))
  const { body } = await send(port, { path: '/.well-known/pgp-key.txt' })
  let shown: string
  try {
    shown = execFileSync('gpg', ['--homedir', home, '--batch', '--with-colons', '--show-keys'], {
      input: body,
      encoding: 'utf8',
      stdio: ['pipe', 'pipe', 'ignore'],
    })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    context.diagnostic('gpg is not installed; the packets were read above')
    return
  }
  assert.match(shown, /^uid:.*security@driftstack\.example/m)
})

test('D20 the disclosure policy is a page with its bounty range', async () => {
  const { status, body } = await send(port, { path: '/.well-known/vulnerability-disclosure' })
  assert.equal(status, 200)
  for (const words of ['100', '5,?000', 'EUR', 'security@driftstack\\.example', 'api\\.driftstack\\.example'])
    assert.match(body, new RegExp(words))
})

/** Lines that belong to a message, not to the policy. */
const OF_THE_MESSAGE = new Set([
  'date',
  'connection',
  'keep-alive',
  'content-length',
  'content-type',
  'transfer-encoding',
  'www-authenticate',
])

/** Lines whose value depends on who asks: the entry that describes them, and the words that it must hold. */
const IN_WORDS: Readonly<Record<string, readonly [entry: string, words: string]>> = {
  'access-control-allow-origin: https://dashboard.driftstack.example': [
    'Origins that may use cookies',
    'https://dashboard.driftstack.example',
  ],
  'access-control-allow-credentials: true': [
    'Origins that may use cookies',
    'https://dashboard.driftstack.example',
  ],
  'access-control-allow-origin: *': [
    'Every other origin',
    'Access-Control-Allow-Origin: *, never with credentials',
  ],
  'access-control-max-age: 600': ['Access-Control-Max-Age', '600 seconds'],
  'vary: Origin': ['Vary: Origin', 'on every answer'],
}

test('D21 the description of the policy that runs holds every header line that is seen on the wire', async () => {
  const entries = controls.flatMap(
    (control) => control.describe(resolvedFor(api.guard.policy, control), 'node').entries,
  )
  const isDescribed = (name: string, value: string): boolean => {
    const inWords = IN_WORDS[`${name}: ${value}`]
    if (inWords) return entries.some((entry) => entry.name === inWords[0] && entry.value.includes(inWords[1]))
    // Made anew for each answer.
    if (name === 'x-request-id')
      return entries.some((entry) => entry.value.startsWith('X-Request-Id on every answer'))
    return entries.some((entry) => entry.name.toLowerCase() === name && entry.value === value)
  }
  const seen = new Set<string>()
  const unexplained = new Set<string>()
  for (const answer of await everyKindOfAnswer())
    for (const [name, value] of answer.lines) {
      if (OF_THE_MESSAGE.has(name.toLowerCase())) continue
      seen.add(name.toLowerCase())
      if (!isDescribed(name.toLowerCase(), value)) unexplained.add(`${name}: ${value}`)
    }
  assert.deepEqual([...unexplained], [])
  assert.ok(seen.size >= 14, [...seen].join(' '))
})

async function everyKindOfAnswer(): Promise<readonly Answer[]> {
  const authorization = { Authorization: member }
  const dashboard = { Origin: 'https://dashboard.driftstack.example' }
  const preflight = { 'Access-Control-Request-Method': 'PATCH' }
  const stream = await openStream(port, { path: '/v1/status/stream' })
  stream.close()
  return [
    stream.head,
    await send(port, { path: '/v1/status' }),
    await send(port, { path: '/v1/account', headers: authorization }),
    await send(port, { path: '/v1/account' }),
    await send(port, { path: '/v1/account', headers: { ...authorization, ...dashboard } }),
    await send(port, { path: '/v1/account', headers: { ...authorization, Origin: 'https://x.example' } }),
    await send(port, { method: 'OPTIONS', path: '/v1/account', headers: { ...dashboard, ...preflight } }),
    await send(port, { path: '/nothing' }),
    await send(port, { path: '/v1//account' }),
  ]
}

test('D21 the digest names the policy that runs', async () => {
  const running = await digest(api.guard.policy.document)
  assert.match(running, /^sha256:[0-9a-f]{64}$/)
  const { resolvePolicy } = await import('sallyport')
  const of = async (document: typeof policy) => digest(resolvePolicy(document).document)
  assert.equal(await of(policy), running)
  assert.notEqual(await of({ ...policy, cors: { origins: ['https://other.example'] } }), running)
})

test('D21 the posture page that runs here says what answers carry, and has the digest of this policy', async () => {
  const page = await send(port, { path: '/.well-known/posture' })
  assert.equal(page.status, 200)
  assert.ok(page.body.includes(await digest(api.guard.policy.document)))
  const answer = await send(port, { path: '/v1/status' })
  for (const name of [
    'Strict-Transport-Security',
    'X-Frame-Options',
    'Referrer-Policy',
    'X-DNS-Prefetch-Control',
  ])
    assert.ok(page.body.includes(`<code>${answer.get(name)}</code>`), name)
})
