// Differences of policies: the regions that they partition requests into, the sentences, and the laws of the order.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { verdictOf } from '../../src/controls/faces.ts'
import { createGuard } from '../../src/guard/guard.ts'
import type { PolicyDocument } from '../../src/guard/policy.ts'
import { resolvePolicy } from '../../src/guard/resolve.ts'
import { PolicyError } from '../../src/policy/problem.ts'
import { compareCells } from '../../src/posture/diff/compare-cells.ts'
import { diffPolicies } from '../../src/posture/diff/diff.ts'
import { regionsOf } from '../../src/posture/diff/regions.ts'
import { judged, policies, requests } from './arbitrary.ts'

const SAMPLE = { numRuns: 150 }

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

test('no request meets a pair of cells that is no region', () => {
  fc.assert(
    fc.property(policies, policies, requests, (a, b, request) => {
      const [before, after] = [soundly(a), soundly(b)]
      if (before === undefined || after === undefined) return
      const pairs = new Set(
        regionsOf(before, after).map((region) => `${region.before.id}|${region.after.id}`),
      )
      const [x, y] = [before, after].map(
        (policy) => createGuard(policy, 'gateway').open(judged.incoming(request)).cell,
      )
      // What is judged as two cells at once is made of both.
      if (x!.origin === 'strict' || y!.origin === 'strict') return
      assert.ok(pairs.has(`${x!.id}|${y!.id}`), `${request.method} ${request.path}: ${x!.id} | ${y!.id}`)
    }),
    { numRuns: 500 },
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
    SAMPLE,
  )
})

const MIRROR = {
  stronger: 'weaker',
  weaker: 'stronger',
  neutral: 'neutral',
  incomparable: 'incomparable',
} as const

test('the other way round the verdict is the mirror of this one', async () => {
  await fc.assert(
    fc.asyncProperty(policies, policies, async (a, b) => {
      const [before, after] = [soundly(a), soundly(b)]
      if (before === undefined || after === undefined) return
      const [there, back] = [
        (await diffPolicies(before, after)).verdict,
        (await diffPolicies(after, before)).verdict,
      ]
      assert.equal(back, MIRROR[there])
    }),
    SAMPLE,
  )
})

test('what is stronger than something stronger is not weaker', async () => {
  await fc.assert(
    fc.asyncProperty(policies, policies, policies, async (a, b, c) => {
      const sound = [a, b, c].map(soundly)
      if (sound.some((each) => each === undefined)) return
      const [x, y, z] = sound as [
        NonNullable<(typeof sound)[0]>,
        NonNullable<(typeof sound)[0]>,
        NonNullable<(typeof sound)[0]>,
      ]
      const [first, second] = [(await diffPolicies(x, y)).verdict, (await diffPolicies(y, z)).verdict]
      if (!(first === 'stronger' || first === 'neutral') || !(second === 'stronger' || second === 'neutral'))
        return
      const whole = (await diffPolicies(x, z)).verdict
      assert.ok(whole === 'stronger' || whole === 'neutral', `${first}, ${second}, but ${whole}`)
    }),
    SAMPLE,
  )
})

test('what the newer policy lets through and the older one refused is never called stronger or neutral', () => {
  fc.assert(
    fc.property(policies, policies, requests, (a, b, request) => {
      const [before, after] = [soundly(a), soundly(b)]
      if (before === undefined || after === undefined) return
      const [old, now] = [judged(before, request), judged(after, request)]
      if (old === undefined || now === undefined) return
      const losses = judged.losses(old, now)
      if (losses.length === 0) return
      const verdict = verdictOf(compareCells(old.cell, now.cell))
      assert.ok(
        verdict === 'weaker' || verdict === 'incomparable',
        `${losses.join('; ')}, but the verdict is ${verdict}`,
      )
    }),
    { numRuns: 3_000 },
  )
})

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
