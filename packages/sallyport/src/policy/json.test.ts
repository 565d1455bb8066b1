import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { runs } from '../../test/runs.ts'
import { readJson } from './json.ts'

test('a wrong text is refused with line and column', () => {
  const cases: readonly (readonly [text: string, fault: string])[] = [
    ['', '1:1 expected a value, found the end'],
    ['{', '1:2 expected a name in double quotes, found the end'],
    ['{\n  "a": 1,\n}', '2:9 a comma before "}"'],
    ['[1,]', '1:3 a comma before "]"'],
    ['[1 2]', '1:4 expected "," or "]", found "2"'],
    ['{"a" 1}', '1:6 expected ":", found "1"'],
    ['{a: 1}', '1:2 expected a name in double quotes, found "a"'],
    ["{'a': 1}", '1:2 expected a name in double quotes, found "\'"'],
    [
      '{\n// note\n"a": 1}',
      '2:1 expected a name in double quotes, found a comment, which JSON does not have',
    ],
    ['{"a": 1} /* end */', '1:10 a comment, which JSON does not have after the end of the document'],
    ['{"a": undefined}', '1:7 expected a value, found undefined'],
    ['{"a": NaN}', '1:7 expected a value, found NaN'],
    ['[01]', '1:3 expected "," or "]", found "1"'],
    ['[+1]', '1:2 expected a value, found "+"'],
    ['[.5]', '1:2 expected a value, found "."'],
    ['[-]', '1:2 expected a value, found "-"'],
    ['{"a": "b', '1:7 a text that does not end'],
    ['{"a": "b\nc"}', '1:9 a line break or control character in a text'],
    ['{"a": "\\x41"}', '1:8 an escape that JSON does not know'],
    ['{"a": 1}\n{"b": 2}', '2:1 "{" after the end of the document'],
    ['{"a": 1,\n "a": 2}', '2:2 the name "a" stands twice'],
    ['{"a": 1, "\\u0061": 2}', '1:10 the name "a" stands twice'],
    ['['.repeat(300), '1:258 nested more than 256 deep'],
  ]
  for (const [text, expected] of cases) {
    const result = readJson(text)
    assert.ok('fault' in result, text)
    assert.equal(`${result.fault.line}:${result.fault.column} ${result.fault.message}`, expected)
  }
})

test('reads every JSON value as JSON.parse does', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(undefined, 2, '\t'), (value, space) => {
      const text = JSON.stringify(value, null, space)
      assert.deepEqual(readJson(text), { value: JSON.parse(text) })
    }),
  )
})

test('any text is read or refused as by JSON.parse, names that stand twice apart', () => {
  const pieces = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"',
    '"a"',
    '1',
    '-0',
    '1e5',
    'true',
    'null',
    ' ',
    '\n',
    '\\',
    '\\u00e9',
    '.',
  )
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.array(pieces).map((parts) => parts.join('')),
      ),
      (text) => {
        const result = readJson(text)
        let parsed: { value: unknown } | undefined
        try {
          parsed = { value: JSON.parse(text) }
        } catch {
          parsed = undefined
        }
        if ('value' in result) assert.deepEqual(result, parsed)
        else if (!result.fault.message.endsWith('stands twice')) assert.equal(parsed, undefined)
      },
    ),
    runs(2000),
  )
})

test('a name "__proto__" is a member like any other', () => {
  const result = readJson('{"__proto__": {"a": 1}}')
  assert.ok('value' in result)
  assert.deepEqual(Object.keys(result.value as object), ['__proto__'])
  assert.equal(({} as { a?: number }).a, undefined)
})

test('a byte order mark before the text is passed over', () => {
  assert.deepEqual(readJson('\ufeff{}'), { value: {} })
})
