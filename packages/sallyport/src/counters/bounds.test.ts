// The bounds that the page states are the ones that the counters keep.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CountingAlgorithm, OutageMode } from '../ports/counters.ts'
import { counterBounds } from './bounds.ts'

const bucket = (algorithm: CountingAlgorithm, onOutage?: OutageMode) => ({
  bucket: 'plan',
  limit: 100,
  windowMs: 60_000,
  algorithm,
  ...(onOutage ? { onOutage } : {}),
})

const table: [ReturnType<typeof bucket>, 'memory' | 'valkey', number, [string, number][]][] = [
  [
    bucket('exact'),
    'memory',
    1,
    [
      ['one process', 100],
      ['one process, restarted', 200],
    ],
  ],
  [
    bucket('smooth'),
    'memory',
    1,
    [
      ['one process', 110],
      ['one process, restarted', 220],
    ],
  ],
  [
    bucket('strict'),
    'memory',
    3,
    [
      ['several processes', 300],
      ['several processes, restarted', 600],
    ],
  ],
  [
    bucket('exact'),
    'valkey',
    3,
    [
      ['several with Valkey', 100],
      ['outage', 199],
      ['Valkey restarted empty', 299],
    ],
  ],
  [
    bucket('exact', 'closed'),
    'valkey',
    2,
    [
      ['several with Valkey', 100],
      ['outage', 100],
      ['Valkey restarted empty', 200],
    ],
  ],
  [
    bucket('exact', 'open'),
    'valkey',
    2,
    [
      ['several with Valkey', 100],
      ['outage', Number.POSITIVE_INFINITY],
      ['Valkey restarted empty', Number.POSITIVE_INFINITY],
    ],
  ],
]

test('each state of each deployment has its bound, in a number and in a sentence', () => {
  for (const [setting, store, nodes, expected] of table) {
    const bounds = counterBounds(setting, { store, nodes })
    assert.deepEqual(
      bounds.map(({ state, most }) => [state, most]),
      expected,
    )
    for (const { sentence } of bounds) assert.match(sentence, /^[A-Z].*\.$/)
  }
})
