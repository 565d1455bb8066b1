import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type PolicyProblem, sentence } from './problem.ts'
import {
  either,
  flag,
  integer,
  isPlainObject,
  list,
  not,
  object,
  oneOf,
  record,
  type Schema,
  text,
} from './schema.ts'

function problemsOf(schema: Schema<unknown>, value: unknown): readonly string[] {
  const found: PolicyProblem[] = []
  schema.check(value, 'x', (problem) => found.push(problem))
  return found.map(sentence)
}

const count = integer({ min: 1, max: 9, example: 5 }, 'A number.')
const word = oneOf(['none', 'private'], 'A word.')
const name = text({ pattern: /^[a-z]+$/, max: 5, expected: 'a name', mend: 'write "abc"' }, 'A name.')
const names = list(name, 'Names.', { min: 1, max: 3 })
const byName = record(
  { pattern: /^[a-z]+$/, expected: 'a name', mend: 'write "abc"' },
  count,
  'Numbers by name.',
)
const shape = object({ count, word, on: flag('A flag.') }, 'An object.')
const choice = either([not('Off.'), names, shape], 'A choice.')

const sound: readonly (readonly [Schema<unknown>, unknown])[] = [
  [count, 1],
  [count, 9],
  [word, 'none'],
  [name, 'abc'],
  [names, ['a', 'b']],
  [byName, {}],
  [byName, { a: 1 }],
  [shape, {}],
  [shape, { count: 3, on: false, word: undefined }],
  [choice, false],
  [choice, ['a']],
  [choice, { on: true }],
]

const wrong: readonly (readonly [Schema<unknown>, unknown, ...string[]])[] = [
  [count, 0, 'x: expected a whole number from 1 to 9, received 0; write a number such as 5'],
  [count, '5', 'x: expected a whole number from 1 to 9, received "5"; write a number such as 5'],
  [word, 'nona', 'x: expected one of "none", "private", received "nona"; did you mean "none"?'],
  [word, 'x', 'x: expected one of "none", "private", received "x"; write one of them'],
  [name, 'ABC', 'x: expected a name, received "ABC"; write "abc"'],
  [name, 'abcdef', 'x: expected a name, received "abcdef"; write "abc"'],
  [names, [], 'x: expected at least 1 item, received []; add one'],
  [names, ['a', 'b', 'c', 'd'], 'x: expected at most 3 items, received 4; shorten the list'],
  [
    names,
    ['a', 'a', 7],
    'x[1]: stands twice in the list, received "a"; remove one of them',
    'x[2]: expected a name, received 7; write "abc"',
  ],
  [byName, { A: 1 }, 'x.A: this name is not a name, received "A"; write "abc"'],
  [byName, { a: 0 }, 'x.a: expected a whole number from 1 to 9, received 0; write a number such as 5'],
  [shape, { cuont: 1 }, 'x.cuont: there is no setting "cuont" here; did you mean "count"?'],
  [
    shape,
    { constructor: 1 },
    'x.constructor: there is no setting "constructor" here; the settings here are count, word, on',
  ],
  [shape, [], 'x: expected an object, received []; write it in braces: { … }'],
  [
    choice,
    true,
    'x: expected false or a list or an object, received true; write false, or write it in brackets: [ … ], or write it in braces: { … }',
  ],
  [choice, { on: 1 }, 'x.on: expected true or false, received 1; write true or false'],
  [choice, ['A'], 'x[0]: expected a name, received "A"; write "abc"'],
]

test('what keeps to a schema has no problems', () => {
  for (const [schema, value] of sound) assert.deepEqual(problemsOf(schema, value), [])
})

test('what does not is told in whole sentences, each with its place', () => {
  for (const [schema, value, ...sentences] of wrong) assert.deepEqual(problemsOf(schema, value), sentences)
})

test('what one branch keeps to itself is shown by no other', () => {
  const secret: Schema<string> = {
    json: {},
    check: (_value, path, report) =>
      report({ path, kind: 'type', received: undefined, message: 'expected a key', mend: 'paste it' }),
  }
  assert.deepEqual(problemsOf(either([not('Off.'), secret], 'A key.'), 's3cr3t'), [
    'x: expected false or a key; write false, or paste it',
  ])
})

test('no value makes a check throw', () => {
  fc.assert(
    fc.property(fc.anything({ withBigInt: true, withDate: true, withNullPrototype: true }), (value) => {
      for (const schema of [count, word, name, names, byName, shape, choice]) problemsOf(schema, value)
    }),
  )
})

test('plain objects are literals and what JSON makes, and nothing with behaviour', () => {
  class Thing {}
  for (const value of [{}, Object.create(null), JSON.parse('{}')]) assert.equal(isPlainObject(value), true)
  for (const value of [null, [], new Thing(), new Date(), new Map(), 'x', () => 1])
    assert.equal(isPlainObject(value), false)
})
