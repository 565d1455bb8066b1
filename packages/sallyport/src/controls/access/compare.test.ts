// The order of access, held against enforcement: where nothing is called weaker, whoever comes in after came in before.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { runs } from '../../../test/runs.ts'
import type { CellInfo } from '../../guard/cell.ts'
import { CREDENTIAL_KINDS, type Principal } from '../../guard/principal.ts'
import { verdictOf } from '../faces.ts'
import { compareAccess } from './compare.ts'
import { objectionTo, rightsWithin } from './judge.ts'
import { requirementOf, strictAccess } from './requirement.ts'
import type { AccessSetting } from './setting.ts'

const NOW = 1_796_000_000_000
const CELL: CellInfo = {
  id: '/x',
  origin: 'route',
  method: undefined,
  path: '/x',
  data: 'private',
  credentials: 'mixed',
}
const SOURCE = { tokens: [{ service: true }], sessions: { cookie: 's' } } as const

const few = <const T extends string>(...all: readonly T[]) => fc.subarray([...all])
const requirement = fc.record(
  {
    authenticated: fc.boolean(),
    scopes: few('a', 'b', 'c'),
    anyScope: few('a', 'b', 'c'),
    roles: few('admin', 'member'),
    kinds: fc.subarray([...CREDENTIAL_KINDS]),
    signIn: fc.record(
      { maxAgeSeconds: fc.constantFrom(60, 300), methods: few('otp', 'hwk') },
      { requiredKeys: [] },
    ),
    mode: fc.constantFrom('enforce', 'enforce', 'enforce', 'report', 'off'),
  },
  { requiredKeys: [] },
)
const settings: fc.Arbitrary<AccessSetting> = fc
  .tuple(
    requirement,
    fc.option(fc.record({ admin: few('a', 'b', 'c'), member: few('a', 'b') }, { requiredKeys: [] }), {
      nil: undefined,
    }),
  )
  .map(([own, roles]) => ({ ...SOURCE, ...own, ...(roles && { catalogue: { roles } }) }))

const principals: readonly (Principal | undefined)[] = [
  undefined,
  ...CREDENTIAL_KINDS.flatMap((kind) =>
    ['admin', 'member', 'other', undefined].flatMap((role) =>
      [[], ['a'], ['a', 'b'], ['c'], ['a', 'b', 'c']].flatMap((scopes) =>
        [[], ['otp'], ['hwk']].flatMap((methods) =>
          [30, 120, 600].map(
            (age): Principal => ({
              organisation: 'o',
              credential: { kind, id: 'i' },
              scopes,
              methods,
              signedInAt: NOW - age * 1000,
              ...(role !== undefined && { role }),
            }),
          ),
        ),
      ),
    ),
  ),
]

function lets(setting: AccessSetting, principal: Principal | undefined, cell = CELL): boolean {
  if ((setting.mode ?? 'enforce') !== 'enforce') return true
  const required = requirementOf(setting, cell)
  if (required.level === 'open') return true
  if (principal === undefined) return required.level === 'optional'
  return objectionTo(rightsWithin(setting)(principal), required, NOW) === undefined
}

const strengths = (a: AccessSetting, b: AccessSetting) =>
  compareAccess(a, b, CELL).map(({ strength }) => strength)

test('whoever comes in after a change that is not called weaker came in before', () => {
  fc.assert(
    fc.property(settings, settings, (before, after) => {
      const found = strengths(before, after)
      if (found.includes('weaker') || found.includes('incomparable')) return
      const gained = principals.find((principal) => lets(after, principal) && !lets(before, principal))
      assert.equal(gained, undefined)
    }),
    runs(300),
  )
})

test('nothing changes between equal settings, and turned round a change is turned round', () => {
  const turned = {
    weaker: 'stronger',
    stronger: 'weaker',
    neutral: 'neutral',
    incomparable: 'incomparable',
  } as const
  fc.assert(
    fc.property(settings, settings, (a, b) => {
      assert.deepEqual(compareAccess(a, a, CELL), [])
      assert.equal(verdictOf(compareAccess(b, a, CELL)), turned[verdictOf(compareAccess(a, b, CELL))])
    }),
    runs(300),
  )
})

