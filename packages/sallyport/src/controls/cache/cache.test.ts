import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { runs } from '../../../test/runs.ts'
import type { CellInfo, DataClass } from '../../guard/cell.ts'
import type { Observation, Strength } from '../../guard/control.ts'
import { sentence } from '../../policy/problem.ts'
import { verdictOf } from '../faces.ts'
import { meetsFloor, parseCacheControl } from './directives.ts'
import { compareCache, compareDataClass, describeCache, probeCache } from './faces.ts'
import { type CacheSetting, cacheContradictions } from './setting.ts'

function cell(data: DataClass, more: Partial<CellInfo> = {}): CellInfo {
  return { id: '/x', origin: 'route', method: undefined, path: '/x', data, credentials: 'none', ...more }
}

describe('the directives', () => {
  const floors: readonly (readonly [
    value: string,
    floor: 'none' | 'private' | 'no-store',
    meets: boolean,
  ])[] = [
    ['public, max-age=60', 'none', true],
    ['public, max-age=60', 'private', false],
    ['private, max-age=60', 'private', true],
    ['private, max-age=60', 'no-store', false],
    ['no-store', 'no-store', true],
    ['NO-STORE', 'private', true],
    ['private="set-cookie", max-age=60', 'private', false],
    ['private, s-maxage=60', 'private', false],
    ['private, public', 'private', false],
    ['max-age=60', 'private', false],
    ['', 'private', false],
    ['no-cache', 'private', false],
    // Caches that look for the bare word miss it.
    ['no-store=1', 'private', false],
    ['no-store="x"', 'no-store', false],
    ['private , max-age = 60', 'private', true],
    ['"private"', 'private', false],
    // What stands in quotes is an argument, not a directive.
    ['foo="a, no-store, b"', 'private', false],
    ['foo="a, private"', 'private', false],
    ['foo="a\\", private"', 'private', false],
  ]
  for (const [value, floor, meets] of floors)
    it(`"${value}" ${meets ? 'meets' : 'is below'} ${floor}`, () =>
      assert.equal(meetsFloor(parseCacheControl(value), floor), meets))

  it('are read without a throw, whatever stands there', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (value) => void parseCacheControl(value)))
  })
})

describe('contradictions', () => {
  const complaints = (setting: CacheSetting, at: CellInfo) => cacheContradictions(setting, at).map(sentence)

  it('a route that is private does not hand the decision to its handler without a floor', () => {
    const at = cell('private', { namesData: true })
    assert.deepEqual(complaints({ owner: 'handler', floor: 'none' }, at), [
      'floor: the route is private, but its handler may let shared caches keep the answers, received "none"; write cache: { owner: "policy" }, or floor: "private"',
    ])
    assert.deepEqual(complaints({ owner: 'handler', floor: 'private' }, at), [])
    assert.deepEqual(complaints({ owner: 'handler', floor: 'none' }, cell('private')), [])
    assert.deepEqual(
      complaints({ owner: 'handler' }, cell('private', { origin: 'default', namesData: true })),
      [],
    )
  })

  for (const data of ['public', 'asset'] as const)
    for (const credentials of ['cookie', 'bearer'] as const)
      it(`a ${data} route does not answer to a ${credentials} credential`, () =>
        assert.deepEqual(complaints({ owner: 'policy' }, cell(data, { credentials })), [
          `policy: ${data} answers are kept for everybody, but the route answers to a ${credentials} credential, received {"data":"${data}","credentials":"${credentials}"}; declare data: "private", or credentials: "none"`,
        ]))

  for (const data of ['private', 'stream'] as const)
    for (const owner of ['policy', 'handler'] as const)
      it(`${data} data of the ${owner} has no age`, () =>
        assert.match(
          complaints({ owner, floor: 'none', maxAgeSeconds: 5 }, cell(data)).join(),
          new RegExp(`^maxAgeSeconds: ${data} data is never cached, so it has no age, received 5; `),
        ))

  for (const data of ['public', 'asset', 'stream'] as const)
    it(`the value of ${data} data is not below the floor that its handler must keep`, () =>
      assert.match(
        complaints({ owner: 'handler', floor: 'no-store' }, cell(data)).join(),
        /^floor: the value of .* is itself below this floor, received "no-store"; write floor: "none", or declare data: "private"$/,
      ))

  it('the cell for paths that are not canonical and a control that is off have none', () => {
    assert.deepEqual(complaints({ mode: 'off', maxAgeSeconds: 5 }, cell('private')), [])
    assert.deepEqual(complaints({ maxAgeSeconds: 5 }, cell('private', { origin: 'strict' })), [])
  })
})

