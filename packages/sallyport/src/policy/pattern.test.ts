// Route keys: what is read from them, and each reason to refuse one.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { foldPath, isPatternFault, METHODS, type Pattern, parsePattern } from './pattern.ts'

const GOOD: readonly (readonly [key: string, method: string | undefined, segments: Pattern['segments']])[] = [
  ['/', undefined, [{ kind: 'static', text: '' }]],
  ['/*', undefined, [{ kind: 'wildcard' }]],
  ['/v1', undefined, [{ kind: 'static', text: 'v1' }]],
  [
    '/v1/',
    undefined,
    [
      { kind: 'static', text: 'v1' },
      { kind: 'static', text: '' },
    ],
  ],
  ['GET /v1/*', 'GET', [{ kind: 'static', text: 'v1' }, { kind: 'wildcard' }]],
  [
    'QUERY /users/:id/items',
    'QUERY',
    [
      { kind: 'static', text: 'users' },
      { kind: 'param', name: 'id' },
      { kind: 'static', text: 'items' },
    ],
  ],
  ['/:_a1/*', undefined, [{ kind: 'param', name: '_a1' }, { kind: 'wildcard' }]],
  ['/caf%C3%A9', undefined, [{ kind: 'static', text: 'caf%C3%A9' }]],
]

const BAD: readonly (readonly [key: string, message: RegExp])[] = [
  ['', /starts with "\/"/],
  ['v1', /starts with "\/"/],
  ['GET v1', /starts with "\/"/],
  ['GET  /v1', /starts with "\/"/],
  [' /v1', /one method of/],
  ['get /v1', /one method of/],
  ['TRACE /v1', /one method of/],
  ['CONNECT /v1', /one method of/],
  ['/v1/*/x', /last segment/],
  ['/v1/a*', /whole segment/],
  ['/v1/**', /whole segment/],
  ['/:', /a parameter is/],
  ['/:a-b', /a parameter is/],
  ['/:1', /a parameter is/],
  ['/a:b', /a word, ":name" or "\*"/],
  ['/{id}', /a word, ":name" or "\*"/],
  ['/(a|b)', /a word, ":name" or "\*"/],
  ['//', /an empty segment/],
  ['//*', /an empty segment/],
  ['/v1//x', /an empty segment/],
  ['/v1//*', /an empty segment/],
  ['/v1/../x', /a dot segment/],
  ['/v1/..', /a dot segment/],
  ['/v1/./*', /a dot segment/],
  ['/v1;x', /a semicolon/],
  ['/v1\\x', /a backslash/],
  ['/caf\u00e9', /must be escaped/],
  ['/v1?x', /must be escaped/],
  ['/v1#x', /must be escaped/],
  ['/%c3%a9', /in small letters/],
  ['/%61', /of a plain character/],
  ['/a%2Fb', /an escaped slash/],
  ['/%252E', /an escaped "%"/],
  ['/a b', /must be escaped/],
]

describe('route patterns', () => {
  for (const [key, method, segments] of GOOD)
    test(`${key} is read`, () => {
      const pattern = parsePattern(key)
      assert.ok(!isPatternFault(pattern))
      assert.equal(pattern.method, method)
      assert.deepEqual(pattern.segments, segments)
      assert.equal(key.endsWith(pattern.path), true)
    })

  for (const [key, message] of BAD)
    test(`${JSON.stringify(key)} is refused with a mend`, () => {
      const fault = parsePattern(key)
      assert.ok(isPatternFault(fault))
      assert.match(fault.message, message)
      assert.notEqual(fault.mend, '')
    })

  test('every mend that spells out a route key is itself a good one', () => {
    for (const [key] of BAD) {
      const fault = parsePattern(key)
      assert.ok(isPatternFault(fault))
      const example = /^write "([^"]+)"/.exec(fault.mend)?.[1]
      if (example?.includes('/')) assert.equal(isPatternFault(parsePattern(example)), false, fault.mend)
    }
  })

  test('any text is read or refused, and what is read has as many segments as the path', () => {
    const piece = fc.oneof(
      fc.string(),
      fc.constantFrom('/', '*', ':a', 'GET ', '%2F', '..', 'v1', ...METHODS),
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const pattern = parsePattern(pieces.join(''))
        if (!isPatternFault(pattern))
          assert.equal(pattern.segments.length, pattern.path.split('/').length - 1)
      }),
    )
  })

  test('folding drops letter case and one trailing slash, and is done after one time', () => {
    assert.deepEqual(['/A/b/', '/', '/x', '/%C3%A9/'].map(foldPath), ['/a/b', '/', '/x', '/%c3%a9'])
    fc.assert(
      fc.property(fc.stringMatching(/^(\/[A-Za-z0-9%]+)*\/?$/), (path) => {
        assert.equal(foldPath(foldPath(path)), foldPath(path))
      }),
    )
  })
})
