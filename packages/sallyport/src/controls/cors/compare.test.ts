import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { corsFetch, type Network, type PageRequest } from '../../../test/cors/browser.ts'
import { drive } from '../../../test/cors/drive.ts'
import { ALL_ASKS, asks, credentials, settings } from '../../../test/cors/universe.ts'
import { runs } from '../../../test/runs.ts'
import type { CellInfo, Credentials } from '../../guard/cell.ts'
import type { Change, Strength } from '../../guard/control.ts'
import { createGuard } from '../../guard/guard.ts'
import { compareCors } from './compare.ts'
import type { CorsSetting } from './setting.ts'

function cellOf(kind: Credentials, id = '/v1/account/*'): CellInfo {
  return { id, origin: 'route', method: undefined, path: id, data: 'private', credentials: kind }
}

/** One verdict of many changes, as `diff` forms it. */
function verdictOf(changes: readonly Change[]): Strength {
  const has = (strength: Strength) => changes.some((change) => change.strength === strength)
  if (has('incomparable') || (has('weaker') && has('stronger'))) return 'incomparable'
  return has('weaker') ? 'weaker' : has('stronger') ? 'stronger' : 'neutral'
}

function verdict(before: CorsSetting, after: CorsSetting, kind: Credentials = 'mixed'): Strength {
  return verdictOf(compareCors(before, after, cellOf(kind)))
}

const OPPOSITE = {
  stronger: 'weaker',
  weaker: 'stronger',
  neutral: 'neutral',
  incomparable: 'incomparable',
} as const

const base: CorsSetting = {
  origins: ['https://app.example.com'],
  bearer: 'listed',
  allowMethods: ['GET', 'PUT'],
  allowHeaders: ['authorization'],
  exposeHeaders: ['x-request-id'],
  maxAgeSeconds: 600,
}
const nobody: CorsSetting = { origins: [], bearer: 'listed' }

