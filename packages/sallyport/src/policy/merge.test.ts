import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { layer } from './merge.ts'

test('objects merge field by field, everything else is replaced', () => {
  const cases: readonly (readonly [lower: unknown, upper: unknown, merged: unknown])[] = [
    [{ a: { x: 1, y: 2 } }, { a: { y: 3 } }, { a: { x: 1, y: 3 } }],
    [{ a: [1, 2] }, { a: [3] }, { a: [3] }],
    [{ a: { x: 1 } }, { a: false }, { a: false }],
    [{ a: false }, { a: { x: 1 } }, { a: { x: 1 } }],
    [{ a: 1 }, { a: undefined }, { a: 1 }],
    [{ a: 1 }, undefined, { a: 1 }],
    [undefined, { a: 1 }, { a: 1 }],
    [{ a: { x: 1 } }, { a: null }, { a: null }],
  ]
  for (const [lower, upper, merged] of cases) assert.deepEqual(layer(lower, upper), merged)
})

test('a policy laid over itself is itself, and laying over is associative', () => {
  const policy = fc.dictionary(
    fc.constantFrom('a', 'b', 'c'),
    fc.dictionary(fc.constantFrom('x', 'y'), fc.nat(3), { noNullPrototype: true }),
    { noNullPrototype: true },
  )
  fc.assert(
    fc.property(policy, policy, policy, (a, b, c) => {
      assert.deepEqual(layer(a, a), a)
      assert.deepEqual(layer(layer(a, b), c), layer(a, layer(b, c)))
    }),
  )
})

test('neither layer is changed, and no prototype is reached', () => {
  const lower = Object.freeze({ a: Object.freeze({ x: 1 }) })
  const upper = JSON.parse(
    '{"__proto__": {"polluted": true}, "a": {"__proto__": {"polluted": true}}}',
  ) as unknown
  assert.deepEqual(layer(lower, upper), { a: { x: 1 } })
  assert.equal(({} as { polluted?: boolean }).polluted, undefined)
})
