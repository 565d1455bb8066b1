// A slice of the mutation run, drawn by a seed: what is broken is found, and what is not broken is left in peace. The
// whole run belongs to `npm run test:long`.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { mutations } from './list.ts'
import { alarmPart, BARS, foundPart } from './report.ts'
import { type Outcome, runMutations } from './run.ts'
import { runUnbrokenCases, unbrokenCases } from './unbroken.ts'

const SEED = 20_261_125
const SLICE = { app: 6, gateway: 4, rich: 5, unbroken: 3 } as const

/** A draw without replacement, by a linear congruential generator. */
function drawn<T>(list: readonly T[], count: number): readonly T[] {
  const left = [...list]
  let state = SEED
  return Array.from({ length: Math.min(count, left.length) }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return left.splice(state % left.length, 1)[0]!
  })
}

const missed = (outcomes: readonly Outcome[]) =>
  outcomes.flatMap(({ mutation, verdict }) => (verdict === 'found' ? [] : [`${mutation.id}: ${verdict}`]))

describe('a slice of the mutation run', () => {
  for (const subject of ['app', 'gateway', 'rich'] as const)
    it(`what is broken of the server "${subject}" is found`, async () => {
      // What the page publishes as a miss whose reason is known is not drawn.
      const list = mutations.filter((each) => each.subject === subject && !each.id.startsWith('cookie/'))
      const outcomes = await runMutations(drawn(list, SLICE[subject]))
      assert.ok(foundPart(outcomes) >= BARS.found, missed(outcomes).join('\n'))
    })

  it('what is not broken is left in peace', async () => {
    const unbroken = await runUnbrokenCases(drawn(unbrokenCases, SLICE.unbroken))
    assert.ok(alarmPart(unbroken) <= BARS.falseAlarms, JSON.stringify(unbroken, undefined, 2))
    for (const { name, of } of unbroken) assert.ok(of > 100, name)
  })
})
