// What somebody makes never reaches further than he does, for any caller and any wish: held against a second telling of
// what "further" is.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Principal } from '../../../guard/principal.ts'
import { parseAddress } from '../../../policy/address.ts'
import { cidrSet, parseCidr } from '../../../policy/cidr.ts'
import type { ManagedKey } from '../../../ports/key-administrator.ts'
import { beyond, boundsOf, granted, mayRead, mayWrite } from './rights.ts'
import type { KeyWish } from './wish.ts'

const NOW = 1_800_000_000_000
const LATEST = NOW + 365 * 86_400_000
const SERVICE = { readScope: 'settings:read', writeScope: 'settings:write', roles: ['admin'] }

const some = <T>(shape: { [K in keyof T]: fc.Arbitrary<T[K]> }) => fc.record(shape, { requiredKeys: [] })
const scopes = fc.subarray(['settings:read', 'settings:write', 'orders:read', 'orders:write'])
const networks = fc.uniqueArray(
  fc.constantFrom('10.0.0.0/8', '10.1.0.0/16', '10.1.2.3', '10.0.0.0/9', '0.0.0.0/0', '2001:db8::/32'),
  { maxLength: 3 },
)
const plan = fc.constantFrom('free', 'pro')
const store = fc.constantFrom('north', 'south')
const environment = fc.constantFrom('live', 'test')
const moment = fc.integer({ min: NOW + 1, max: LATEST + 86_400_000 })

const caller = fc
  .record({
    kind: fc.constantFrom('key', 'token', 'session'),
    scopes,
    recorded: scopes,
    facts: some({ plan, store, role: fc.constantFrom('admin', 'member') }),
    own: some({ plan, expiresAt: moment }),
    networks,
    environment,
  })
  .map(({ kind, scopes: held, recorded, facts, own, networks: from, environment: world }) => {
    const principal: Principal = {
      organisation: 'acme',
      ...(facts as Partial<Principal>),
      credential: { kind, id: 'own', ...(kind === 'key' ? { class: 'secret', environment: world } : {}) },
      scopes: held,
    } as Principal
    const record: ManagedKey | undefined =
      kind === 'key'
        ? keyOf({ id: 'own', scopes: recorded, networks: from, environment: world, ...own })
        : undefined
    return { principal, record }
  })

const wish: fc.Arbitrary<KeyWish> = some({
  scopes,
  networks,
  plan,
  store,
  environment,
  kind: fc.constantFrom('secret', 'publishable'),
  expiresAt: moment,
}).map((rest) => ({ name: 'Made', ...rest }) as KeyWish)

function keyOf(facts: object): ManagedKey {
  return {
    id: 'made',
    name: 'Made',
    kind: 'secret',
    environment: 'live',
    display: 'sk_acme_live_…abcd',
    createdBy: 'somebody',
    scopes: [],
    origins: [],
    networks: [],
    createdAt: NOW,
    generation: 1,
    ...facts,
  }
}

// Addresses in and around every network that is drawn.
const ADDRESSES = [
  '10.1.2.3',
  '10.1.9.9',
  '10.64.0.1',
  '10.200.0.1',
  '192.0.2.1',
  '2001:db8::1',
  '2001:db9::1',
]

function opensFrom(list: readonly string[], address: string): boolean {
  return list.length === 0 || cidrSet(list.map((each) => parseCidr(each)!)).has(parseAddress(address)!)
}

/** The first thing that a key can do and its maker can't. */
function excess(
  made: Pick<ManagedKey, 'scopes' | 'networks' | 'environment' | 'plan' | 'store' | 'expiresAt'>,
  principal: Principal,
  record: ManagedKey | undefined,
): string | undefined {
  for (const scope of made.scopes)
    if (!principal.scopes.includes(scope) || (record && !record.scopes.includes(scope))) return scope
  if (principal.store !== undefined && made.store !== principal.store) return 'store'
  if (made.plan !== principal.plan) return 'plan'
  if (record === undefined) return undefined
  for (const address of ADDRESSES)
    if (opensFrom(made.networks, address) && !opensFrom(record.networks, address)) return address
  if (made.environment !== record.environment) return 'environment'
  return (made.expiresAt ?? Number.POSITIVE_INFINITY) > (record.expiresAt ?? Number.POSITIVE_INFINITY)
    ? 'expiry'
    : undefined
}

