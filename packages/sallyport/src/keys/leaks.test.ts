import assert from 'node:assert/strict'
import { generateKeyPairSync, sign } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { keyFormat } from './format.ts'
import { isSignedByGithub, KEY_LEAKS_MAX_BYTES, leakReports, readLeaks } from './leaks.ts'

const format = keyFormat('acme')
const newKey = () =>
  format.make({ kind: 'secret', environment: 'live' }, (bytes) =>
    crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>),
  )
const bytes = (value: unknown) =>
  new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value))
const nothing = () => undefined

function world() {
  const seen: string[] = []
  const reports = leakReports({ exposed: async (key, source) => void seen.push(`${key} ${source}`) })
  return { seen, reports }
}

test('a leaked key is told of, whoever reports it, and the answer says nothing', async () => {
  const { seen, reports } = world()
  const [first, second] = [newKey(), newKey()]
  const url = 'https://git.example/a/b.env'
  const all: readonly unknown[] = [
    [
      { token: first, type: 'acme', url, source: 'content' },
      { token: first, type: 'acme', url },
      { token: 'ghp_other', url },
    ],
    { token: second, url: `${url}?key=${second}#x` },
    'no json',
    [],
    null,
    [null, 5, { token: 5 }, { url }],
    { token: `sk_${'a'.repeat(1_000)}` },
  ]
  for (const report of all) assert.equal(await reports.take(bytes(report), nothing), 202)
  assert.deepEqual(seen, [`${first} report ${url}`, `${second} report ${url}`])
})

test('a hundred keys of a batch are read, and a report has a bound', () => {
  assert.equal(readLeaks(bytes(Array.from({ length: 150 }, () => ({ token: newKey() })))).length, 100)
  assert.deepEqual(readLeaks(new Uint8Array(KEY_LEAKS_MAX_BYTES + 1)), [])
  assert.deepEqual(readLeaks(new Uint8Array([0xff, 0xfe])), [])
})

test('any report is read without a throw', () => {
  fc.assert(
    fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
      for (const { key, url } of readLeaks(bytes(text))) assert.ok(key.length <= 128 && url.length <= 200)
    }),
  )
})

test('while too many wait, more are not taken', async () => {
  let free = () => {}
  const held = new Promise<void>((resolve) => {
    free = resolve
  })
  const reports = leakReports({ exposed: () => held })
  const batch = () => bytes(Array.from({ length: 100 }, () => ({ token: newKey() })))
  const taken = Array.from({ length: 10 }, () => reports.take(batch(), nothing))
  assert.equal(await reports.take(batch(), nothing), 503)
  free()
  assert.deepEqual(await Promise.all(taken), new Array(10).fill(202))
  assert.equal(await reports.take(batch(), nothing), 202)
})

// The example of the documentation of GitHub's secret scanning partner programme.
const GITHUB_ID = '90a421169f0a406205f1563a953312f0be898d3c7b6c06b681aa86a874555f4a'
const GITHUB_KEY = `-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE9MJJHnMfn2+H4xL4YaPDA4RpJqUq
kCmRCBnYERxZanmcpzQSXs1X/AljlKkbJ8qpVIW4clayyef9gWhFbNHWAA==
-----END PUBLIC KEY-----`
const GITHUB_SIGNATURE =
  'MEUCIQDKZokqnCjrRtw0tni+2Ltvl/uiMJ1EGumEsp1BsNr32AIgQY1YXD2nlj+XNfGK4rBfkMJ1JDOQcYXxa2sY8FNkrKc='
const GITHUB_BODY = '[{"token":"some_token","type":"some_type","url":"some_url"}]'

test('GitHub is named as the source where its signature is right, and only there', async () => {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const githubKeys = {
    ours: pair.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    broken: 'no key',
    [GITHUB_ID]: GITHUB_KEY,
  }
  const headers = (identifier: string, signature: string) => (name: string) =>
    ({ 'github-public-key-identifier': identifier, 'github-public-key-signature': signature })[name]
  for (let round = 0; round < 50; round++) {
    const { seen, reports } = world()
    const key = newKey()
    const body = bytes([{ token: key, url: 'https://github.com/a/b' }])
    const signature = sign('sha256', body, pair.privateKey).toString('base64')
    await reports.take(body, headers('ours', signature), githubKeys)
    assert.deepEqual(seen, [`${key} github https://github.com/a/b`])
    for (const wrong of [
      headers('ours', signature.slice(0, -8)),
      headers('ours', ''),
      headers('ours', '!'),
      headers('broken', signature),
      headers('another', signature),
      headers(GITHUB_ID, signature),
      headers('ours', GITHUB_SIGNATURE),
      nothing,
    ])
      await reports.take(body, wrong, githubKeys)
    assert.deepEqual(new Set(seen.slice(1)), new Set([`${key} report https://github.com/a/b`]))
  }
})

test('the published example verifies', async () => {
  const headers = (name: string) =>
    ({ 'github-public-key-identifier': GITHUB_ID, 'github-public-key-signature': GITHUB_SIGNATURE })[name]
  assert.equal(await isSignedByGithub(bytes(GITHUB_BODY), headers, { [GITHUB_ID]: GITHUB_KEY }), true)
  assert.equal(await isSignedByGithub(bytes(`${GITHUB_BODY} `), headers, { [GITHUB_ID]: GITHUB_KEY }), false)
})
