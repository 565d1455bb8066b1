// `npm run bench -- apply`: what the compiled policy adds to one answer inside node:http, without sockets, and what a
// look-up costs among 10 and among 10,000 routes.

import { type IncomingMessage, ServerResponse } from 'node:http'
import { NodeIncoming } from '../../packages/sallyport/src/adapters/node/incoming.ts'
import { guardedResponse, setExchange } from '../../packages/sallyport/src/adapters/node/response.ts'
import { createGuard } from '../../packages/sallyport/src/guard/guard.ts'
import { machine, median } from '../load.ts'

const RAW = [
  'Host',
  'api.example.com',
  'Origin',
  'https://app.example.com',
  'User-Agent',
  'bench',
  'Accept',
  '*/*',
]
const HEADERS = { 'Content-Type': 'application/json', 'Content-Length': 11 }

function request(url: string): IncomingMessage {
  return {
    method: 'GET',
    url,
    httpVersion: '1.1',
    httpVersionMajor: 1,
    httpVersionMinor: 1,
    rawHeaders: RAW,
    headers: {},
    socket: { remoteAddress: '127.0.0.1', encrypted: true },
  } as unknown as IncomingMessage
}

function nanosPerCall(run: () => void): number {
  const times: number[] = []
  for (let i = 0; i < 50_000; i++) run()
  for (let round = 0; round < 9; round++) {
    const started = process.hrtime.bigint()
    for (let i = 0; i < 50_000; i++) run()
    times.push(Number(process.hrtime.bigint() - started) / 50_000)
  }
  return median(times)
}

const GuardedResponse = guardedResponse()

/** Runs the comparison and returns its table as Markdown. */
export function benchApply(): string {
  const guard = createGuard({ extends: 'api', cors: { origins: ['https://app.example.com'] } }, 'node')
  const plain = nanosPerCall(() => {
    new ServerResponse(request('/v1/things')).writeHead(200, HEADERS)
  })
  const emitOnly = nanosPerCall(() => {
    const incoming = request('/v1/things')
    const response = new GuardedResponse(incoming)
    setExchange(response, guard.open(new NodeIncoming(incoming)))
    response.writeHead(200, HEADERS)
  })
  const whole = nanosPerCall(() => {
    const incoming = request('/v1/things')
    const response = new GuardedResponse(incoming)
    const exchange = guard.open(new NodeIncoming(incoming))
    setExchange(response, exchange)
    guard.admit(exchange)
    response.writeHead(200, HEADERS)
  })
  const lookUp = (count: number) => {
    const routes: Record<string, { data: 'private' }> = {}
    for (let i = 0; i < count; i++)
      routes[`/v1/resource-${i % 1000}/${Math.floor(i / 1000)}/:id`] = { data: 'private' }
    const many = createGuard({ routes }, 'node')
    let n = 0
    return nanosPerCall(() => {
      n = (n + 7919) % count
      many.open(new NodeIncoming(request(`/v1/resource-${n % 1000}/${Math.floor(n / 1000)}/abc`)))
    })
  }
  const few = lookUp(10)
  const many = lookUp(10_000)
  return [
    `### The compiled policy inside one answer\n\n${machine()}; no sockets; medians of 9 runs of 50,000.\n`,
    '| step | ns |',
    '|---|---|',
    `| node:http: new ServerResponse and writeHead | ${plain.toFixed(0)} |`,
    `| added by finding the cell and writing the policy’s lines (goal ≤ 1,000) | ${(emitOnly - plain).toFixed(0)} |`,
    `| added with every control’s judgement of the request | ${(whole - plain).toFixed(0)} |`,
    `| finding a parameter route among 10 | ${few.toFixed(0)} |`,
    `| finding a parameter route among 10,000 | ${many.toFixed(0)} |`,
    '',
  ].join('\n')
}
