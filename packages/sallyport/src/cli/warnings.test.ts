import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PolicyDocument } from '../guard/policy.ts'
import { resolvePolicy } from '../guard/resolve.ts'
import { policyNotes, policyWarnings } from './warnings.ts'

const warned = (policy: PolicyDocument, about: string) =>
  policyWarnings(resolvePolicy(policy), 0).filter((warning) => warning.startsWith(about))
const noted = (policy: PolicyDocument) => policyNotes(resolvePolicy(policy))

test('a policy that sends no security header is warned of once', () => {
  for (const policy of [
    {},
    { transport: { hsts: false } },
    { routes: { '/x': { data: 'public' } } },
  ] as const)
    assert.deepEqual(warned(policy, 'headers:'), [
      'headers: the policy sends no security header on any route; write extends: "recommended", or set some',
    ])
})

test('one header anywhere is enough', () => {
  for (const policy of [
    { extends: 'recommended' },
    { headers: { contentTypeOptions: 'nosniff' } },
    { transport: { hsts: { maxAgeSeconds: 60 } } },
    { routes: { '/x': { headers: { contentTypeOptions: 'nosniff' } } } },
  ] as const)
    assert.deepEqual(warned(policy, 'headers:'), [])
})

test('origins of development that may use cookies are warned of, each once', () => {
  const origins = [
    'http://localhost:3000',
    'http://*.localhost:8080',
    'http://127.0.0.1:5173',
    'http://[::1]:9',
  ]
  const policy: PolicyDocument = {
    cors: { origins: [...origins, 'https://app.example.com'] },
    routes: { '/x': { data: 'private' } },
  }
  assert.deepEqual(
    warned(policy, 'cors.origins:').map((warning) => warning.split(' ')[1]),
    origins,
  )
  assert.match(warned(policy, 'cors.origins:')[0]!, /it is for development/)
})

test('an origin under HTTPS and an open bearer class are not of development', () => {
  const policy: PolicyDocument = { cors: { origins: ['https://localhost:3000'], bearer: 'any-origin' } }
  assert.deepEqual(warned(policy, 'cors.origins:'), [])
})

test('HSTS for subdomains is noted once, and the preload list with it', () => {
  const hsts = { maxAgeSeconds: 63_072_000, includeSubDomains: true }
  const line = 'transport.hsts: every subdomain of the host must speak HTTPS'
  const routes = { '/x': { data: 'public' }, '/y': { data: 'asset' } } as const
  assert.deepEqual(noted({ transport: { hsts }, routes }), [line])
  assert.deepEqual(noted({ transport: { hsts: { ...hsts, preload: true } }, routes }), [
    `${line}, and the preload list of browsers is slow to leave`,
  ])
})

test('HSTS of the host alone, or not in force, needs no note', () => {
  const hsts = { maxAgeSeconds: 63_072_000, includeSubDomains: true }
  assert.deepEqual(noted({ transport: { hsts: { maxAgeSeconds: 60 } } }), [])
  assert.deepEqual(noted({ transport: { hsts, mode: 'off' } }), [])
  assert.deepEqual(noted({}), [])
})