describe('the order', () => {
  const cases: readonly (readonly [DataClass, CacheSetting, CacheSetting, Strength])[] = [
    ['private', { owner: 'policy' }, { owner: 'handler', floor: 'none' }, 'weaker'],
    ['private', { owner: 'policy' }, { owner: 'handler', floor: 'private' }, 'weaker'],
    ['private', { owner: 'policy' }, { owner: 'handler', floor: 'no-store' }, 'neutral'],
    ['private', { owner: 'handler', floor: 'none' }, { owner: 'handler', floor: 'private' }, 'stronger'],
    ['private', { owner: 'handler', floor: 'none' }, { mode: 'off' }, 'weaker'],
    ['private', { owner: 'policy' }, { mode: 'report' }, 'weaker'],
    ['public', { maxAgeSeconds: 30 }, { maxAgeSeconds: 3600 }, 'neutral'],
    ['public', { owner: 'policy' }, { owner: 'handler' }, 'weaker'],
    ['stream', { owner: 'handler' }, { owner: 'policy' }, 'stronger'],
    ['asset', { owner: 'policy' }, { mode: 'off' }, 'weaker'],
  ]
  for (const [data, before, after, wanted] of cases)
    it(`${data}: ${JSON.stringify(before)} → ${JSON.stringify(after)} is ${wanted}`, () => {
      const changes = compareCache(before, after, cell(data))
      assert.equal(verdictOf(changes), wanted)
      for (const { because } of changes) assert.ok(because.length > 15)
    })

  const setting: fc.Arbitrary<CacheSetting> = fc.record(
    {
      mode: fc.constantFrom('enforce', 'report', 'off'),
      owner: fc.constantFrom('policy', 'handler'),
      floor: fc.constantFrom('none', 'private', 'no-store'),
      maxAgeSeconds: fc.constantFrom(30, 60),
    },
    { requiredKeys: [] },
  )
  const at = fc.constantFrom<DataClass>('private', 'public', 'stream', 'asset').map((data) => cell(data))
  const atLeast = (a: CacheSetting, b: CacheSetting, where: CellInfo) =>
    ['stronger', 'neutral'].includes(verdictOf(compareCache(a, b, where)))

  it('is reflexive, antisymmetric and transitive', () => {
    fc.assert(
      fc.property(setting, setting, setting, at, (a, b, c, where) => {
        assert.deepEqual(compareCache(a, a, where), [])
        if (atLeast(a, b, where) && atLeast(b, a, where))
          assert.equal(verdictOf(compareCache(a, b, where)), 'neutral')
        assert.ok(atLeast(a, b, where) || atLeast(b, a, where))
        if (atLeast(a, b, where) && atLeast(b, c, where)) assert.ok(atLeast(a, c, where))
      }),
      runs(500),
    )
  })

  it('private data is stronger than a stream and public data, which have no order', () => {
    const verdict = (a: DataClass, b: DataClass) => verdictOf(compareDataClass(cell(a), cell(b)))
    assert.equal(verdict('public', 'private'), 'stronger')
    assert.equal(verdict('private', 'public'), 'weaker')
    assert.equal(verdict('private', 'stream'), 'weaker')
    assert.equal(verdict('public', 'stream'), 'incomparable')
    assert.equal(verdict('stream', 'asset'), 'incomparable')
    assert.equal(verdict('public', 'asset'), 'neutral')
    assert.equal(verdict('asset', 'asset'), 'neutral')
    assert.match(compareDataClass(cell('private'), cell('public'))[0]!.because, /shared cache can keep/)
  })
})

