// The whole mutation run, on every core: `npm run test:long` holds it to the bars and writes docs/mutation-run.md.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { it } from 'node:test'
import { Worker } from 'node:worker_threads'
import { mutations } from './list.ts'
import { alarmPart, BARS, foundPart, reportOf } from './report.ts'
import type { Outcome } from './run.ts'
import { runUnbrokenCases, unbrokenCases } from './unbroken.ts'

type Sent = Omit<Outcome, 'mutation'> & { readonly id: string }

async function shard(ids: readonly string[]): Promise<readonly Sent[]> {
  const worker = new Worker(new URL('./shard.ts', import.meta.url), { workerData: ids })
  const [outcomes] = await once(worker, 'message')
  await worker.terminate()
  return outcomes
}

it('what is broken is found, and what is not broken is left in peace', async (context) => {
  const started = Date.now()
  const cores = availableParallelism()
  const shards = Array.from({ length: cores }, (_, part) =>
    mutations.filter((_, index) => index % cores === part).map(({ id }) => id),
  )
  const byId = new Map((await Promise.all(shards.map(shard))).flat().map((each) => [each.id, each]))
  const outcomes = mutations.map((mutation): Outcome => ({ ...byId.get(mutation.id)!, mutation }))
  const unbroken = await runUnbrokenCases(unbrokenCases)
  writeFileSync(
    new URL('../../../../docs/mutation-run.md', import.meta.url),
    reportOf(outcomes, unbroken, {
      date: new Date().toISOString().slice(0, 10),
      seconds: Math.round((Date.now() - started) / 1000),
      node: process.version,
    }),
  )
  const [found, alarms] = [foundPart(outcomes), alarmPart(unbroken)]
  const percent = (part: number) => `${(part * 100).toFixed(1)} %`
  context.diagnostic(
    `${outcomes.length + unbroken.length} checks: ${percent(found)} of what was broken was found, ${percent(alarms)} of what was not raised an alarm`,
  )
  assert.ok(found >= BARS.found, percent(found))
  assert.ok(alarms <= BARS.falseAlarms, percent(alarms))
})
