// The detector against bodies as frameworks, drivers and hosts write them, and against those that tell nothing.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { CLEAN, LEAKY } from './leak-corpus.ts'
import { leaksIn } from './leaks.ts'

test('H20 every body of the leaky corpus is found, as what it is', () => {
  const missed = LEAKY.filter(({ kind, body }) => !leaksIn(body).some((leak) => leak.kind === kind))
  assert.deepEqual(
    missed.map(({ name }) => name),
    [],
  )
  assert.ok(LEAKY.length >= 76, `${LEAKY.length}`)
})

test('no body of the clean corpus is suspected', () => {
  const suspected = CLEAN.flatMap(({ name, body }) =>
    leaksIn(body).map((leak) => `${name}: ${leak.what}: ${leak.sample}`),
  )
  assert.deepEqual(suspected, [])
  assert.ok(CLEAN.length >= 55, `${CLEAN.length}`)
})

test('a leak is found in JSON within JSON, and in markup', () => {
  for (const { name, kind, body } of LEAKY.filter((each) => each.kind !== 'debug-page')) {
    const nested = JSON.stringify({ error: { detail: JSON.stringify({ message: body }) } })
    assert.ok(
      leaksIn(nested).some((leak) => leak.kind === kind),
      `nested: ${name}`,
    )
  }
})

test('no secret is shown whole', () => {
  for (const { name, kind, body } of LEAKY.filter((each) => each.kind === 'secret'))
    for (const leak of leaksIn(body).filter((each) => each.kind === kind))
      assert.ok(leak.sample.length <= 13, `${name}: ${leak.sample}`)
})

test('any text is read, long ones of nearly matching pieces too', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (text) => {
      leaksIn(text)
    }),
  )
  // An expression that backtracks would not come to its end here.
  const pieces = [
    'at a.b',
    '/usr/',
    'File "',
    '(',
    'A.B',
    "'",
    '\\n',
    '{"a":',
    'eyJa',
    ' ',
    '::',
    'x',
    '<p',
    '&amp;',
  ]
  for (const piece of pieces) leaksIn(piece.repeat(100_000 / piece.length))
})
