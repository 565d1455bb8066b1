// The files of hosts that take lists of headers: their rules, their order, and what is left out with the reason.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exportPolicy } from '../../src/export/index.ts'
import type { PolicyDocument } from '../../src/guard/policy.ts'

const POLICY: PolicyDocument = {
  extends: 'api',
  routes: {
    '/users/:id': { headers: { frameOptions: 'DENY' } },
    'POST /users': { headers: { frameOptions: 'DENY' } },
  },
}

test('Vercel and Next.js get the least specific rule first, so that the most specific stands', async () => {
  const [file] = (await exportPolicy(POLICY, 'vercel')).files
  const { headers } = JSON.parse(file!.text) as {
    headers: { source: string; headers: { key: string; value: string }[] }[]
  }
  assert.equal(headers[0]!.source, '/(.*)')
  const sources = headers.map(({ source }) => source)
  assert.ok(sources.includes('/v1/account/:rest*') && sources.includes('/users/:id'))
  assert.ok(!sources.includes('/users'), 'a route of POST is not for these hosts')
  const frame = headers
    .find(({ source }) => source === '/users/:id')!
    .headers.find(({ key }) => key === 'X-Frame-Options')
  assert.equal(frame!.value, 'DENY')
  const status = headers.find(({ source }) => source === '/v1/status')!
  assert.equal(
    status.headers.some(({ key }) => key === 'Cache-Control'),
    false,
    'it would stand on errors too',
  )
  assert.match(
    (await exportPolicy(POLICY, 'nextjs')).files[0]!.text,
    /export const headers = async \(\) => \[/,
  )
})

test('no name stands twice for a path on Netlify, and Cloudflare takes the broader rule’s line away first', async () => {
  const netlify = await exportPolicy(POLICY, 'netlify')
  assert.doesNotMatch(netlify.files[0]!.text, /DENY/)
  assert.ok(netlify.limits.some(({ what }) => what.includes('X-Frame-Options on /users/:id')))
  const cloudflare = (await exportPolicy(POLICY, 'cloudflare')).files[0]!.text
  assert.match(cloudflare, /^\/users\/:id\n {2}! X-Frame-Options\n {2}X-Frame-Options: DENY$/m)
})

test('hosts on which nothing was run say so', async () => {
  for (const platform of ['vercel', 'netlify'] as const)
    assert.ok((await exportPolicy(POLICY, platform)).limits.some(({ what }) => /was not run on/.test(what)))
})

test('a wildcard covers the bare path in _headers too', async () => {
  const { text } = (await exportPolicy(POLICY, 'netlify')).files[0]!
  assert.match(text, /^\/v1\/account\n {2}Cache-Control: no-store, private\n\n\/v1\/account\/\*\n/m)
})
