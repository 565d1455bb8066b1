// Counting in memory beside the limiters that most Node applications use: a million callers, each limiter in a process
// of its own, in turn. CPU time, since the clock on the wall measures the neighbours too.

import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

interface Measured {
  readonly insertNs: number
  readonly hitNs: number
  readonly bytes: number
}

const names = ['sallyport strict', 'sallyport smooth', 'express-rate-limit', 'rate-limiter-flexible'] as const

/** Answers the table, or nothing where the peers are not installed (`npm ci --prefix bench/limits`). */
export function benchLimits(rounds: number, keys: number): string {
  const here = fileURLToPath(new URL('.', import.meta.url))
  if (!existsSync(`${here}node_modules/.package-lock.json`)) {
    console.error('the limiters to compare with are missing: npm ci --prefix bench/limits')
    return ''
  }
  const all = new Map<string, Measured[]>(names.map((name) => [name, []]))
  for (let round = 0; round < rounds; round++)
    for (const name of names) {
      const output = execFileSync(
        process.execPath,
        ['--expose-gc', '--max-old-space-size=2048', `${here}measure.js`, name, `${keys}`],
        { encoding: 'utf8' },
      )
      all.get(name)!.push(JSON.parse(output) as Measured)
    }
  const rows = names.map((name) => {
    const runs = all.get(name)!
    const column = (field: keyof Measured) => median(runs.map((run) => run[field]))
    return `| ${name} | ${column('hitNs').toFixed(0)} | ${column('insertNs').toFixed(0)} | ${column('bytes').toFixed(1)} |`
  })
  return [
    '### Counting in memory',
    '',
    `${keys} callers; medians of ${rounds} rounds; CPU time with the making of the key, nanoseconds.`,
    '',
    '| limiter | known caller | new caller | bytes a caller |',
    '|---|---|---|---|',
    ...rows,
  ].join('\n')
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!
}