test('H10 what is made can do nothing that its maker can’t, for any caller and any wish', () => {
  let made = 0
  fc.assert(
    fc.property(caller, wish, ({ principal, record }, wanted) => {
      const held = granted(wanted, boundsOf(principal, record, LATEST))
      if ('errors' in held) return
      made++
      assert.equal(excess(held.wanted, principal, record), undefined)
      assert.ok(held.wanted.expiresAt <= LATEST)
    }),
    { numRuns: 20_000, seed: 7 },
  )
  assert.ok(made > 1_000, `too few wishes were granted to say anything: ${made}`)
})

test('a wish within what somebody has is granted, so the rule is no wall', () => {
  fc.assert(
    fc.property(caller, ({ principal, record }) => {
      const bounds = boundsOf(principal, record, LATEST)
      const held = granted({ name: 'Same', scopes: bounds.scopes }, bounds)
      assert.ok('wanted' in held)
      assert.deepEqual(held.wanted.scopes, bounds.scopes)
    }),
    { numRuns: 2_000, seed: 7 },
  )
})

test('H10 a key takes the text of no key that can do more, by rotating it', () => {
  fc.assert(
    fc.property(
      caller,
      fc.record({ scopes, networks, environment, facts: some({ plan, expiresAt: moment }) }),
      ({ principal, record }, { facts, ...drawn }) => {
        const key = keyOf({ ...drawn, ...facts })
        const errors = beyond(key, boundsOf(principal, record, LATEST))
        if (errors.length > 0) return
        // Stores bound which keys are seen at all; a plan of its own is held against that of the caller's record.
        const of = { ...key, ...(principal.store && { store: principal.store }) }
        const { plan: _, ...bare } = principal
        assert.equal(excess({ ...of, plan: undefined } as never, bare, record), undefined)
        if (record) assert.equal(key.plan, record.plan)
      },
    ),
    { numRuns: 20_000, seed: 7 },
  )
})

test('H10 who changes keys: roles for people, the scope for what is handed on, and both where there are both', () => {
  const may = (facts: Partial<Principal> & { readonly kind: 'key' | 'token' | 'session' }) => {
    const { kind, ...rest } = facts
    const principal: Principal = { organisation: 'a', scopes: [], credential: { kind, id: 'x' }, ...rest }
    const said = (refusal: { readonly code: string } | undefined) => refusal?.code ?? 'may'
    return [said(mayRead(principal, SERVICE)), said(mayWrite(principal, SERVICE))]
  }
  const write = ['settings:write']
  const read = ['settings:read']
  assert.deepEqual(may({ kind: 'session', role: 'admin' }), ['may', 'may'])
  assert.deepEqual(may({ kind: 'session', role: 'member', scopes: read }), ['may', 'forbidden'])
  assert.deepEqual(may({ kind: 'session', role: 'member', scopes: write }), [
    'insufficient_scope',
    'forbidden',
  ])
  assert.deepEqual(may({ kind: 'session' }), ['insufficient_scope', 'insufficient_scope'])
  assert.deepEqual(may({ kind: 'token', role: 'admin' }), ['insufficient_scope', 'insufficient_scope'])
  assert.deepEqual(may({ kind: 'token', role: 'admin', scopes: write }), ['insufficient_scope', 'may'])
  assert.deepEqual(may({ kind: 'token', role: 'member', scopes: write }), ['insufficient_scope', 'forbidden'])
  assert.deepEqual(may({ kind: 'key', scopes: [...read, ...write] }), ['may', 'may'])
  assert.deepEqual(may({ kind: 'key', scopes: ['orders:write'] }), [
    'insufficient_scope',
    'insufficient_scope',
  ])
  const publishable = { kind: 'key', id: 'x', class: 'publishable' } as const
  assert.deepEqual(may({ kind: 'key', credential: publishable, scopes: [...read, ...write] }), [
    'forbidden',
    'forbidden',
  ])
})
