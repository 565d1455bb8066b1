// The suites of this folder again, and the kinds of answers, on the way through Node's public API alone: what a future
// Node that changes its inside would run.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { usesFastPath } from './fast-path.ts'

const here = fileURLToPath(new URL('.', import.meta.url))
const kinds = fileURLToPath(new URL('../../../test/kinds/kinds.test.ts', import.meta.url))
const suites = globSync('*.test.ts', { cwd: here })
  .filter((file) => file !== 'public-api.test.ts')
  .map((file) => here + file)

test('this Node has the fast path', () => {
  assert.equal(usesFastPath(), process.env.SALLYPORT_PUBLIC_API_ONLY !== '1')
})

test('everything holds through the public API as well', { timeout: 120_000 }, () => {
  assert.ok(suites.length >= 4)
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const { status, stdout } = spawnSync(
    process.execPath,
    ['--test', '--test-reporter=tap', '--test-concurrency=1', ...suites, kinds],
    { env: { ...env, SALLYPORT_PUBLIC_API_ONLY: '1' }, encoding: 'utf8' },
  )
  const failed = stdout.split('\n').filter((line) => line.trim().startsWith('not ok'))
  assert.deepEqual(failed, [])
  assert.equal(status, 0)
})
