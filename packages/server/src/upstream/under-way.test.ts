// The list of what is under way: it holds what a Set would hold, and nothing that has left it.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import * as fc from 'fast-check'
import { runs } from '../../../sallyport/test/runs.ts'
import { createUnderWay, type Member } from './under-way.ts'

test('it holds what a Set holds after the same steps', () => {
  const step = fc.record({ isAdd: fc.boolean(), index: fc.nat(15) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const members: readonly Member[] = Array.from({ length: 16 }, () => ({ place: -1 }))
      const list = createUnderWay<Member>()
      const model = new Set<Member>()
      for (const { isAdd, index } of steps) {
        const one = members[index]!
        // What is under way is added once.
        if (isAdd && !model.has(one)) {
          list.add(one)
          model.add(one)
        } else if (!isAdd) {
          list.remove(one)
          model.delete(one)
        }
      }
      assert.deepEqual(new Set(list.all()), model)
      assert.equal(list.size, model.size)
    }),
    runs(500),
  )
})

test('what has left it is free without a full collection', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as (options?: { type: 'minor' }) => void
  const list = createUnderWay<Member>()
  const waiting: Member[] = []
  const all: WeakRef<Member>[] = []
  const pass = (count: number) => {
    for (let i = 0; i < count; i++) {
      const one = { place: -1 }
      list.add(one)
      waiting.push(one)
      all.push(new WeakRef(one))
      if (waiting.length > 32) list.remove(waiting.shift()!)
    }
  }
  // A WeakRef keeps its object to the end of the turn that made it.
  const turnOver = () => new Promise((resolve) => setImmediate(resolve))
  pass(100)
  await turnOver()
  // From here on the list itself is old.
  collect()
  for (let round = 0; round < 20; round++) {
    pass(500)
    await turnOver()
    collect({ type: 'minor' })
  }
  await turnOver()
  collect({ type: 'minor' })
  collect({ type: 'minor' })
  const kept = all.filter((reference) => reference.deref() !== undefined).length
  assert.ok(kept < 1_000, `${kept} of 10,100 are kept`)
})
