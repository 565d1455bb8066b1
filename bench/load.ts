// Starts a server process on one core, loads it from another, and reads what it cost.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { cpus } from 'node:os'

/** A running server under test. */
export interface Target {
  readonly name: string
  readonly port: number
  readonly process: ChildProcess
}

const [SERVER_CORE, LOAD_CORE] = cpus().length > 1 ? ['0', '1'] : ['0', '0']

/** Where a process runs: the core of what is measured, or the one of all that serves to measure it. */
export type Core = 'server' | 'load'

/** The arguments of `taskset` that pin a command to a core. */
export function pinned(core: Core): readonly string[] {
  return ['-c', core === 'server' ? SERVER_CORE : LOAD_CORE]
}

/** Starts `node script name ...args`, pinned to a core; resolves when it prints its port. */
export async function startTarget(
  script: string,
  name: string,
  args: readonly string[] = [],
  core: Core = 'server',
): Promise<Target> {
  const child = spawn('taskset', [...pinned(core), process.execPath, script, name, ...args], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    env: { ...process.env, NODE_ENV: 'production' },
  })
  const port = await new Promise<number>((resolve, reject) => {
    let text = ''
    child.stdout!.on('data', (chunk: Buffer) => {
      text += chunk
      if (text.includes('\n')) resolve(Number(text.split('\n', 1)[0]))
    })
    child.once('exit', (code) => reject(new Error(`${name} ended with ${code} before it listened`)))
  })
  return { name, port, process: child }
}

export function stopTarget(target: Target): void {
  target.process.disconnect()
}

/** What one round cost. */
export interface Cost {
  /** Server CPU time per request, all threads; microseconds. */
  readonly cpuMicros: number
  readonly requestsPerSecond: number
  /** How busy the server's core was, 0 to 1. */
  readonly busy: number
}

// Nanoseconds on CPU of every thread of the process (Documentation/scheduler/sched-stats.rst).
function cpuNanos(pid: number): number {
  let total = 0
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    try {
      total += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ', 1)[0])
    } catch {
      // The thread ended while we read.
    }
  }
  return total
}

/**
 * Loads the target for some seconds over keep-alive connections.
 *
 * @param wrk more of the load generator's arguments
 */
export function measure(
  target: Target,
  seconds: number,
  url: string,
  headers: readonly string[] = [],
  wrk: readonly string[] = ['-c64'],
): Cost {
  const pid = target.process.pid!
  const before = cpuNanos(pid)
  const started = process.hrtime.bigint()
  const output = execFileSync(
    'taskset',
    [
      ...pinned('load'),
      'wrk',
      '-t1',
      ...wrk,
      `-d${seconds}s`,
      ...headers.flatMap((line) => ['-H', line]),
      `http://127.0.0.1:${target.port}${url}`,
    ],
    { encoding: 'utf8' },
  )
  const elapsed = Number(process.hrtime.bigint() - started)
  const spent = cpuNanos(pid) - before
  const requests = Number(/(\d+) requests in/.exec(output)?.[1])
  if (!requests || /Non-2xx/.test(output))
    throw new Error(`${target.name} did not answer as it should:\n${output}`)
  return {
    cpuMicros: spent / 1000 / requests,
    requestsPerSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(output)?.[1]),
    busy: spent / elapsed,
  }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** True where wrk and taskset are there; else says how to get them. */
export function canLoad(): boolean {
  try {
    execFileSync('sh', ['-c', 'command -v wrk && command -v taskset'], { stdio: 'ignore' })
    return true
  } catch {
    console.log('skipped: this benchmark needs wrk and taskset (apt-get install wrk util-linux)')
    return false
  }
}

/** The machine, for the record. */
export function machine(): string {
  const model = cpus()[0]?.model ?? 'unknown CPU'
  return `${cpus().length} × ${model}, Node ${process.version}, ${process.platform} ${process.arch}`
}
