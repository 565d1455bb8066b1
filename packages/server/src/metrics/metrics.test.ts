// Counting: bounded whatever comes, added up over processes, and readable for Prometheus.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createDurations } from './durations.ts'
import { createLabelledCounter, exposition, labelText, mergeFamilies, single } from './families.ts'
import { createTop } from './top.ts'
import { mergeRows, type WouldDoRow } from './would-do.ts'

test('label values can’t break out of their quotes or their line', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 50 }), (value) => {
      const text = labelText(['name'], [value])
      assert.match(text, /^\{name="(?:[^"\\\n]|\\["\\n])*"\}$/)
      const read = text.slice(7, -2).replace(/\\(.)/g, (_all, c: string) => (c === 'n' ? '\n' : c))
      assert.equal(read, value)
    }),
  )
})

test('series beyond the bound are counted together, and nothing is lost', () => {
  const counter = createLabelledCounter('a_total', 'A.', ['x'], 3)
  for (let i = 0; i < 100; i++) counter.add([String(i % 10)])
  const { samples } = counter.family()
  assert.equal(samples.length, 4)
  assert.equal(
    samples.reduce((sum, { value }) => sum + value, 0),
    100,
  )
  assert.equal(samples.find(({ labels }) => labels === '{x="other"}')?.value, 70)
})

test('durations are bounded too: strange methods are one, statuses beyond the bound are others', () => {
  const durations = createDurations(5)
  for (let status = 200; status < 300; status++) durations.add('/a', `M${status}`, status, 0.02)
  const text = exposition([durations.family()])
  const counts = [...text.matchAll(/_count\{(.*)\} (\d+)/g)]
  assert.equal(counts.length, 6)
  assert.ok(counts.every(([, labels]) => labels!.includes('"_OTHER"')))
  assert.equal(
    counts.reduce((sum, [, , count]) => sum + Number(count), 0),
    100,
  )
  assert.match(text, /_bucket\{http_route="\/a",.*,le="0\.01"\} 0$/m)
  assert.match(text, /_bucket\{http_route="\/a",.*,le="0\.025"\} 1$/m)
  assert.match(text, /_bucket\{http_route="\/a",.*,le="\+Inf"\} 1$/m)
})

test('the numbers of processes are summed, or the worst is taken', () => {
  const one = [single('counter', 'a_total', 'A.', 2), single('gauge', 'b', 'B.', 5, 'max')]
  const two = [single('counter', 'a_total', 'A.', 3), single('gauge', 'b', 'B.', 4, 'max')]
  assert.deepEqual(
    mergeFamilies([one, two]).map(({ samples }) => samples[0]!.value),
    [5, 5],
  )
})

test('what comes more often than its share is among the most frequent, whatever else is sent', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 300 }),
      fc.integer({ min: 1, max: 8 }),
      (names, size) => {
        const top = createTop(size)
        const exact = new Map<string, number>()
        for (const name of names.map(String)) {
          top.add(name)
          exact.set(name, (exact.get(name) ?? 0) + 1)
        }
        const listed = new Map(top.list().map((entry) => [entry.name, entry]))
        assert.ok(listed.size <= size)
        for (const [name, count] of exact) if (count > names.length / size) assert.ok(listed.has(name), name)
        for (const [name, { count, error }] of listed) {
          assert.ok(count >= exact.get(name)!)
          assert.ok(count - error <= exact.get(name)!)
        }
      },
    ),
  )
})

test('reports of processes are one report, the most frequent first', () => {
  const row = (what: string, count: number, origin: string): WouldDoRow => ({
    route: '/a',
    control: 'SP-X-01',
    effect: 'deny',
    what,
    count,
    origins: [{ name: origin, count, error: 0 }],
    credentials: [],
  })
  const merged = mergeRows([[row('one', 1, 'a'), row('two', 5, 'a')], [row('one', 9, 'b')]])
  assert.deepEqual(
    merged.map(({ what, count, origins }) => [what, count, origins.map(({ name }) => name)]),
    [
      ['one', 10, ['b', 'a']],
      ['two', 5, ['a']],
    ],
  )
})
