import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { compileCell } from './compile.ts'
import type { Seen } from './control.ts'
import type { Exchange } from './exchange.ts'
import { type Lines, lines } from './lines.ts'

const A = lines([['A', '1']])
const B = lines([['B', '2']])
const C = lines([['C', '3']])
const SEEN: Seen = { get: () => undefined }

/** A cell whose two controls give what stands in `next`; an error is thrown. */
function cellOf(next: (Lines | Error)[]) {
  const give = (index: number) => () => {
    const given = next[index]!
    if (given instanceof Error) throw given
    return given
  }
  const cell = compileCell(
    [],
    [{ fixed: lines([['Fixed', '0']]), vary: ['Origin'], perAnswer: give(0) }, { perAnswer: give(1) }],
  )
  return (vary?: string) => cell.joined.of(cell, {} as Exchange, 200, SEEN, vary)
}

describe('the lines of an answer', () => {
  it('are those of the answer at hand, whatever the one before had', () => {
    const next: Lines[] = [A, B]
    const wire = cellOf(next)
    for (const [first, second] of [
      [A, B],
      [A, B],
      [A, C],
      [C, B],
      [A, B],
    ] as const) {
      next[0] = first
      next[1] = second
      assert.equal(wire(), `Fixed: 0\r\n${first.wire}${second.wire}Vary: Origin\r\n`)
    }
  })

  it('have the merged Vary in place of the cell’s own, on that answer only', () => {
    const wire = cellOf([A, B])
    assert.equal(wire('Vary: Accept, Origin\r\n'), 'Fixed: 0\r\nA: 1\r\nB: 2\r\nVary: Accept, Origin\r\n')
    assert.equal(wire(), 'Fixed: 0\r\nA: 1\r\nB: 2\r\nVary: Origin\r\n')
  })

  it('keep nothing of what was made for one answer', () => {
    const next: Lines[] = [A, { ...B, once: true }]
    const wire = cellOf(next)
    assert.equal(wire(), 'Fixed: 0\r\nA: 1\r\nVary: Origin\r\nB: 2\r\n')
    next[1] = { ...C, once: true }
    assert.equal(wire(), 'Fixed: 0\r\nA: 1\r\nVary: Origin\r\nC: 3\r\n')
    next[1] = B
    assert.equal(wire(), 'Fixed: 0\r\nA: 1\r\nB: 2\r\nVary: Origin\r\n')
  })

  it('are made anew after a control that threw half-way', () => {
    const next: (Lines | Error)[] = [A, B]
    const wire = cellOf(next)
    wire()
    next.splice(0, 2, C, new Error('half-way'))
    assert.throws(() => wire(), /half-way/)
    next[1] = B
    assert.equal(wire(), 'Fixed: 0\r\nC: 3\r\nB: 2\r\nVary: Origin\r\n')
  })
})
