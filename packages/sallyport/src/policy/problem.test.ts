import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { childPath, nearest, PolicyError, pathParts, sentence, show } from './problem.ts'

test('a sentence says where, what, what was received, how to mend it', () => {
  const problem = {
    path: 'a.b',
    kind: 'type',
    received: 1,
    message: 'expected a list',
    mend: 'write [ ]',
  } as const
  assert.equal(sentence(problem), 'a.b: expected a list, received 1; write [ ]')
  assert.equal(sentence({ ...problem, path: '', received: undefined }), 'policy: expected a list; write [ ]')
  assert.equal(new PolicyError([problem, problem]).message.split('\n').length, 2)
})

test('a value is shown as it was written, and cut after 80 characters', () => {
  const cases: readonly (readonly [unknown, string])[] = [
    ['a"b', '"a\\"b"'],
    [{ a: [1, null, true] }, '{"a":[1,null,true]}'],
    [{ a: undefined }, '{"a":undefined}'],
    [() => 1, 'a function'],
    [{ a: () => 1 }, '{"a":a function}'],
    [10n, '10'],
    [Number.NaN, 'NaN'],
    ['x'.repeat(1000), `"${'x'.repeat(76)}...`],
    [
      Array.from({ length: 100 }, (_, i) => i),
      '[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28...',
    ],
  ]
  for (const [value, shown] of cases) assert.equal(show(value), shown)
})

test('no value makes show throw or run away', () => {
  const cyclic: Record<string, unknown> = {}
  cyclic.self = [cyclic, cyclic]
  assert.equal(show(cyclic).length, 80)
  fc.assert(
    fc.property(
      fc.anything({ withBigInt: true, withDate: true, withMap: true }),
      (value) => show(value).length <= 80,
    ),
  )
})

test('a path reads back as the keys it was made of', () => {
  const key = fc.oneof(fc.string(), fc.stringMatching(/^[a-z$_]\w*$/), fc.nat(99))
  fc.assert(
    fc.property(fc.array(key, { minLength: 1 }), (keys) => {
      const path = keys.reduce<string>(childPath, '')
      assert.deepEqual(pathParts(path), keys.map(String))
    }),
  )
})

test('the nearest word is one that can be meant', () => {
  const known = ['maxAgeSeconds', 'origins', 'owner', 'mode', 'frameOptions', 'check', 'trustedProxies']
  const cases: readonly (readonly [string, string | undefined])[] = [
    ['origin', 'origins'],
    ['Origins', 'origins'],
    ['maxAge', 'maxAgeSeconds'],
    ['chek', 'check'],
    ['xFrameOptions', 'frameOptions'],
    ['proxies', 'trustedProxies'],
    ['o', undefined],
    ['everything', undefined],
    ['x'.repeat(100_000), undefined],
  ]
  for (const [word, meant] of cases) assert.equal(nearest(word, known), meant, word.slice(0, 20))
})
