// `sallyport explain` at the command line.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { directory, run } from './command.ts'

const POLICY = {
  'sallyport.config.json': JSON.stringify({
    extends: 'recommended',
    routes: { '/v1/*': {}, '/v1/account/*': { cors: { origins: ['https://app.example.com'] } } },
  }),
}

test('explain tells the cell, the decisions, the lines and what another mode would change', async (context) => {
  const { code, out, err } = await run(context, directory(context, POLICY), [
    'explain',
    'PUT',
    '/v1/account/me',
    '--preflight',
    '--origin',
    'https://evil.example',
  ])
  assert.deepEqual([code, err], [0, ''])
  assert.match(out, /^OPTIONS \/v1\/account\/me, a preflight for PUT\n/)
  assert.match(out, /^Cell \/v1\/account\/\*: private data, credentials mixed$/m)
  assert.match(out, /^ {2}not \/v1\/\*: its segment 2 is "\*", and the word "account" is more specific$/m)
  assert.match(out, /^ {2}cors +REFUSES origin_not_allowed /m)
  assert.match(
    out,
    /cors\.origins = \["https:\/\/app\.example\.com"\] \(routes\["\/v1\/account\/\*"\]\.cors\.origins\)/,
  )
  assert.match(out, /^The guard answers: 403 origin_not_allowed, by cors$/m)
  assert.match(out, /^ {2}cors: \{ mode: "report" \}\n {6}the application’s own answer instead of 403/m)
})

test('explain counts nothing, and says so of limits', async (context) => {
  const limits = { addresses: { buckets: { requests: { limit: 100, windowSeconds: 60 } } } }
  const cwd = directory(context, {
    'sallyport.config.json': JSON.stringify({ extends: 'recommended', limits }),
  })
  const { out } = await run(context, cwd, ['explain', 'GET', '/v1/x'])
  assert.match(out, /^ {2}limits +passes +nothing is counted here: whoever is under the limits passes$/m)
})

test('explain --json is data, and no form of it tells a key or the value of a header', async (context) => {
  const cwd = directory(context, POLICY)
  const words = ['explain', 'get', '/v1/x', '--key', '@KEY', '--header', 'Cookie: session=s3cr3t']
  for (const form of [[], ['--json']]) {
    const { code, out, err } = await run(context, cwd, [...words, ...form], { KEY: 'sk_s3cr3t' })
    assert.equal(code, 0)
    assert.doesNotMatch(out + err, /s3cr3t/)
  }
  const { out } = await run(context, cwd, [...words, '--json'], { KEY: 'sk_s3cr3t' })
  const { format, request, steps } = JSON.parse(out)
  assert.equal(format, 'sallyport-explain/1')
  assert.deepEqual(request.headers, ['Host', 'Authorization', 'Cookie'])
  assert.ok(steps.length > 4)
})

const GATED = {
  'sallyport.config.json': JSON.stringify({
    extends: 'commerce',
    access: { tokens: [{ issuer: 'https://id.example', audience: 'api', jwks: 'https://id.example/keys' }] },
    routes: { 'GET /v1/orders/*': { access: { scopes: ['orders:read'] } } },
  }),
}

test('explain takes somebody to call: nobody, by scopes, by a role', async (context) => {
  const cwd = directory(context, GATED)
  const explained = async (...words: string[]) => {
    const { code, out, err } = await run(context, cwd, ['explain', 'GET', '/v1/orders/1', ...words])
    assert.deepEqual([code, err], [0, ''])
    return out
  }
  assert.match(await explained(), /^ {2}access +REFUSES unauthenticated /m)
  const short = await explained('--scopes', 'products:read')
  assert.match(short, /^ {2}WWW-Authenticate: Bearer error="insufficient_scope", scope="orders:read"$/m)
  assert.match(
    short,
    /access\.scopes = \["orders:read"\] \(routes\["GET \/v1\/orders\/\*"\]\.access\.scopes\)/,
  )
  assert.match(
    await explained('--scopes', 'orders:read,orders:write'),
    /^ {2}access +passes +the caller may: /m,
  )
  const stranger = await explained('--as', '{"role":"stranger","scopes":["orders:read"]}')
  assert.match(stranger, /^The guard answers: 403 insufficient_scope, by access$/m)
})

const refused: readonly (readonly [words: readonly string[], line: RegExp])[] = [
  [['GET'], /^METHOD PATH: name a request, such as /],
  [['G ET', '/'], /^METHOD: expected a method such as GET, received "G ET"$/],
  [['GET', '/a b'], /^PATH: expected a path as it is sent.*; escape other characters as %XX$/],
  [['GET', '/', '--preflight'], /^--preflight: only pages of other origins ask first; add --origin /],
  [['GET', '/', '--as', 'me'], /^--as: expected JSON; write --as '\{"organisation":"acme",/],
  [['GET', '/', '--as', '{"rol":"a"}'], /^--as\.rol: there is no setting "rol" here; did you mean "role"\?$/],
  [['GET', '/', '--status', '99'], /^--status: expected a status from 200 to 599, received "99"$/],
  [
    ['GET', '/', '--header', 'nonsense'],
    /^--header: expected a line such as .*, received one without ":"; write --header "Name: value"$/,
  ],
  [['GET', 'foo'], /^PATH: expected a path that begins with "\/", received "foo"; write "\/foo"$/],
  [['GET', '*'], /^PATH: expected a path that begins with "\/", received "\*"; write/],
  [
    ['GET', '/', '--key', '@NOWHERE'],
    /^--key: expected a key, or @NAME for one in the environment; set NOWHERE first$/,
  ],
  [['GET', '/', '--place', 'moon'], /^--place: expected gateway, node, fetch, received "moon"$/],
  [['GET', '/', '--policy', 'none.json'], /^none\.json: there is no such file/],
]

for (const [words, line] of refused)
  test(`explain ${words.join(' ')} ends with 2 and one line`, async (context) => {
    const { code, out, err } = await run(context, directory(context, POLICY), ['explain', ...words])
    assert.deepEqual([code, out], [2, ''])
    assert.match(err.replace(/^sallyport: /, '').trimEnd(), line)
  })

test('the page of the command shows what the command says', async (context) => {
  const page = readFileSync(new URL('../../../../docs/commands/explain.md', import.meta.url), 'utf8')
  const [, policy] = /```json\n([\s\S]*?)```/.exec(page)!
  const cwd = directory(context, { 'sallyport.config.json': policy! })
  const shown = [...page.matchAll(/```\n\$ sallyport (.*)\n\n([\s\S]*?)```/g)]
  assert.ok(shown.length > 0)
  for (const [, line, output] of shown) {
    const { out } = await run(context, cwd, line!.split(' '))
    assert.equal(out.trimEnd(), output!.trimEnd())
  }
})
