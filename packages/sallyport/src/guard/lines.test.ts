import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { isHeaderName, isHeaderValue, joinLines, lines, NO_LINES } from './lines.ts'

describe('header lines', () => {
  it('have one wire line for each pair, in order', () => {
    const made = lines([
      ['A', '1'],
      ['B', ''],
    ])
    assert.equal(made.wire, 'A: 1\r\nB: \r\n')
    assert.deepEqual(joinLines(made, NO_LINES, lines([['C', '3']])).pairs, [
      ['A', '1'],
      ['B', ''],
      ['C', '3'],
    ])
  })

  const bad: readonly (readonly [string, string])[] = [
    ['A', 'x\r\nSet-Cookie: a=b'],
    ['A', 'x\ny'],
    ['A', 'x\0'],
    ['A', 'é'],
    ['A', '\x7f'],
    ['A b', 'x'],
    ['A:', 'x'],
    ['', 'x'],
    ['A\r\n', 'x'],
    ['Ä', 'x'],
  ]
  for (const [name, value] of bad)
    it(`refuse ${JSON.stringify(name)}: ${JSON.stringify(value)}`, () =>
      assert.throws(() => lines([[name, value]]), TypeError))

  it('never hold more line ends than pairs, whatever the text', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }))),
        (pairs) => {
          const fits = pairs.every(([name, value]) => isHeaderName(name) && isHeaderValue(value))
          if (!fits) {
            assert.throws(() => lines(pairs), TypeError)
            return
          }
          const { wire } = lines(pairs)
          assert.equal(wire.split('\r\n').length - 1, pairs.length)
          assert.equal(/[\0\n]/.test(wire.replaceAll('\r\n', '')), false)
        },
      ),
    )
  })
})
