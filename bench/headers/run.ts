// `npm run bench -- headers`: what the policy costs, against bare node:http and against each framework's usual plugins.
// Every server is loaded in turn, round after round; ratios are medians of the ratios within one round.

import { fileURLToPath } from 'node:url'
import { buildPackage } from '../../.ci/build.ts'
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

const SCRIPT = fileURLToPath(new URL('servers.ts', import.meta.url))
const NAMES = [
  'bare',
  'bytes',
  'by-hand',
  'sallyport',
  'routes-10',
  'routes-10000',
  'express',
  'express-usual',
  'express-sallyport',
  'fastify',
  'fastify-usual',
  'fastify-sallyport',
  'hono',
  'hono-usual',
  'hono-sallyport',
] as const
type Name = (typeof NAMES)[number]

// The rows without a goal say how near the floor stands to it: the same headers by hand, the framework alone. No layer
// can come below.
const GOALS: readonly { ours: Name; theirs: Name; most?: number }[] = [
  { ours: 'sallyport', theirs: 'bare', most: 1.1 },
  { ours: 'routes-10000', theirs: 'routes-10', most: 1.15 },
  { ours: 'express-sallyport', theirs: 'express-usual', most: 0.65 },
  { ours: 'fastify-sallyport', theirs: 'fastify-usual', most: 0.4 },
  { ours: 'hono-sallyport', theirs: 'hono-usual', most: 0.4 },
  { ours: 'bytes', theirs: 'bare' },
  { ours: 'by-hand', theirs: 'bare' },
  { ours: 'sallyport', theirs: 'by-hand' },
  { ours: 'express', theirs: 'express-usual' },
  { ours: 'fastify', theirs: 'fastify-usual' },
  { ours: 'hono', theirs: 'hono-usual' },
]

/** Runs the comparison and returns its table as Markdown. */
export async function benchHeaders(rounds: number, seconds: number): Promise<string> {
  if (!canLoad()) return ''
  buildPackage('sallyport')
  const costs = new Map<Name, Cost[]>(NAMES.map((name) => [name, []]))
  const headers = ['Origin: https://app.example.com', 'User-Agent: bench', 'Accept: application/json']
  const targets: Target[] = []
  try {
    for (const name of NAMES) targets.push(await startTarget(SCRIPT, name))
    for (const target of targets) measure(target, 1, '/v1/things', headers)
    for (let round = 0; round < rounds; round++)
      // Every other round backwards, so that a drift of the machine falls on both sides.
      for (const target of round % 2 ? [...targets].reverse() : targets)
        costs.get(target.name as Name)!.push(measure(target, seconds, '/v1/things', headers))
  } finally {
    for (const target of targets) stopTarget(target)
  }
  const ratio = (ours: Name, theirs: Name, pick: (cost: Cost) => number) =>
    median(costs.get(ours)!.map((cost, round) => pick(cost) / pick(costs.get(theirs)![round]!)))
  const rows = NAMES.map((name) => {
    const own = costs.get(name)!
    return `| ${name} | ${median(own.map((cost) => cost.cpuMicros)).toFixed(1)} | ${ratio(name, 'bare', (cost) => cost.cpuMicros).toFixed(2)} | ${Math.round(median(own.map((cost) => cost.requestsPerSecond)))} |`
  })
  const goals = GOALS.map(({ ours, theirs, most }) => {
    const cpu = ratio(ours, theirs, (cost) => cost.cpuMicros)
    const throughput = ratio(ours, theirs, (cost) => cost.requestsPerSecond)
    return `| ${ours} / ${theirs} | ${cpu.toFixed(2)} | ${most === undefined ? '' : `≤ ${most}`} | ${most === undefined ? '' : cpu <= most ? 'yes' : 'no'} | ${throughput.toFixed(2)} |`
  })
  return [
    `### Headers: server CPU per request\n\n${machine()}; ${rounds} rounds of ${seconds} s, wrk with 64 connections on another core.\n`,
    '| server | CPU µs/request (median) | × bare | requests/s |',
    '|---|---|---|---|',
    ...rows,
    '',
    '| ratio (median of rounds) | CPU | goal | met | throughput |',
    '|---|---|---|---|---|',
    ...goals,
    '',
  ].join('\n')
}
