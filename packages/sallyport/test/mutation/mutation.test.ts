// A slice of the mutation run, drawn by a seed: what is broken is found, unless the page of the whole run publishes it as
// a miss, and what is not broken is left in peace. The whole run belongs to `npm run test:long`.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { mutations } from './list.ts'
import { BARS } from './report.ts'
import { runMutations } from './run.ts'
import { runUnbrokenCases, unbrokenCases } from './unbroken.ts'

const SEED = 20_261_125
const SLICE = { app: 6, gateway: 2, rich: 4 } as const
const UNBROKEN = 3

const page = readFileSync(new URL('../../../../docs/mutation-run.md', import.meta.url), 'utf8')
const published = new Set([...page.matchAll(/^\| `(.+?)` \| .+ \| .+ \| .+ \|$/gm)].map(([, id]) => id))

/** A draw without replacement, by a linear congruential generator. */
function drawn<T>(list: readonly T[], count: number): readonly T[] {
  const left = [...list]
  let state = SEED
  return Array.from({ length: Math.min(count, left.length) }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return left.splice(state % left.length, 1)[0]!
  })
}

describe('a slice of the mutation run', () => {
  it('the page publishes misses of this list, and few', () => {
    const ids = new Set(mutations.map(({ id }) => id))
    assert.deepEqual(
      [...published].filter((id) => !ids.has(id!)),
      [],
    )
    assert.ok(published.size > 0 && published.size <= mutations.length * (1 - BARS.found))
  })

  for (const subject of ['app', 'gateway', 'rich'] as const)
    it(`what is broken of the server "${subject}" is found`, async () => {
      const list = mutations.filter((each) => each.subject === subject && !published.has(each.id))
      const outcomes = await runMutations(drawn(list, SLICE[subject]))
      assert.equal(outcomes.length, SLICE[subject])
      assert.deepEqual(
        outcomes.flatMap(({ mutation, verdict }) =>
          verdict === 'found' ? [] : [`${mutation.id}: ${verdict}`],
        ),
        [],
      )
    })

  it('what is not broken is left in peace', async () => {
    for (const { name, findings, of } of await runUnbrokenCases(drawn(unbrokenCases, UNBROKEN))) {
      assert.deepEqual(findings, [], name)
      assert.ok(of > 100, name)
    }
  })
})