describe('probes', () => {
  const found = (
    data: DataClass,
    value: string | undefined,
    more: { setting?: CacheSetting; status?: number; headers?: [string, string][] } = {},
  ) => {
    const seen: Observation = {
      status: more.status ?? 200,
      headers: [...(value === undefined ? [] : [['Cache-Control', value] as const]), ...(more.headers ?? [])],
      body: '',
      encrypted: true,
    }
    return probeCache([{ cell: cell(data), setting: more.setting ?? { owner: 'policy' } }]).flatMap((probe) =>
      probe.expect(seen).map(({ id }) => id),
    )
  }
  const cookie: [string, string][] = [['Set-Cookie', 'a=b']]
  const rows: readonly (readonly [name: string, actual: string[], wanted: string[]])[] = [
    ['the seed value', found('private', 'no-store, private'), []],
    ['the same in another order', found('private', 'private,no-store'), []],
    ['no header', found('private', undefined), ['cache.private-missing']],
    ['a browser may keep it', found('private', 'private, max-age=60'), ['cache.private-browser']],
    ['a shared cache may keep it', found('private', 'max-age=60'), ['cache.private-storable']],
    ['two lines against each other', found('private', 'no-store, public'), ['cache.conflict']],
    ['a public answer', found('public', 'public, max-age=30'), []],
    ['another age', found('public', 'public, max-age=31'), ['drift.cache']],
    [
      'an error that is kept',
      found('public', 'public, max-age=30', { status: 404 }),
      ['cache.error-cacheable'],
    ],
    ['an error that is not', found('public', 'no-store', { status: 404 }), []],
    ['a shared cookie', found('public', 'public, max-age=30', { headers: cookie }), ['cache.set-cookie']],
    ['a cookie that is not shared', found('public', 'no-store, private', { headers: cookie }), []],
    ['a stream', found('stream', 'no-cache, no-transform'), []],
    ['a stream that is kept', found('stream', 'max-age=5'), ['cache.stream']],
    ['a stream that may be rewritten', found('stream', 'no-cache'), ['drift.cache']],
    [
      'a header that nginx obeys first',
      found('private', 'no-store', { headers: [['X-Accel-Expires', '60']] }),
      ['drift.header-extra'],
    ],
    [
      'below the floor',
      found('private', 'max-age=5', { setting: { owner: 'handler', floor: 'private' } }),
      ['drift.cache'],
    ],
    ['above the floor', found('private', 'private', { setting: { owner: 'handler', floor: 'private' } }), []],
  ]
  for (const [name, actual, wanted] of rows) it(name, () => assert.deepEqual(actual, wanted))
})

it('the page says who decides, and above which floor', () => {
  const { entries, limits } = describeCache([
    { cell: cell('private', { id: 'a' }), setting: { owner: 'policy' } },
    { cell: cell('private', { id: 'b' }), setting: { owner: 'handler', floor: 'private' } },
    { cell: cell('public', { id: 'c' }), setting: { owner: 'policy', maxAgeSeconds: 30 } },
    { cell: cell('private', { id: 'd' }), setting: { mode: 'off' } },
  ])
  assert.deepEqual(
    entries.map(({ value, cells }) => [value, cells]),
    [
      ['no-store, private', ['a']],
      ['what the application says, where it is at least "private"; otherwise no-store, private', ['b']],
      ['public, max-age=30', ['c']],
    ],
  )
  assert.equal(limits.length, 3)
})
