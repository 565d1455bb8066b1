// `npm audit --omit=dev`, with a third outcome: where the advisory database can't be reached the result is `unknown`,
// never green. Known vulnerabilities fail the run.

import { spawnSync } from 'node:child_process'

interface Report {
  readonly error?: unknown
  readonly metadata?: { readonly vulnerabilities: { readonly total: number } }
}

const result = spawnSync('npm', ['audit', '--omit=dev', '--json'], { encoding: 'utf8' })
let report: Report
try {
  report = JSON.parse(result.stdout) as Report
} catch {
  report = { error: 'no answer' }
}
const total = report.metadata?.vulnerabilities.total
if (report.error !== undefined || total === undefined)
  console.log('dependencies: unknown (the advisory database could not be reached)')
else if (total === 0) console.log('dependencies: no known vulnerability in production dependencies')
else {
  console.error(
    `dependencies: ${total} known vulnerabilities in production dependencies; run npm audit --omit=dev`,
  )
  process.exit(1)
}
