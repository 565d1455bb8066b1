// The store: how soon it is there, what it takes of the process around it, and what its calls cost beside PGlite as it comes
// and a PostgreSQL server.

import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { machine, median } from '../load.ts'
import { type Engine, embedded, plainPglite, server } from './engines.ts'

interface Opened {
  readonly openMs: number
  /** Of all threads of the process. */
  readonly openCpuMs: number
  readonly rssMiB: number
  readonly lateP99Ms: number
  readonly lateMaxMs: number
}

const worker = fileURLToPath(new URL('process.ts', import.meta.url))
const writer = fileURLToPath(new URL('../../packages/store/test/fixtures/writer.ts', import.meta.url))

/** Answers the tables. */
export async function benchStore(rounds: number, seconds: number): Promise<string> {
  return [
    '### Store',
    '',
    `${machine()}; medians of ${rounds} rounds.`,
    '',
    ...(await starts(rounds, seconds)),
    '',
    ...(await calls(rounds, seconds)),
  ].join('\n')
}

async function starts(rounds: number, seconds: number): Promise<readonly string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-'))
  const directory = join(folder, 'store')
  const idle: Opened[] = []
  const found: Record<'fresh' | 'existing' | 'killed', Opened[]> = { fresh: [], existing: [], killed: [] }
  try {
    for (let round = 0; round < rounds; round += 1) {
      rmSync(folder, { recursive: true, force: true })
      execFileSync('mkdir', [folder])
      idle.push(open('none', seconds))
      found.fresh.push(open(directory, seconds))
      found.existing.push(open(directory, seconds))
      await killed(directory)
      found.killed.push(open(directory, seconds))
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  const of = (runs: readonly Opened[], field: keyof Opened) => median(runs.map((run) => run[field]))
  const bare = of(idle, 'rssMiB')
  const goals = { fresh: 3_000, existing: 1_500, killed: 2_000 }
  const names = {
    fresh: 'a new folder',
    existing: 'a folder that was closed',
    killed: 'after kill -9 under load',
  }
  return [
    '| embedded store | open, ms | goal | CPU of it, ms | memory over an idle process, MiB (goal ≤ 200) | timers late, p99 / most, ms (goal ≤ 20) |',
    '|---|---|---|---|---|---|',
    `| none: an idle process | – | | | ${bare.toFixed(0)} in all | ${of(idle, 'lateP99Ms').toFixed(1)} / ${of(idle, 'lateMaxMs').toFixed(1)} |`,
    ...(['fresh', 'existing', 'killed'] as const).map(
      (kind) =>
        `| ${names[kind]} | ${of(found[kind], 'openMs').toFixed(0)} | ≤ ${goals[kind]} | ${of(found[kind], 'openCpuMs').toFixed(0)} | ${(of(found[kind], 'rssMiB') - bare).toFixed(0)} | ${of(found[kind], 'lateP99Ms').toFixed(1)} / ${of(found[kind], 'lateMaxMs').toFixed(1)} |`,
    ),
  ]
}

function open(directory: string, seconds: number): Opened {
  const output = execFileSync(process.execPath, [worker, directory, `${seconds * 1_000}`], {
    encoding: 'utf8',
  })
  return JSON.parse(output) as Opened
}

/** Leaves a folder as a process does that is killed while it writes. */
async function killed(directory: string): Promise<void> {
  const child = spawn(process.execPath, [writer, directory, 'commits'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  let rows = 0
  for await (const line of createInterface({ input: child.stdout }))
    if (line !== 'open' && ++rows === 500) child.kill('SIGKILL')
  await exited
}

const kinds = ['read', 'insert', 'transaction'] as const

async function calls(rounds: number, seconds: number): Promise<readonly string[]> {
  const engines = [await plainPglite(), await embedded(), await server()].filter((one) => one !== undefined)
  const rates = new Map(engines.map(({ name }) => [name, kinds.map((): number[] => [])]))
  try {
    for (let round = 0; round < rounds; round += 1)
      for (const engine of engines)
        for (const [index, rate] of (await rateOf(engine, round, seconds)).entries())
          rates.get(engine.name)![index]!.push(rate)
  } finally {
    for (const engine of engines) await engine.close()
  }
  const rows = [...rates].map(([name, all]) => ({ name, rates: all.map(median) }))
  const first = rows[0]!
  return [
    'One caller, one call after the other; calls a second, and beside PGlite as it comes.',
    '',
    '| engine | read by primary key | insert | transaction of a tenant, two rows |',
    '|---|---|---|---|',
    ...rows.map(
      ({ name, rates }) =>
        `| ${name} | ${rates.map((rate, index) => `${rate.toFixed(0)} (${(rate / first.rates[index]!).toFixed(2)})`).join(' | ')} |`,
    ),
  ]
}

async function rateOf(engine: Engine, round: number, seconds: number): Promise<readonly number[]> {
  let number = 0
  const during = async (call: () => Promise<void>): Promise<number> => {
    const from = performance.now()
    const end = from + (seconds * 1_000) / kinds.length
    let count = 0
    for (; performance.now() < end; count += 1) await call()
    return count / ((performance.now() - from) / 1_000)
  }
  const id = () => `r${round}-${number++}`
  const insert = await during(() => engine.insert(id()))
  const read = await during(() => engine.read(`r${round}-${number++ % 100}`))
  const transaction = await during(() => engine.transaction(number++))
  return [read, insert, transaction]
}
