// The whole mutation run: writes docs/mutation-run.md, and ends with 1 where a bar is missed.

import { writeFileSync } from 'node:fs'
import { mutations } from './list.ts'
import { alarmPart, BARS, foundPart, reportOf } from './report.ts'
import { runMutations } from './run.ts'
import { runUnbrokenCases, unbrokenCases } from './unbroken.ts'

const started = Date.now()
const outcomes = await runMutations(mutations)
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