const cases: readonly (readonly [
  what: string,
  before: CorsSetting,
  after: CorsSetting,
  strength: Strength,
  because: RegExp,
])[] = [
  [
    'an origin more',
    base,
    { ...base, origins: [...base.origins!, 'https://evil.example'] },
    'weaker',
    /^https:\/\/evil\.example can now read \/v1\/account\/\* with cookies$/,
  ],
  [
    'two origins more',
    nobody,
    { ...base, origins: ['https://a.example', 'https://b.example'] },
    'weaker',
    /^https:\/\/a\.example and 1 more can now read/,
  ],
  [
    'an origin less',
    base,
    { ...base, origins: [] },
    'stronger',
    /^https:\/\/app\.example\.com can no longer read \/v1\/account\/\* with cookies$/,
  ],
  [
    'another origin',
    base,
    { ...base, origins: ['https://app.example.net'] },
    'incomparable',
    /app\.example\.net can now read/,
  ],
  [
    'the same origins in another order',
    { ...base, origins: ['https://a.example', 'https://b.example'] },
    { ...base, origins: ['https://b.example', 'https://a.example'] },
    'neutral',
    /^$/,
  ],
  [
    'an origin becomes a pattern over it',
    base,
    { ...base, origins: ['https://*.example.com'] },
    'weaker',
    /^https:\/\/evil\.example\.com can now read/,
  ],
  [
    'a pattern becomes one of its members',
    { ...base, origins: ['https://*.example.com'] },
    base,
    'stronger',
    /can no longer read/,
  ],
  [
    'a member beside its pattern',
    { ...base, origins: ['https://*.example.com'] },
    { ...base, origins: ['https://*.example.com', 'https://app.example.com'] },
    'neutral',
    /^$/,
  ],
  [
    'a deeper pattern',
    { ...base, origins: ['https://*.example.com'] },
    { ...base, origins: ['https://*.team.example.com'] },
    'stronger',
    /can no longer read/,
  ],
  [
    'a pattern over the host itself',
    { ...base, origins: ['https://example.com'] },
    { ...base, origins: ['https://*.example.com'] },
    'incomparable',
    /evil\.example\.com can now read/,
  ],
  [
    'a pattern beside an exact evil one',
    { ...base, origins: ['https://evil.example.com'] },
    { ...base, origins: ['https://*.example.com'] },
    'weaker',
    /^https:\/\/evil2\.example\.com can now read/,
  ],
  [
    'another port',
    { ...base, origins: ['https://*.example.com'] },
    { ...base, origins: ['https://*.example.com:8443'] },
    'incomparable',
    /evil\.example\.com:8443 can now read/,
  ],
  [
    'another scheme',
    { ...base, origins: ['https://*.localhost:3000'] },
    { ...base, origins: ['http://*.localhost:3000'] },
    'incomparable',
    /http:\/\/evil\.localhost:3000 can now read/,
  ],
  [
    'a name with an underscore beside a pattern, which does not cover it',
    { ...base, origins: ['https://*.example.com'] },
    { ...base, origins: ['https://*.example.com', 'https://a_b.example.com'] },
    'weaker',
    /^https:\/\/a_b\.example\.com can now read/,
  ],
  [
    'every origin with a bearer credential',
    base,
    { ...base, bearer: 'any-origin' },
    'incomparable',
    /^https:\/\/evil\.example can now read \/v1\/account\/\* without cookies/,
  ],
  [
    'listed origins only',
    { ...base, bearer: 'any-origin' },
    base,
    'incomparable',
    /unlisted origins can no longer/,
  ],
  [
    'a method more',
    base,
    { ...base, allowMethods: ['GET', 'PUT', 'DELETE'] },
    'weaker',
    /can now send DELETE to \/v1\/account\/\*/,
  ],
  ['a method less', base, { ...base, allowMethods: ['GET'] }, 'stronger', /send PUT/],
  [
    'a method that browsers never ask about',
    base,
    { ...base, allowMethods: ['PUT', 'HEAD', 'POST'] },
    'neutral',
    /^$/,
  ],
  [
    'a header more',
    base,
    { ...base, allowHeaders: ['authorization', 'x-admin'] },
    'weaker',
    /can now set x-admin/,
  ],
  ['headers in another case', base, { ...base, allowHeaders: ['Authorization'] }, 'neutral', /^$/],
  [
    'an exposed header more',
    base,
    { ...base, exposeHeaders: ['x-request-id', 'x-balance'] },
    'weaker',
    /can now read x-balance/,
  ],
  [
    'an exposed header that is readable anyway',
    base,
    { ...base, exposeHeaders: ['x-request-id', 'Content-Type'] },
    'neutral',
    /^$/,
  ],
  [
    'every header',
    { ...nobody, bearer: 'any-origin', allowHeaders: ['authorization', 'x-a'] },
    { ...nobody, bearer: 'any-origin', allowHeaders: ['*'] },
    'incomparable',
    /set anything else/,
  ],
  [
    'every header, and Authorization',
    { ...nobody, bearer: 'any-origin', allowHeaders: ['authorization', 'x-a'] },
    { ...nobody, bearer: 'any-origin', allowHeaders: ['*', 'authorization'] },
    'weaker',
    /set anything else/,
  ],
  [
    'a longer preflight age',
    base,
    { ...base, maxAgeSeconds: 86_400 },
    'weaker',
    /86400 seconds instead of 600/,
  ],
  ['a shorter preflight age', base, { ...base, maxAgeSeconds: 0 }, 'stronger', /0 seconds instead of 600/],
  [
    'lists that nobody is granted',
    nobody,
    { ...nobody, allowMethods: ['DELETE'], maxAgeSeconds: 0 },
    'neutral',
    /^$/,
  ],
  ['left to the application', nobody, {}, 'weaker', /https:\/\/evil\.example can where it says so/],
  ['taken from the application, granting nothing', {}, nobody, 'stronger', /policy alone/],
  ['taken from the application, granting something', {}, base, 'incomparable', /policy alone/],
  ['left to the application in both', {}, {}, 'neutral', /^$/],
]

for (const [what, before, after, strength, because] of cases)
  test(`${what}: ${strength}`, () => {
    const changes = compareCors(before, after, cellOf('mixed'))
    assert.equal(verdictOf(changes), strength)
    assert.match(changes.map((change) => change.because)[0] ?? '', because)
    assert.equal(verdict(after, before), OPPOSITE[strength])
  })

test('on a route for cookies only, bearer: "any-origin" changes nothing', () => {
  assert.equal(verdict(base, { ...base, bearer: 'any-origin' }, 'cookie'), 'neutral')
})

test('the sentence names the place', () => {
  const because = (id: string) => compareCors(nobody, base, cellOf('mixed', id))[0]?.because
  assert.equal(because('*'), 'https://app.example.com can now read every path without a route with cookies')
  assert.equal(because('GET /v1/x'), 'https://app.example.com can now read GET /v1/x with cookies')
})

/** What a browser lets pages do under the setting: one character for each page of the small world. */
function enforced(
  setting: CorsSetting,
  kind: Credentials,
  pages: readonly PageRequest[],
): readonly boolean[] {
  const guard = createGuard({ cors: setting, credentials: kind }, 'node')
  const network: Network = (method, headers) => drive(guard, { method, headers })
  return pages.map((page) => corsFetch(page, network) !== 'network error')
}

