import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { plainCopy } from './plain.ts'
import { sentence } from './problem.ts'

class Origins {
  readonly list = ['https://app.example']
}

test('what is not plain data is refused with its path', () => {
  const cyclic: Record<string, unknown> = { name: 'x' }
  cyclic.headers = { strip: cyclic }
  const deep = Array.from({ length: 70 }).reduce<unknown>((inner) => [inner], 1)
  const cases: readonly (readonly [value: unknown, message: string])[] = [
    [
      { name: () => 'x' },
      "name: a policy is plain data: a function can't be digested or sent, received a function; write the value itself",
    ],
    [
      { cors: { origins: [1n] } },
      "cors.origins[0]: a policy is plain data: a bigint can't be digested or sent, received 1; write the value itself",
    ],
    [
      { name: Symbol('x') },
      "name: a policy is plain data: a symbol can't be digested or sent, received Symbol(x); write the value itself",
    ],
    [
      { [Symbol('x')]: 1 },
      'policy: a policy is plain data: a symbol is no name of a setting, received Symbol(x); write the name as text',
    ],
    [
      { cache: { maxAgeSeconds: Number.NaN } },
      'cache.maxAgeSeconds: a policy is plain data: NaN is not a number of JSON; write a number',
    ],
    [
      { cache: { maxAgeSeconds: Number.POSITIVE_INFINITY } },
      'cache.maxAgeSeconds: a policy is plain data: Infinity is not a number of JSON; write a number',
    ],
    [
      { disclosure: { expires: new Date(0) } },
      "disclosure.expires: a policy is plain data: an instance of Date can't be digested or sent; write an object literal, a list, a text or a number",
    ],
    [
      { cors: new Origins() },
      "cors: a policy is plain data: an instance of Origins can't be digested or sent; write an object literal, a list, a text or a number",
    ],
    [
      { routes: new Map() },
      "routes: a policy is plain data: an instance of Map can't be digested or sent; write an object literal, a list, a text or a number",
    ],
    [
      { cors: { origins: [undefined] } },
      'cors.origins[0]: a policy is plain data: nothing stands here; write the value itself',
    ],
    [
      cyclic,
      'headers.strip: a policy is plain data: it contains itself; remove the reference that leads back',
    ],
    [
      JSON.parse('{"routes": {"__proto__": {}}}'),
      'routes.__proto__: a policy is plain data: "__proto__" is no name of a setting; remove it',
    ],
    [
      { name: '\ud800' },
      'name: a policy is plain data: this text holds half a surrogate pair, received "\\ud800"; write it as valid Unicode',
    ],
    [
      { '\udc00': 1 },
      'policy: a policy is plain data: this name holds half a surrogate pair, received "\\udc00"; write it as valid Unicode',
    ],
    [deep, `${'[0]'.repeat(64)}: a policy is plain data: it is nested more than 64 deep; flatten it`],
  ]
  for (const [value, message] of cases) assert.deepEqual(plainCopy(value).problems.map(sentence), [message])
})

test('a getter is refused without being asked', () => {
  let asked = 0
  const policy = {
    get cors() {
      asked += 1
      return {}
    },
  }
  assert.deepEqual(plainCopy(policy).problems.map(sentence), [
    'cors: a policy is plain data: this is a getter, which may answer differently each time; write the value itself',
  ])
  assert.equal(asked, 0)
})

test('a copy is equal, frozen to its depth, and untouched by later changes', () => {
  const policy = { cors: { origins: ['https://a.example'] }, name: undefined }
  const copy = plainCopy(policy)
  policy.cors.origins.push('https://evil.example')
  assert.deepEqual(copy, { value: { cors: { origins: ['https://a.example'] } }, problems: [] })
  const { cors } = copy.value as { cors: { origins: string[] } }
  assert.throws(() => cors.origins.push('x'), TypeError)
  assert.ok(Object.isFrozen(cors) && Object.isFrozen(copy.value))
})

test('every JSON value is plain', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const read = JSON.parse(JSON.stringify(value)) as unknown
      const hasProto = JSON.stringify(value).includes('"__proto__":')
      const copy = plainCopy(read)
      if (hasProto) assert.notDeepEqual(copy.problems, [])
      else assert.deepEqual(copy, { value: read, problems: [] })
    }),
  )
})

test('a document that shares its parts over and over is given up, not followed', () => {
  let shared: unknown = 'x'
  for (let level = 0; level < 40; level++) shared = [shared, shared]
  assert.deepEqual(plainCopy({ extends: shared }).problems.map(sentence), [
    'policy: a policy is plain data: it has more than 1000000 values; give routes of one kind one pattern',
  ])
})

test('a list of a billion holes is refused at once', () => {
  assert.deepEqual(plainCopy({ cors: { origins: new Array(1e9) } }).problems.map(sentence), [
    'cors.origins: a policy is plain data: a list of 1000000000 items; shorten the list',
  ])
})
