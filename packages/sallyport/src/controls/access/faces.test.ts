// How access stands on the page, and that its probes tell a guarded server from a bare one.

import assert from 'node:assert/strict'
import { createServer as createBare } from 'node:http'
import { test } from 'node:test'
import { listening } from '../../../test/kinds/listen.ts'
import { probesOf, prove } from '../../../test/probes/prove.ts'
import { createServer } from '../../adapters/node/index.ts'
import type { Control, Place, Section } from '../../guard/control.ts'
import { createGuard } from '../../guard/guard.ts'
import type { PolicyDocument } from '../../guard/policy.ts'
import { resolvedFor, resolvePolicy } from '../../guard/resolve.ts'
import { access } from './index.ts'
import type { AccessSetting } from './setting.ts'

const POLICY: PolicyDocument = {
  transport: { tls: 'in-front' },
  access: {
    catalogue: { scopes: { 'orders:read': 'Read orders.' }, roles: { admin: ['orders:read'] } },
    tokens: [{ service: true }],
    sessions: { cookie: '__Host-session' },
    identity: { audience: 'https://orders.internal' },
  },
  routes: {
    'GET /v1/orders': { credentials: 'bearer', access: { scopes: ['orders:read'], roles: ['admin'] } },
    'POST /v1/orders': {
      access: { anyScope: ['orders:read'], signIn: { maxAgeSeconds: 300, methods: ['otp'] } },
    },
    '/v1/browser': { credentials: 'cookie', access: { kinds: ['session'] } },
    '/v1/optional': { access: { authenticated: false } },
    '/v1/status': { credentials: 'none' },
  },
}

const control = access as unknown as Control<never>
const section = (policy: PolicyDocument, place: Place = 'gateway'): Section =>
  access.describe(resolvedFor<AccessSetting>(resolvePolicy(policy), access), place)
const valuesOf = ({ entries }: Section, name: string) =>
  entries.filter((each) => each.name === name).map(({ value, cells }) => [value, ...cells])

test('the page says who may call what', () => {
  assert.deepEqual(valuesOf(section(POLICY), 'Who may call'), [
    ['everybody', 'GET /.well-known/sallyport-identity-keys.json', '/v1/status'],
    ['whoever shows a valid credential, with orders:read, in the role admin', 'GET /v1/orders'],
    [
      'whoever shows a valid credential, with one of orders:read, signed in within 300 seconds, by otp',
      'POST /v1/orders',
    ],
    ['whoever shows a valid session', '/v1/browser'],
    ['everybody; a credential that is shown must be valid', '/v1/optional'],
    ['whoever shows a valid credential', '*', '!'],
  ])
  assert.deepEqual(valuesOf(section(POLICY), 'Scope orders:read'), [['Read orders.']])
  assert.deepEqual(valuesOf(section(POLICY), 'Role admin'), [['orders:read']])
})

test('the page says what is not set, and what can’t be done where it runs', () => {
  assert.deepEqual(valuesOf(section({}), 'Who may call'), [['not set']])
  assert.deepEqual(
    valuesOf(section({ ...POLICY, access: { ...POLICY.access, mode: 'off' } }), 'Who may call'),
    [['not set']],
  )
  const identity = 'Identity for the service behind'
  assert.equal(valuesOf(section(POLICY), identity).length, 1)
  assert.equal(valuesOf(section(POLICY, 'node'), identity).length, 0)
  assert.ok(section(POLICY, 'node').limits.some((limit) => limit.includes('by the gateway only')))
  assert.ok(section(POLICY).limits.some((limit) => limit.includes('give them one key')))
})

test('probes find nothing on a guarded server, and every claim missed on a bare one', async (t) => {
  const guard = createGuard(POLICY, 'node', {
    services: { tokens: { find: () => 'unknown' }, sessions: { find: () => 'unknown' } },
  })
  const guarded = await listening(createServer(guard, (_request, response) => response.end('{}')))
  const bare = await listening(createBare((_request, response) => response.end('{}')))
  t.after(() => Promise.all([guarded.close(), bare.close()]))
  const policy = resolvePolicy(POLICY)
  assert.deepEqual(await prove(guarded, control, policy), {})
  const ids = probesOf(control, policy).map(({ id }) => id)
  assert.deepEqual(ids, [
    'access/no-credential GET /v1/orders',
    'access/made-up-token GET /v1/orders',
    'access/made-up-token POST /v1/orders',
    'access/no-credential /v1/browser',
    'access/made-up-token /v1/optional',
    'access/no-credential *',
    'access/made-up-token *',
  ])
  assert.deepEqual(Object.keys(await prove(bare, control, policy)).sort(), [...ids].sort())
})

test('a server that refuses without a challenge, or tells an error where none was made, is found', async () => {
  const [first, second] = probesOf(control, resolvePolicy(POLICY))
  const seen = (challenge?: string) => ({
    status: 401,
    headers: challenge === undefined ? [] : ([['WWW-Authenticate', challenge]] as const),
    body: '',
    encrypted: true,
  })
  const found = (probe: typeof first, challenge?: string) =>
    probe!.expect(seen(challenge)).map(({ id }) => id)
  assert.deepEqual(found(first), ['drift.header-value'])
  assert.deepEqual(found(first, 'Basic'), ['drift.header-value'])
  assert.deepEqual(found(first, 'Bearer error="invalid_token"'), ['drift.header-value'])
  assert.deepEqual(found(first, 'Bearer realm="api"'), [])
  assert.deepEqual(found(second, 'Bearer'), ['drift.header-value'])
  assert.deepEqual(found(second, 'Bearer error="invalid_token"'), [])
})
