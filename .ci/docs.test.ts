// The reference pages say what the code says.

import assert from 'node:assert/strict'
import { it } from 'node:test'
import { stalePages } from './docs.ts'

it('the reference pages are those that `npm run docs` writes', () => {
  assert.deepEqual(stalePages(), [])
})
