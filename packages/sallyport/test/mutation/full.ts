// The whole mutation run, on every core: writes docs/mutation-run.md, and ends with 1 where a bar is missed.

import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { mutations } from './list.ts'
import { alarmPart, BARS, foundPart, reportOf } from './report.ts'
import type { Outcome } from './run.ts'
import { runUnbrokenCases, unbrokenCases } from './unbroken.ts'

const started = Date.now()
const cores = availableParallelism()

async function shard(
  ids: readonly string[],
): Promise<readonly (Omit<Outcome, 'mutation'> & { id: string })[]> {
  const worker = new Worker(new URL('./shard.ts', import.meta.url), { workerData: ids })
  const [outcomes] = await once(worker, 'message')
  await worker.terminate()
  return outcomes
}

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
console.log(
  `${outcomes.length} mutations, ${(found * 100).toFixed(1)} % found; ${unbroken.length} unbroken servers, ${(alarms * 100).toFixed(1)} % with a false alarm`,
)
process.exitCode = found >= BARS.found && alarms <= BARS.falseAlarms ? 0 : 1