test('the setting for a doubtful path lets nobody in whom one of its two routes keeps out', () => {
  const strict: CellInfo = { ...CELL, origin: 'strict', id: '!' }
  fc.assert(
    fc.property(settings, settings, (a, b) => {
      const both = strictAccess(a, b)
      for (const principal of principals)
        if (lets(both, principal, strict)) {
          // The control's mode is that of the first route.
          assert.ok(lets(a, principal))
          if ((a.mode ?? 'enforce') === 'enforce')
            assert.ok(lets({ ...b, catalogue: a.catalogue ?? {} }, principal))
        }
    }),
    runs(150),
  )
})

const ISSUER = { issuer: 'https://id.example', audience: ['a'], jwks: 'https://id.example/keys' } as const
const T: AccessSetting = { tokens: [ISSUER], authenticated: true }
const issued = (more: object): AccessSetting => ({ ...T, tokens: [{ ...ISSUER, ...more }] })
const ROWS: readonly (readonly [before: AccessSetting, after: AccessSetting, ...wanted: string[]])[] = [
  [{}, T, 'stronger: /x can’t be called without a valid credential'],
  [T, {}, 'weaker: anybody can call /x: no credential is looked at'],
  [T, { ...T, authenticated: false }, 'weaker: /x can be called without a credential'],
  [{ ...T, scopes: ['a'] }, T, 'weaker: a credential without a can call /x'],
  [{ ...T, scopes: ['a'] }, { ...T, anyScope: ['a', 'b'] }, 'weaker: a credential without a can call /x'],
  [
    { ...T, anyScope: ['a'] },
    { ...T, scopes: ['a'] },
  ],
  [
    { ...T, roles: ['admin'] },
    { ...T, roles: ['admin', 'member'] },
    'weaker: a caller who is not admin can call /x',
  ],
  [
    { ...T, signIn: { maxAgeSeconds: 60 } },
    { ...T, signIn: { maxAgeSeconds: 300 } },
    'weaker: a sign-in of 61 seconds ago is recent enough for /x',
  ],
  [
    T,
    { ...T, mode: 'report' },
    'weaker: the control only counts: nothing that it keeps is kept any more',
    'weaker: anybody can call /x: no credential is looked at',
  ],
  [
    T,
    { ...T, tokens: [ISSUER, { issuer: 'https://b.example', audience: 'a', jwks: 'https://b.example/k' }] },
    'weaker: tokens of the issuer https://b.example open /x',
  ],
  [T, { ...T, sessions: { cookie: 's' } }, 'weaker: whoever is signed in can call /x'],
  [
    T,
    issued({ audience: ['a', 'b'] }),
    'weaker: tokens of the issuer https://id.example that are meant for b are taken',
  ],
  [
    T,
    issued({ algorithms: ['EdDSA'] }),
    ...['RS256', 'PS256', 'ES256', 'ES384'].map(
      (name) =>
        `stronger: tokens of the issuer https://id.example signed with ${name} are not taken any more`,
    ),
  ],
  [
    T,
    issued({ clockSkewSeconds: 60 }),
    'weaker: a token of the issuer https://id.example ends 60 seconds after its time instead of 30',
  ],
  [
    T,
    issued({ type: 'jwt' }),
    'weaker: a token of the issuer https://id.example that is not marked as an access token is taken for one',
  ],
  [
    T,
    issued({ jwks: 'https://id.example/other' }),
    'incomparable: the keys of the issuer https://id.example come from elsewhere (jwks)',
  ],
  [
    { ...T, catalogue: { roles: { admin: ['a'] } } },
    { ...T, catalogue: { roles: { admin: ['a', 'b'], member: [] } } },
    'weaker: a caller in the role "admin" has the scope b',
  ],
  [
    { ...T, identity: { audience: 'a' } },
    T,
    'weaker: the service behind the gateway can’t prove any more who calls',
  ],
  [
    { ...T, identity: { audience: 'a' } },
    { ...T, identity: { audience: 'a', lifetimeSeconds: 300 } },
    'weaker: an identity that the service behind shows around opens others for 300 seconds instead of 60',
  ],
]
for (const [before, after, ...wanted] of ROWS)
  test(`${JSON.stringify(before)} → ${JSON.stringify(after)}`, () =>
    assert.deepEqual(
      compareAccess(before, after, CELL).map(({ strength, because }) => `${strength}: ${because}`),
      wanted,
    ))
