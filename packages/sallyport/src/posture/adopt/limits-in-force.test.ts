// The limit that a running limiter tells is read in every form of the headers.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { observe } from './observed.ts'

test('the limit in force is read from each form of the headers', () => {
  for (const [headers, limit, windowMs] of [
    [[['X-RateLimit-Limit', '1000']], 1000, undefined],
    [[['RateLimit-Limit', '100, 100;w=60']], 100, 60_000],
    [
      [
        ['RateLimit-Limit', '5'],
        ['RateLimit-Policy', '5;w=900'],
      ],
      5,
      900_000,
    ],
    [
      [
        ['RateLimit', 'limit=7, remaining=6, reset=60'],
        ['RateLimit-Policy', '7;w=60'],
      ],
      7,
      60_000,
    ],
    [[['RateLimit-Policy', '"a"; q=60; w=30']], 60, 30_000],
  ] as const)
    assert.deepEqual(observe([{ status: 200, headers } as never]).rateLimits, [{ limit, windowMs }])
})
