// The tests that every front end passes: each case at once, behind a good request, byte by byte, and cut at
// random places.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { RawCase } from './case.ts'
import { rawCases } from './cases.ts'
import { bytesOf, runCase, type Subject } from './run.ts'

/** What a front end may do differently. */
export interface SuiteOptions {
  /** Cases to leave out, by id, each with the honest reason. */
  readonly without?: Readonly<Record<string, string>>
  /** Random cuts of each case; 3 where nothing is said. */
  readonly randomCuts?: number
  /** Whether short cases are also sent byte by byte; true where nothing is said. */
  readonly byteByByte?: boolean
}

// Longer cases are cut at random only: byte by byte they would take minutes.
const BYTEWISE_MAX = 600

/** Registers the suite for one front end. */
export function robustnessSuite(name: string, subject: () => Subject, options: SuiteOptions = {}): void {
  const chosen = rawCases.filter(({ id }) => !Object.hasOwn(options.without ?? {}, id))
  describe(`robustness of ${name}`, () => {
    for (const raw of chosen)
      test(`${raw.id}: ${raw.reason} (${raw.source})`, async () => {
        const whole = await runCase(subject(), raw)
        assert.equal(whole.wrong, undefined)
        // A client that has closed its side has left, and the answer before it may be given up.
        const later = raw.truncated ? whole : await runCase(subject(), raw, { behind: true })
        assert.equal(later.wrong, undefined, 'behind a good request')
        assert.deepEqual(
          [later.verdict, later.reached],
          [whole.verdict, whole.reached],
          'behind a good request',
        )
        for (const cuts of cutsOf(raw, options)) {
          const parts = await runCase(subject(), raw, { cuts })
          const where = cuts.length > 8 ? 'byte by byte' : `cut at ${cuts.join(', ')}`
          assert.equal(parts.wrong, undefined, where)
          assert.deepEqual([parts.verdict, parts.reached], [whole.verdict, whole.reached], where)
        }
      })
  })
}

function cutsOf(
  raw: RawCase,
  { randomCuts = 3, byteByByte = true }: SuiteOptions,
): readonly (readonly number[])[] {
  const { length } = bytesOf(raw)
  const next = generator(raw.id)
  const chosen = Array.from({ length: randomCuts }, () => {
    const cuts = new Set(Array.from({ length: 1 + (next() % 3) }, () => 1 + (next() % (length - 1))))
    return [...cuts].sort((a, b) => a - b)
  })
  const bytewise =
    byteByByte && length <= BYTEWISE_MAX ? [Array.from({ length: length - 1 }, (_, i) => i + 1)] : []
  return [...bytewise, ...chosen]
}

// A multiplicative generator seeded by the case's own name (FNV-1a): each run cuts at the same places.
function generator(seed: string): () => number {
  let state = 2_166_136_261
  for (const char of seed) state = Math.imul(state ^ char.charCodeAt(0), 16_777_619) >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state >>> 8
  }
}