const withUnset = fc.oneof(
  { weight: 9, arbitrary: settings },
  { weight: 1, arbitrary: fc.constant<CorsSetting>({}) },
)

test('comparing is reflexive and antisymmetric', () => {
  fc.assert(
    fc.property(withUnset, withUnset, credentials, (a, b, kind) => {
      assert.equal(verdict(a, a, kind), 'neutral')
      assert.equal(verdict(b, a, kind), OPPOSITE[verdict(a, b, kind)])
    }),
    runs(1000),
  )
})

// Three settings of which each grants at least what the one before does; random ones are seldom comparable at all.
const chains = fc
  .tuple(settings, settings, settings)
  .map(([a, b, c]): [CorsSetting, CorsSetting, CorsSetting] => {
    const both = wider(a, b)
    return [a, both, wider(both, c)]
  })

function wider(a: CorsSetting, b: CorsSetting): CorsSetting {
  const union = (x: readonly string[] = [], y: readonly string[] = []) =>
    [...new Set([...x, ...y])].filter((name) => name !== '*')
  return {
    origins: union(a.origins, b.origins),
    bearer: a.bearer === 'any-origin' || b.bearer === 'any-origin' ? 'any-origin' : 'listed',
    allowMethods: union(a.allowMethods, b.allowMethods),
    allowHeaders: union(a.allowHeaders, b.allowHeaders),
    exposeHeaders: union(a.exposeHeaders, b.exposeHeaders),
    maxAgeSeconds: Math.max(a.maxAgeSeconds ?? 0, b.maxAgeSeconds ?? 0),
  }
}

test('comparing is transitive', () => {
  let chained = 0
  fc.assert(
    fc.property(
      fc.oneof(chains, fc.tuple(withUnset, withUnset, withUnset)),
      credentials,
      ([a, b, c], kind) => {
        const first = verdict(a, b, kind)
        const second = verdict(b, c, kind)
        if (first === 'incomparable' || second === 'incomparable') return
        if (first !== 'neutral' && second !== 'neutral' && first !== second) return
        chained++
        assert.equal(verdict(a, c, kind), first === 'neutral' ? second : first)
      },
    ),
    runs(1500),
  )
  assert.ok(chained > 300, `${chained} chains`)
})

test('a setting that grants what the other refused is never called stronger or neutral', () => {
  let grantsMore = 0
  fc.assert(
    fc.property(
      fc.oneof(
        fc.tuple(settings, settings),
        chains.map(([a, b]) => fc.tuple(fc.constant(a), fc.constant(b))).chain((pair) => pair),
      ),
      credentials,
      fc.array(asks, { minLength: 30, maxLength: 60 }),
      ([a, b], kind, pages) => {
        const before = enforced(a, kind, pages)
        const after = enforced(b, kind, pages)
        if (!after.some((allowed, index) => allowed && !before[index])) return
        grantsMore++
        const found = verdict(a, b, kind)
        assert.ok(
          found === 'weaker' || found === 'incomparable',
          `${found} ${JSON.stringify({ a, b, kind })}`,
        )
      },
    ),
    runs(400),
  )
  assert.ok(grantsMore > 100, `${grantsMore} pairs granted more`)
})

test('where a setting grants every page of the small world alike, the difference is one that the world can’t show', () => {
  fc.assert(
    fc.property(chains, credentials, ([a, b], kind) => {
      const found = verdict(a, b, kind)
      if (found === 'neutral') assert.deepEqual(enforced(a, kind, ALL_ASKS), enforced(b, kind, ALL_ASKS))
    }),
    runs(60),
  )
})

test('the origin that a weaker change names was refused before, and is allowed now', () => {
  let named = 0
  fc.assert(
    fc.property(settings, settings, credentials, (a, b, kind) => {
      for (const { what, strength, because } of compareCors(a, b, cellOf(kind))) {
        const origin = /^(https?:\S+)/.exec(because)?.[1]
        if (strength !== 'weaker' || origin === undefined) continue
        named++
        const page: PageRequest = {
          origin,
          method: 'GET',
          unsafeHeaders: [],
          credentials: what === 'origins' ? 'include' : 'omit',
        }
        assert.deepEqual(enforced(a, kind, [page]), [false], because)
        assert.deepEqual(enforced(b, kind, [page]), [true], because)
      }
    }),
    runs(300),
  )
  assert.ok(named > 100, `${named} sentences`)
})
