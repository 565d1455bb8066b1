// The solver against Node's own SHA-256.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { solveChallenge, zeroBitsAfter } from './solve.ts'

const zeroBits = (text: string): number =>
  Math.clz32(createHash('sha256').update(text).digest().readUInt32BE(0))

test('FIPS 180-4: the zeros of every text are those of SHA-256', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 300 }), fc.stringMatching(/^[0-9a-z]{1,11}$/), (beginning, ending) =>
      assert.equal(zeroBitsAfter(beginning)(ending), zeroBits(beginning + ending)),
    ),
    { numRuns: 2_000 },
  )
  // Every place at which the ending can begin in a block.
  for (let length = 0; length <= 130; length++) {
    const zeros = zeroBitsAfter('x'.repeat(length))
    for (const ending of ['0', 'zz', '0123456789a'])
      assert.equal(zeros(ending), zeroBits('x'.repeat(length) + ending))
  }
})

test('what is found has the zeros that were asked for', async () => {
  for (const difficulty of [0, 1, 5, 12]) {
    const answer = await solveChallenge({ kind: 'proof-of-work', puzzle: '1.a.b.c', difficulty })
    assert.match(answer, /^1\.a\.b\.c\.[0-9a-z]+$/)
    assert.ok(zeroBits(answer) >= difficulty)
  }
})

test('what is no puzzle is refused, and a search ends when it is told to', async () => {
  for (const wrong of [
    { kind: 'turnstile', sitekey: 'x' },
    { kind: 'proof-of-work', puzzle: 5, difficulty: 3 },
    { kind: 'proof-of-work', puzzle: 'x', difficulty: 33 },
    { kind: 'proof-of-work', puzzle: 'x', difficulty: 1.5 },
    { kind: 'proof-of-work' },
  ])
    await assert.rejects(solveChallenge(wrong), TypeError)
  const hard = { kind: 'proof-of-work', puzzle: 'x', difficulty: 32 }
  const gone = new AbortController()
  const search = solveChallenge(hard, { signal: gone.signal })
  gone.abort(new Error('enough'))
  await assert.rejects(search, /enough/)
})
