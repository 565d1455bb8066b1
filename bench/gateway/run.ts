// `npm run bench -- gateway`: what a request through the gateway costs, beside a bare pipe on the same parts, the usual
// stacks, and the proxies of the machine. Every proxy is loaded in turn, round after round, on a core of its own; load
// and upstream have the other. Ratios are medians of the ratios within one round.

import { existsSync } from 'node:fs'
import { loadavg } from 'node:os'
import { fileURLToPath } from 'node:url'
import {
  type Cost,
  canLoad,
  machine,
  measure,
  median,
  startTarget,
  stopTarget,
  type Target,
} from '../load.ts'
import { isInstalled, natives, startNative } from './native.ts'

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url))

const OURS = ['sallyport', 'sallyport-keep', 'pipe', 'pipe-retire'] as const
// These differ from the one beside them only after a request with a body: what happens to its connection.
const DIFFERENT_BY_BODY: ReadonlySet<string> = new Set(['sallyport-keep', 'pipe-retire'])
const STACKS = ['fastify', 'express'] as const

interface Load {
  readonly name: string
  readonly path: string
  readonly headers: readonly string[]
  readonly hasBody: boolean
  readonly wrk: readonly string[]
}

// What a browser sends with a request of a page's script to an API.
const BROWSER = [
  'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36',
  'Accept: application/json, text/plain, */*',
  'Accept-Encoding: gzip, deflate, br, zstd',
  'Accept-Language: en-GB,en;q=0.9',
  'Origin: https://app.example.com',
  'Referer: https://app.example.com/',
  'Sec-CH-UA: "Chromium";v="142", "Not_A Brand";v="99"',
  'Sec-CH-UA-Mobile: ?0',
  'Sec-CH-UA-Platform: "Linux"',
  'Sec-Fetch-Dest: empty',
  'Sec-Fetch-Mode: cors',
  'Sec-Fetch-Site: cross-site',
  'Priority: u=1, i',
]

const LOADS: readonly Load[] = [
  { name: 'GET 27 B', path: '/v1/things', headers: [], hasBody: false, wrk: [] },
  { name: 'GET, 13 browser headers', path: '/v1/things', headers: BROWSER, hasBody: false, wrk: [] },
  { name: 'POST 2 KB', path: '/v1/things', headers: [], hasBody: true, wrk: ['-s', here('post.lua')] },
  { name: 'GET 100 KB', path: '/large', headers: [], hasBody: false, wrk: [] },
]

interface Bar {
  readonly ours: string
  readonly theirs: string
  readonly most: number
}

const BARS: readonly Bar[] = [
  { ours: 'sallyport', theirs: 'pipe', most: 1.15 },
  { ours: 'sallyport-keep', theirs: 'pipe', most: 1.15 },
  { ours: 'sallyport', theirs: 'pipe-retire', most: 1.15 },
  { ours: 'sallyport', theirs: 'fastify', most: 1 / 2.5 },
  { ours: 'sallyport', theirs: 'express', most: 1 / 2.5 },
]

/** Below this, what a proxy reaches says more about the load than about the proxy. */
const FULLY_BUSY = 0.95
const CONNECTIONS = '-c32'

/** Runs the comparison and returns its table as Markdown; the short form leaves out loads and the machine's proxies. */
export async function benchGateway(rounds: number, seconds: number, isShort = false): Promise<string> {
  if (!canLoad()) return ''
  // What else the machine does falls on every proxy, but not on each alike.
  const before = loadavg()[0]!.toFixed(1)
  const running: Target[] = []
  const stop: (() => void)[] = []
  const sections: string[] = []
  try {
    const upstream = await startTarget(here('servers.ts'), 'upstream', [], 'load')
    stop.push(() => stopTarget(upstream))
    const start = async (script: string, name: string) => {
      const target = await startTarget(here(script), name, [`http://127.0.0.1:${upstream.port}`])
      stop.push(() => stopTarget(target))
      running.push(target)
    }
    for (const name of OURS) await start('servers.ts', name)
    if (existsSync(here('node_modules'))) for (const name of STACKS) await start('stacks.js', name)
    else console.log('skipped: fastify, express (npm ci --prefix bench/gateway)')
    if (!isShort)
      for (const native of natives) {
        if (!isInstalled(native)) {
          console.log(`skipped: ${native.name} (apt-get install ${native.name})`)
          continue
        }
        const target = await startNative(native, upstream.port)
        stop.push(() => target.process.kill())
        running.push(target)
      }
    for (const load of isShort ? LOADS.slice(0, 1) : LOADS) {
      const targets = load.hasBody ? running : running.filter(({ name }) => !DIFFERENT_BY_BODY.has(name))
      sections.push(compare(load, targets, rounds, seconds))
    }
  } finally {
    for (const end of stop) end()
  }
  return [
    `### Gateway: proxy CPU per request\n\n${machine()}; ${rounds} rounds of ${seconds} s, wrk with 32 connections and the upstream on another core.`,
    `Load of the machine before: ${before}. Requests/s only where the proxy kept its core at least 95 % busy.\n`,
    ...sections,
  ].join('\n')
}

function compare(load: Load, targets: readonly Target[], rounds: number, seconds: number): string {
  const run = (target: Target, length: number) =>
    measure(target, length, load.path, load.headers, [CONNECTIONS, ...load.wrk])
  const costs = new Map<string, Cost[]>(targets.map(({ name }) => [name, []]))
  for (const target of targets) run(target, 1)
  for (let round = 0; round < rounds; round++)
    // Every other round backwards, so that a drift of the machine falls on all.
    for (const target of round % 2 ? [...targets].reverse() : targets)
      costs.get(target.name)!.push(run(target, seconds))
  const ratio = (ours: string, theirs: string) =>
    median(costs.get(ours)!.map((cost, round) => cost.cpuMicros / costs.get(theirs)![round]!.cpuMicros))
  const rows = targets.map(({ name }) => {
    const own = costs.get(name)!
    const isBusy = median(own.map((cost) => cost.busy)) >= FULLY_BUSY
    const reached = isBusy ? Math.round(median(own.map((cost) => cost.requestsPerSecond))) : '–'
    return `| ${name} | ${median(own.map((cost) => cost.cpuMicros)).toFixed(1)} | ${ratio(name, 'pipe').toFixed(2)} | ${reached} |`
  })
  const bars = BARS.filter(({ ours, theirs }) => costs.has(ours) && costs.has(theirs)).map(
    ({ ours, theirs, most }) => {
      const cpu = ratio(ours, theirs)
      return `| ${ours} / ${theirs} | ${cpu.toFixed(2)} | ≤ ${most} | ${cpu <= most ? 'yes' : 'no'} |`
    },
  )
  return [
    `#### ${load.name}\n`,
    '| proxy | CPU µs/request (median) | × pipe | requests/s |',
    '|---|---|---|---|',
    ...rows,
    '',
    '| ratio (median of rounds) | CPU | goal | met |',
    '|---|---|---|---|',
    ...bars,
    '',
  ].join('\n')
}
