// `npm run bench [-- NAME] [--rounds N] [--seconds N] [--write]`: runs the benchmarks and prints their tables;
// `--write` also writes them, with machine and date, to bench/RESULTS.md, each over its section. `--short` is the run
// that CI makes.

import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { benchApply } from './apply/run.ts'
import { benchAudit } from './audit/run.ts'
import { benchGateway } from './gateway/run.ts'
import { benchHeaders } from './headers/run.ts'
import { benchImport } from './import/run.ts'
import { benchKeys } from './keys/run.ts'
import { benchLimits } from './limits/run.ts'
import { benchStore } from './store/run.ts'
import { benchTenancy } from './tenancy/run.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    short: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
})
const rounds = values.short ? 2 : Number(values.rounds)
const seconds = values.short ? 1 : Number(values.seconds)

const benchmarks: Readonly<Record<string, () => Promise<string>>> = {
  apply: async () => benchApply(),
  import: async () => benchImport(values.short ? 5 : 15),
  headers: () => benchHeaders(rounds, seconds),
  gateway: () => benchGateway(rounds, seconds, values.short),
  keys: async () => benchKeys(values.short ? 1 : Math.min(rounds, 3), values.short ? 100_000 : 1_000_000),
  limits: () => benchLimits(rounds, values.short),
  tenancy: () => benchTenancy(rounds, values.short ? 100_000 : 1_000_000),
  audit: () => benchAudit(rounds, seconds, values.short ? 20_000 : 1_000_000),
  store: () => benchStore(values.short ? 1 : rounds, seconds),
}

const chosen = positionals.length > 0 ? positionals : Object.keys(benchmarks)
const tables: string[] = []
for (const name of chosen) {
  const run = benchmarks[name]
  if (!run) {
    console.error(
      `no benchmark named ${JSON.stringify(name)}; there are ${Object.keys(benchmarks).join(', ')}`,
    )
    process.exit(2)
  }
  const table = await run()
  console.log(table)
  tables.push(table)
}
if (values.write) writeResults(tables)

// The sections of benchmarks that did not run stay as they are.
function writeResults(fresh: readonly string[]): void {
  const file = fileURLToPath(new URL('RESULTS.md', import.meta.url))
  const sections = readFileSync(file, 'utf8')
    .split(/^(?=### )/m)
    .slice(1)
  for (const table of fresh.filter((one) => one !== '')) {
    const [heading = '', ...rest] = table.split('\n')
    const section = [heading, '', `Measured on ${new Date().toISOString().slice(0, 10)}.`, ...rest, ''].join(
      '\n',
    )
    const at = sections.findIndex((before) => before.startsWith(`${heading}\n`))
    if (at < 0) sections.push(section)
    else sections[at] = section
  }
  const head =
    '# Results\n\nWritten by `npm run bench -- [NAME] --write`. Compare ratios, not absolute figures.\n\n'
  writeFileSync(file, `${head}${sections.map((section) => section.trimEnd()).join('\n\n')}\n`)
}
