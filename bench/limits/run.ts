// Counting beside the limiters that most Node applications use, in memory and in a store, each in a process of its own,
// in turn. CPU time, since the clock on the wall measures the neighbours too. And what an outage of the store costs.

import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { loadavg, tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { machine, median } from '../load.ts'

interface Measured {
  readonly insertNs: number
  readonly hitNs: number
  readonly bytes: number
}

/** The ratios are of these. */
const own = ['sallyport strict', 'sallyport smooth', 'sallyport exact'] as const
/** What is asked in `measure.js`, and whom it is compared with there. */
const peers = {
  stores: ['express-rate-limit', 'rate-limiter-flexible'],
  requests: ['express-rate-limit', 'express-rate-limit, the same lines'],
} as const

const here = fileURLToPath(new URL('.', import.meta.url))

/** Answers the tables, or nothing where the peers are not installed (`npm ci --prefix bench/limits`). */
export async function benchLimits(rounds: number, short: boolean): Promise<string> {
  if (!existsSync(`${here}node_modules/.package-lock.json`)) {
    console.error('the limiters to compare with are missing: npm ci --prefix bench/limits')
    return ''
  }
  const memory = inMemory(rounds, short ? 100_000 : 1_000_000)
  return [...memory, '', ...growth(short), '', ...(await inStore(short))].join('\n')
}

/** Runs one measurement in a process of its own, which prints JSON. */
function measured<T>(file: string, ...args: readonly (string | number)[]): T {
  const output = execFileSync(
    process.execPath,
    ['--expose-gc', '--max-old-space-size=2048', `${here}${file}`, ...args.map(String)],
    { encoding: 'utf8' },
  )
  return JSON.parse(output) as T
}

function inMemory(rounds: number, keys: number): readonly string[] {
  return [
    '### Counting in memory',
    '',
    `${machine()}. ${keys} callers, known ones in random order; medians of ${rounds} rounds, all in turn, each in a process of its own. CPU time with the making of the key, nanoseconds; a promise is awaited. Load of the machine before: ${loadavg()[0]!.toFixed(1)}.`,
    '',
    'Where is counted: `counters.take` beside the `increment` of express-rate-limit’s MemoryStore, which decides nothing and tells nothing, and `consume` of RateLimiterMemory.',
    '',
    ...beside('stores', rounds, keys),
    '',
    'All that a request pays: our control with the exchange, the address as key, the decision and the text of its seven lines; express-rate-limit’s middleware as Express calls it, with requests and answers of plain objects that cost next to nothing. It sends three lines as it comes, seven with `draft-6`.',
    '',
    ...beside('requests', rounds, keys),
  ]
}

function beside(kind: keyof typeof peers, rounds: number, keys: number): readonly string[] {
  const names = [...own, ...peers[kind]]
  const all = new Map<string, Measured[]>(names.map((name) => [name, []]))
  for (let round = 0; round < rounds; round++)
    for (const name of names) all.get(name)!.push(measured<Measured>('measure.js', kind, name, keys))
  const column = (name: string, field: keyof Measured) => median(all.get(name)!.map((run) => run[field]))
  // Round by round, since the machine is not equally fast all the time.
  const ratio = (peer: string, of: string, field: keyof Measured) =>
    median(all.get(peer)!.map((run, round) => run[field] / all.get(of)![round]![field]))
  const heads = [
    'limiter',
    'known caller',
    'new caller',
    ...(kind === 'stores' ? ['bytes a caller'] : []),
    ...peers[kind].map((peer) => `× ${peer} (goal ≥ 4)`),
  ]
  const rows = names.map((name) => {
    const cells = ['hitNs', 'insertNs'] as const
    const isOwn = own.some((one) => one === name)
    const times = peers[kind].map((peer) =>
      isOwn ? cells.map((field) => ratio(peer, name, field).toFixed(1)).join(', ') : '',
    )
    return `| ${[name, ...cells.map((field) => column(name, field).toFixed(0)), ...(kind === 'stores' ? [column(name, 'bytes').toFixed(1)] : []), ...times].join(' | ')} |`
  })
  return [
    `| ${heads.join(' | ')} |`,
    `|${'---|'.repeat(heads.length)}`,
    ...rows,
    '',
    'The two ratios of a row: known callers, new callers.',
  ]
}

interface Growth {
  readonly rss: number
  readonly turnMs: number
  readonly pauseMs: number
  readonly idleMs: number
  readonly overflowed: number
}

function growth(short: boolean): readonly string[] {
  const keys = short ? 1_000_000 : 10_000_000
  const goals = { strict: 700, smooth: 400 } as const
  return [
    `| ${keys} callers | resident memory grows by, MB | goal at 10 000 000 | longest turn, ms of CPU (goal ≤ 20) | longest pause, ms | of an idle process, ms | shared a count |`,
    '|---|---|---|---|---|---|---|',
    ...(['strict', 'smooth'] as const).map((algorithm) => {
      const { rss, turnMs, pauseMs, idleMs, overflowed } = measured<Growth>('growth.js', algorithm, keys)
      return `| ${algorithm} | ${(rss / 1e6).toFixed(0)} | < ${goals[algorithm]} | ${turnMs.toFixed(0)} | ${pauseMs.toFixed(0)} | ${idleMs.toFixed(0)} | ${overflowed} |`
    }),
  ]
}

interface Stored {
  readonly clientUs: number
  readonly serverUs: number
  readonly perSecond: number
  readonly tripsPerThousand: number
}

interface Outage {
  readonly firstMs: number
  readonly openMs: number
  readonly backMs: number
}

async function inStore(short: boolean): Promise<readonly string[]> {
  const port = await freePort()
  const server = spawn(
    'redis-server',
    ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', tmpdir()],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  )
  const started = await Promise.race([
    once(server.stdout, 'data').then(() => true),
    once(server, 'error').then(() => false),
  ])
  if (!started) return ['No redis-server is installed, so nothing was counted in a store.']
  const stored = (what: string, count: number) =>
    measured<Stored>('store.js', what, port, server.pid!, short ? count / 10 : count)
  const pairs = [
    ['one bucket of 100 busy callers, by lease', 'leases', 'flexible one', 200_000, '≥ 15'],
    ['three buckets, one round trip', 'three', 'flexible three', 50_000, ''],
  ] as const
  const rows = pairs.map(([title, own, peer, count, goal]) => {
    const [ours, theirs] = [stored(own, count), stored(peer, count)]
    const cpu = ({ clientUs, serverUs }: Stored) => clientUs + serverUs
    const cells = [ours, theirs].flatMap(({ clientUs, serverUs, tripsPerThousand }) => [
      `${clientUs.toFixed(1)} + ${serverUs.toFixed(1)}`,
      tripsPerThousand.toFixed(0),
    ])
    return `| ${[title, ...cells, (cpu(theirs) / cpu(ours)).toFixed(1), goal].join(' | ')} |`
  })
  server.kill('SIGKILL')
  const outages = (['down', 'frozen', 'slow'] as const).map((what) => {
    const { firstMs, openMs, backMs } = measured<Outage>('outage.js', what, port)
    return `| ${[what, firstMs.toFixed(1), openMs.toFixed(1), backMs.toFixed(0)].join(' | ')} |`
  })
  return [
    'Counting in Redis beside rate-limiter-flexible; CPU of client + server, microseconds a decision; round trips for 1,000.',
    '',
    '| what | sallyport | trips | rate-limiter-flexible | trips | times less | goal |',
    '|---|---|---|---|---|---|---|',
    ...rows,
    '',
    'What a request waits for its answer while the store is away, milliseconds.',
    '',
    '| the store is | p99 at first (goal ≤ 150) | p99 while the breaker is open (≤ 10) | counts again after (≤ 1,000) |',
    '|---|---|---|---|',
    ...outages,
  ]
}

async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const address = probe.address() as AddressInfo
  await new Promise((resolve) => probe.close(resolve))
  return address.port
}
