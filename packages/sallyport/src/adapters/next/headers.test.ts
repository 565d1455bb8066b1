import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PolicyDocument } from '../../guard/policy.ts'
import { PolicyError } from '../../policy/problem.ts'
import { type NextConfigShape, withSallyport } from './index.ts'

const BUILD = 'phase-production-build'
const context = { defaultConfig: {} }

/** The configuration of a build. */
function configure(config: NextConfigShape, policy: PolicyDocument): Promise<NextConfigShape> {
  return withSallyport<NextConfigShape>(config, policy)(BUILD, context)
}

test('C6 the payments preset lists its five headers for every path, and nothing else', async () => {
  const config = await configure({}, { extends: 'payments' })
  assert.deepEqual(await config.headers?.(), [
    {
      source: '/(.*)',
      headers: [
        { key: 'X-Content-Type-Options', value: 'nosniff' },
        { key: 'X-Frame-Options', value: 'DENY' },
        { key: 'Referrer-Policy', value: 'strict-origin-when-cross-origin' },
        { key: 'Permissions-Policy', value: 'camera=(), microphone=(), geolocation=()' },
        { key: 'Strict-Transport-Security', value: 'max-age=63072000; includeSubDomains; preload' },
      ],
    },
  ])
})

test('routes stand from the broadest to the most specific, since the last entry wins in Next', async () => {
  const config = await configure(
    {},
    {
      extends: 'payments',
      routes: {
        '/v1/accounts/:id/limits': { headers: { frameOptions: 'SAMEORIGIN' } },
        '/v1/accounts/closed': { headers: { frameOptions: 'SAMEORIGIN' } },
        '/v1/accounts/:id': { headers: { frameOptions: 'SAMEORIGIN' } },
        '/v1/*': { headers: { frameOptions: 'SAMEORIGIN' } },
        '/v1/accounts': { headers: { frameOptions: 'SAMEORIGIN' } },
        '/*': { headers: { frameOptions: 'SAMEORIGIN' } },
        'POST /v1/accounts': { headers: { frameOptions: 'SAMEORIGIN' } },
        '/files/a+b': { headers: { frameOptions: 'SAMEORIGIN' } },
      },
    },
  )
  const sources = (await config.headers?.())?.map(({ source }) => source)
  assert.deepEqual(sources, [
    '/(.*)',
    '/(.*)',
    '/v1{/(.*)}?',
    '/v1/accounts/([^/]+)/limits',
    '/v1/accounts/([^/]+)',
    '/v1/accounts/closed',
    '/v1/accounts',
    '/files/a\\+b',
  ])
})

test('the app’s own entries stand first, without the names that the policy owns everywhere', async () => {
  const own = [
    {
      source: '/legacy',
      headers: [
        { key: 'x-frame-options', value: 'ALLOWALL' },
        { key: 'X-Mine', value: 'kept' },
      ],
      has: [{ type: 'header', key: 'x-a' }],
    },
    { source: '/only-owned', headers: [{ key: 'Strict-Transport-Security', value: 'max-age=0' }] },
  ]
  const config = await configure({ headers: async () => own }, { extends: 'payments' })
  const [first, second, ...rest] = (await config.headers?.()) ?? []
  assert.deepEqual(first, {
    source: '/legacy',
    headers: [{ key: 'X-Mine', value: 'kept' }],
    has: [{ type: 'header', key: 'x-a' }],
  })
  assert.equal(second?.source, '/(.*)')
  assert.deepEqual(rest, [])
})

test('a base path and locales are not put before the policy’s sources', async () => {
  const nested = { basePath: '/pay', i18n: { locales: ['en'] } }
  const config = await configure(nested, { extends: 'payments' })
  const [entry] = (await config.headers?.()) ?? []
  assert.deepEqual([entry?.source, entry?.basePath, entry?.locale], ['/(.*)', false, false])
})

test('a configuration that is a function is asked with the same phase', async () => {
  const seen: unknown[] = []
  const config = await withSallyport(
    async (phase: string, given: typeof context) => {
      seen.push(phase, given)
      return { basePath: '/pay' }
    },
    { extends: 'payments' },
  )(BUILD, context)
  assert.deepEqual(seen, [BUILD, context])
  assert.equal(config.basePath, '/pay')
})

test('X-Powered-By is switched off where the policy takes it away', async () => {
  const config = await configure({ poweredByHeader: true }, { extends: 'recommended' })
  assert.equal(config.poweredByHeader, false)
})

test('a wrong policy fails when the configuration is loaded', () => {
  assert.throws(() => withSallyport({}, { extends: 'paymnts' as 'payments' }), PolicyError)
})

test('a build needs none of what the running server looks things up in', async () => {
  const config = await configure({}, { extends: 'payments', access: { tokens: [{ service: true }] } })
  assert.ok((await config.headers?.())!.length > 0)
})
