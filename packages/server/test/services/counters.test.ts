// A server of the counters that is frozen keeps its connections: the gateway says so all the same.

import assert from 'node:assert/strict'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { removeFolder } from '../../../store/test/fixtures/remove.ts'
import { missing, startRedis } from '../../../store/test/valkey/server.ts'
import { openServices } from '../../src/services/open.ts'

const QUESTION = {
  bucket: 'minute',
  key: 'o:acme',
  limit: 1000,
  windowMs: 60_000,
  algorithm: 'exact',
  cost: 1,
} as const

test('a frozen server of the counters is in the warnings, the metrics and the log, and so is its return', {
  skip: missing,
}, async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-counters-'))
  context.after(() => removeFolder(folder))
  const redis = await startRedis()
  context.after(() => redis.stop())
  const told: boolean[] = []
  const opened = await openServices(
    { counters: { urlFrom: 'COUNTERS', nodes: 2 } },
    folder,
    1,
    { COUNTERS: `redis://127.0.0.1:${redis.port}` },
    { onCountersAway: (isAway) => void told.push(isAway) },
  )
  context.after(() => opened.close())
  const counters = opened.services.counters!
  const metric = (name: string) => opened.families().find((family) => family.name === name)?.samples[0]?.value
  const away = () => metric('sallyport_counters_away')
  const until = async (by: string) => {
    while ((await counters.take([QUESTION])).by !== by) await new Promise((resolve) => setImmediate(resolve))
  }
  await until('valkey')
  assert.deepEqual([opened.warnings(), away()], [[], 0])
  redis.freeze()
  const before = metric('sallyport_counters_decisions_without_server_total')!
  for (let count = 0; count < 6; count++) assert.equal((await counters.take([QUESTION])).by, 'local')
  assert.match(opened.warnings().join(), /connected but did not answer \d+ times in a row/)
  assert.deepEqual(
    [away(), metric('sallyport_counters_decisions_without_server_total'), told],
    [1, before + 6, [true]],
  )
  redis.thaw()
  await until('valkey')
  assert.deepEqual([opened.warnings(), away(), told], [[], 0, [true, false]])
})
