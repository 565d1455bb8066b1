import assert from 'node:assert/strict'
import { test } from 'node:test'
import { digest } from '../policy/digest.ts'
import { PolicyError } from '../policy/problem.ts'
import { definePolicy, type PolicyDocument } from './policy.ts'
import { resolvePolicy } from './resolve.ts'

function settingOf(policy: PolicyDocument, cell: string, control: string): Record<string, unknown> {
  return resolvePolicy(policy).cells.find(({ id }) => id === cell)!.settings[control] as Record<
    string,
    unknown
  >
}

test('layers win from top to bottom: route, policy, extended policies last first, preset, defaults', () => {
  const policy = definePolicy({
    extends: [
      'payments',
      {
        headers: { frameOptions: 'SAMEORIGIN' },
        routes: { '/x': { headers: { dnsPrefetchControl: 'on' } } },
      },
    ],
    headers: { crossOriginResourcePolicy: 'same-site' },
    routes: { '/x': { headers: { crossOriginOpenerPolicy: 'unsafe-none' } } },
  })
  const {
    frameOptions,
    dnsPrefetchControl,
    crossOriginResourcePolicy,
    crossOriginOpenerPolicy,
    contentTypeOptions,
  } = settingOf(policy, '/x', 'headers')
  assert.deepEqual(
    [
      frameOptions,
      dnsPrefetchControl,
      crossOriginResourcePolicy,
      crossOriginOpenerPolicy,
      contentTypeOptions,
    ],
    ['SAMEORIGIN', 'on', 'same-site', 'unsafe-none', 'nosniff'],
  )
  assert.equal(settingOf(policy, '*', 'headers').crossOriginOpenerPolicy, undefined)
})

test('every policy has a default cell and a strict cell, in this order, last', () => {
  const { cells } = resolvePolicy({ routes: { '/a': {}, 'GET /b/*': { data: 'public' } } })
  assert.deepEqual(
    cells.map(({ id, origin, method, data }) => [id, origin, method, data]),
    [
      ['/a', 'route', undefined, 'private'],
      ['GET /b/*', 'route', 'GET', 'public'],
      ['*', 'default', undefined, 'private'],
      ['!', 'strict', undefined, 'private'],
    ],
  )
})

test('the strict cell stays private where the policy is public', () => {
  const { cells } = resolvePolicy({ data: 'public', credentials: 'none' })
  assert.deepEqual([cells.at(-1)!.data, cells.at(-1)!.credentials], ['private', 'mixed'])
})

test('what is digested is the whole policy: layers count, the way of writing them does not', async () => {
  const of = async (policy: PolicyDocument) => digest(resolvePolicy(policy).document)
  const written = await of({ extends: 'api', name: 'x' })
  assert.equal(await of({ name: 'x', extends: ['api'] }), written)
  assert.equal(await of({ extends: [{ extends: 'api' }], name: 'x', $schema: './x.json' }), written)
  assert.notEqual(await of({ extends: 'api', name: 'y' }), written)
  assert.notEqual(await of({ extends: 'commerce', name: 'x' }), written)
  assert.notEqual(await of({ extends: 'api', name: 'x', cache: { floor: 'private' } }), written)
})

test('a policy that is changed after it was resolved changes nothing', () => {
  const origins = ['https://app.example.com']
  const resolved = resolvePolicy({ cors: { origins } })
  origins.push('https://evil.example')
  assert.deepEqual(resolved.document.cors?.origins, ['https://app.example.com'])
})

test('a policy that extends itself is refused, as are layers beyond counting', () => {
  const cyclic: Record<string, unknown> = {}
  cyclic.extends = ['api', cyclic]
  assert.throws(
    () => resolvePolicy(cyclic),
    /^PolicyError: extends\[1\]: a policy is plain data: it contains itself/,
  )
  const wide = {
    extends: Array.from({ length: 9 }, () => ({ extends: Array.from({ length: 9 }, () => 'api') })),
  }
  assert.throws(() => resolvePolicy(wide as never), /names more than 64 layers/)
  let deep: PolicyDocument = { extends: 'api' }
  for (let level = 0; level < 8; level++) deep = { extends: [deep] }
  assert.throws(() => resolvePolicy(deep), /is nested more than 8 deep/)
})

test('a name "__proto__" reaches no prototype', () => {
  for (const text of [
    '{"__proto__": {"data": "public"}}',
    '{"routes": {"__proto__": {"data": "public"}}}',
    '{"headers": {"strip": {"__proto__": "x"}}}',
    '{"extends": [{"__proto__": {"data": "public"}}]}',
  ])
    assert.throws(() => resolvePolicy(JSON.parse(text) as never), /"__proto__" is no name of a setting/)
  assert.equal(({} as { data?: string }).data, undefined)
})

test('a thousand mistakes make a hundred problems', () => {
  const policy = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`mistake${index}`, 1]))
  assert.throws(
    () => resolvePolicy(policy),
    (error) => error instanceof PolicyError && error.problems.length === 100,
  )
})

test('10,000 routes resolve', () => {
  const routes = Object.fromEntries(
    Array.from({ length: 10_000 }, (_, index) => [`/v1/r${index}/*`, { data: 'private' as const }]),
  )
  assert.equal(resolvePolicy({ extends: 'recommended', routes }).cells.length, 10_002)
})
