// Differences of policies: the regions that they partition requests into, the sentences, and the laws of the order.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { verdictOf } from '../../src/controls/faces.ts'
import type { Strength } from '../../src/guard/control.ts'
import type { PolicyDocument } from '../../src/guard/policy.ts'
import { resolvePolicy } from '../../src/guard/resolve.ts'
import { PolicyError } from '../../src/policy/problem.ts'
import { compareRegion } from '../../src/posture/diff/compare-cells.ts'
import { diffPolicies } from '../../src/posture/diff/diff.ts'
import { type Region, regionAt, regionsOf } from '../../src/posture/diff/regions.ts'
import { runs } from '../runs.ts'
import { pairs, policies, triples } from './universe.ts'

test('a weaker change says what has become possible, and where', async () => {
  const diff = await diffPolicies(
    { extends: 'api' },
    { extends: ['api', { cors: { origins: ['https://evil.example'] } }] },
  )
  assert.equal(diff.verdict, 'weaker')
  const change = diff.changes.find(({ cells }) => cells.includes('/v1/account/*'))!
  assert.equal(change.because, 'https://evil.example can now read /v1/account/* with cookies')
  assert.deepEqual([change.strength, change.control, change.id], ['weaker', 'cors', 'SP-CORS-01'])
  assert.match(change.fingerprint, /^[0-9a-f]{12}$/)
})

test('presets: recommended over api is stronger but for what an application may need', async () => {
  const diff = await diffPolicies({ extends: 'api' }, { extends: ['api', 'recommended'] })
  assert.deepEqual(
    diff.changes.filter(({ strength }) => strength === 'weaker'),
    [],
  )
})

test('a mode, a class of data and a credential that change are judged', async () => {
  const verdict = async (before: PolicyDocument, after: PolicyDocument) =>
    (await diffPolicies(before, after)).verdict
  const base: PolicyDocument = { extends: 'recommended' }
  assert.equal(await verdict(base, { ...base, headers: { mode: 'report' } }), 'weaker')
  assert.equal(await verdict({ ...base, headers: { mode: 'report' } }, base), 'stronger')
  const route = (more: object): PolicyDocument => ({ ...base, routes: { '/x': more } })
  assert.equal(
    await verdict(
      route({ data: 'private', cache: { owner: 'policy' } }),
      route({ data: 'public', credentials: 'none' }),
    ),
    'weaker',
  )
  assert.equal(await verdict(route({ credentials: 'bearer' }), route({ credentials: 'mixed' })), 'weaker')
  assert.equal(
    await verdict(route({ credentials: 'bearer' }), route({ credentials: 'cookie' })),
    'incomparable',
  )
})

test('a change of a control that only counts changes nothing that is kept', async () => {
  const counts = (frameOptions: 'DENY' | 'SAMEORIGIN'): PolicyDocument => ({
    headers: { mode: 'report', frameOptions },
  })
  assert.equal((await diffPolicies(counts('DENY'), counts('SAMEORIGIN'))).verdict, 'neutral')
})

test('places where patterns of the two sides overlap are regions of their own', () => {
  const [before, after] = [
    resolvePolicy({ routes: { '/a/:x': {}, '/a/:x/*': {} } }),
    resolvePolicy({ routes: { '/:y/b': {}, '/a/b/c': {}, 'POST /a/*': {} } }),
  ]
  const pairs = regionsOf(before, after).map(({ before: a, after: b }) => `${a.id} | ${b.id}`)
  for (const pair of [
    '/a/:x | /:y/b',
    '/a/:x | *',
    '/a/:x/* | /a/b/c',
    '/a/:x | POST /a/*',
    '* | /:y/b',
    '* | POST /a/*',
    '! | !',
  ])
    assert.ok(pairs.includes(pair), `${pair} is missing among ${pairs.join(', ')}`)
})

test('the page’s own routes are compared with a route that the other side wrote for them, and with nothing else', async () => {
  const published: PolicyDocument = { extends: 'api', disclosure: { posture: 'public' } }
  const byHand: PolicyDocument = {
    extends: 'api',
    routes: {
      '/.well-known/posture': { data: 'public', credentials: 'none', headers: { frameOptions: false } },
    },
  }
  const there = await diffPolicies(byHand, published)
  assert.equal(there.verdict, 'stronger')
  const framing = there.changes.find(({ what }) => what === 'framing')
  assert.deepEqual([framing?.strength, framing?.cells], ['stronger', ['/.well-known/posture']])
  const back = await diffPolicies(published, byHand)
  assert.equal(back.verdict, 'weaker')
  assert.deepEqual(back.changes.find(({ what }) => what === 'framing')?.cells, ['/.well-known/posture'])
  assert.equal((await diffPolicies({ extends: 'api' }, published)).verdict, 'neutral')
  assert.equal((await diffPolicies(published, { extends: 'api' })).verdict, 'neutral')
})

