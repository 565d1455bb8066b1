// Slots and who waits for them: the same as a plain model says, and nobody is forgotten.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { runs } from '../../../sallyport/test/runs.ts'
import { createSlots, type Waiting } from './slots.ts'

class One implements Waiting {
  readonly client: string | undefined
  isIn = false
  constructor(client: string | undefined) {
    this.client = client
  }
  proceed(): void {
    assert.equal(this.isIn, false)
    this.isIn = true
  }
}

test('whoever waits is let in when there is room for their client, the longest first', () => {
  const slots = createSlots<One>(2, 1, 4)
  const [a, b, a2, c, d] = ['a', 'b', 'a', 'c', 'd'].map((name) => new One(name)) as [One, One, One, One, One]
  assert.deepEqual(
    [a, b, a2, c, d].map((one) => slots.ask(one)),
    ['taken', 'taken', 'queued', 'queued', 'queued'],
  )
  // The first in the line is of a client that has its part already.
  slots.give(b)
  assert.deepEqual([a2.isIn, c.isIn, d.isIn], [false, true, false])
  slots.give(a)
  assert.deepEqual([a2.isIn, d.isIn], [true, false])
  slots.leave(d)
  assert.equal(slots.waiting, 0)
})

test('one client waits in half of the places at most, and nobody where there are none', () => {
  const slots = createSlots<One>(1, 1, 4)
  const ask = (name: string) => slots.ask(new One(name))
  assert.deepEqual(['a', 'a', 'a', 'a'].map(ask), ['taken', 'queued', 'queued', 'full'])
  assert.deepEqual(['b', 'b', 'c'].map(ask), ['queued', 'queued', 'full'])
  const none = createSlots<One>(1, 1, 0)
  assert.deepEqual([none.ask(new One('a')), none.ask(new One('b'))], ['taken', 'full'])
})

test('never more than there are, never more than a part for one, and room is never left while somebody may have it', () => {
  const step = fc.record({
    client: fc.constantFrom('a', 'b', 'c', undefined),
    pick: fc.nat(30),
    act: fc.nat(2),
  })
  fc.assert(
    fc.property(
      fc.record({
        total: fc.integer({ min: 1, max: 5 }),
        part: fc.integer({ min: 1, max: 5 }),
        queue: fc.nat(6),
      }),
      fc.array(step, { maxLength: 200 }),
      ({ total, part, queue }, steps) => {
        const slots = createSlots<One>(total, part, queue)
        let inside: One[] = []
        let line: One[] = []
        const of = (client: string | undefined) => inside.filter((one) => one.client === client).length
        for (const { client, pick, act } of steps) {
          if (act === 0) {
            const one = new One(client)
            const answer = slots.ask(one)
            if (answer === 'taken') one.isIn = true
            const waits = line.filter((other) => other.client === client).length
            if (answer !== 'full') line.push(one)
            else assert.ok(line.length === queue || (client !== undefined && waits >= Math.ceil(queue / 2)))
          } else if (act === 1 && inside.length > 0) {
            const [one] = inside.splice(pick % inside.length, 1)
            slots.give(one!)
          } else if (act === 2 && line.length > 0) {
            const [one] = line.splice(pick % line.length, 1)
            slots.leave(one!)
          }
          inside = [...inside, ...line.filter((one) => one.isIn)]
          line = line.filter((one) => !one.isIn)
          assert.equal(slots.waiting, line.length)
          assert.ok(inside.length <= total && line.length <= queue)
          for (const name of ['a', 'b', 'c']) assert.ok(of(name) <= part)
          for (const one of line)
            assert.ok(inside.length === total || (one.client !== undefined && of(one.client) === part))
        }
      },
    ),
    runs(300),
  )
})