test('a change that says the same of a route and of its other spellings is told once', async () => {
  const policy = (limit: number): PolicyDocument => ({
    extends: 'recommended',
    limits: { addresses: { buckets: { requests: { limit, windowSeconds: 60 } } } },
    routes: { 'GET /v1/orders': { data: 'private' }, 'POST /login': { data: 'private' } },
  })
  const { changes } = await diffPolicies(policy(100), policy(200))
  assert.deepEqual(
    changes.map(({ what, cells }) => [what, ...cells]),
    [['addresses.requests', 'GET /v1/orders', 'POST /login', '*']],
  )
})

test('a policy against itself is neutral, without a change', async () => {
  await fc.assert(
    fc.asyncProperty(policies, async (policy) => {
      const sound = soundly(policy)
      if (sound === undefined) return
      const { verdict, changes } = await diffPolicies(sound, sound)
      assert.deepEqual([verdict, changes], ['neutral', []])
    }),
    runs(300),
  )
})

const MIRROR = {
  stronger: 'weaker',
  weaker: 'stronger',
  neutral: 'neutral',
  incomparable: 'incomparable',
} as const

test('the other way round every verdict is the mirror of this one', async () => {
  const met = new Set<string>()
  await fc.assert(
    fc.asyncProperty(fc.oneof(pairs, fc.tuple(policies, policies)), async ([a, b]) => {
      const [before, after] = [soundly(a), soundly(b)]
      if (before === undefined || after === undefined) return
      const [there, back] = [await diffPolicies(before, after), await diffPolicies(after, before)]
      met.add(there.verdict)
      assert.equal(back.verdict, MIRROR[there.verdict])
      const find = regionAt(after, before)
      for (const region of regionsOf(before, after)) {
        const [method, path] = region.example.split(' ') as [string, string]
        const mirrored = find(method, path)
        assert.equal(verdictIn(mirrored), MIRROR[verdictIn(region)], region.example)
      }
    }),
    runs(300),
  )
  assert.deepEqual([...met].sort(), ['incomparable', 'neutral', 'stronger', 'weaker'])
})

test('what is at least as strong as something at least as strong is so itself, in every region', () => {
  let chained = 0
  fc.assert(
    fc.property(triples, (policies) => {
      const [a, b, c] = policies.map(soundly)
      if (a === undefined || b === undefined || c === undefined) return
      const [ab, bc] = [regionAt(a, b), regionAt(b, c)]
      for (const region of regionsOf(a, c)) {
        const [method, path] = region.example.split(' ') as [string, string]
        const [first, second] = [verdictIn(ab(method, path)), verdictIn(bc(method, path))]
        for (const wanted of ['stronger', 'weaker'] as const) {
          if (![first, second].every((verdict) => verdict === wanted || verdict === 'neutral')) continue
          const expected = first === 'neutral' && second === 'neutral' ? 'neutral' : wanted
          if (expected === wanted) chained++
          assert.equal(verdictIn(region), expected, `${region.example}: ${first}, ${second}`)
        }
      }
    }),
    runs(1_500),
  )
  assert.ok(chained > 500, `only ${chained} chains`)
})

function verdictIn(region: Region): Strength {
  return verdictOf(compareRegion(region, 'here'))
}

test('ten thousand routes are compared', async () => {
  const routes = Object.fromEntries(
    Array.from({ length: 10_000 }, (_, index) => [
      `/r${index}/:id`,
      { data: index % 2 ? 'private' : 'stream' } as const,
    ]),
  )
  const before: PolicyDocument = { cache: { owner: 'policy' }, routes }
  const after: PolicyDocument = { ...before, routes: { ...routes, '/r7/:id': { data: 'stream' } } }
  const { changes, regions } = await diffPolicies(before, after)
  assert.equal(changes.length, 1)
  assert.deepEqual(changes[0]!.cells, ['/r7/:id'])
  assert.ok(regions > 10_000)
})

function soundly(policy: PolicyDocument) {
  try {
    return resolvePolicy(policy)
  } catch (error) {
    if (error instanceof PolicyError) return undefined
    throw error
  }
}
