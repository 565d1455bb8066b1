// Several processes on one port: a new policy, new processes and a crash cost no request.

import assert from 'node:assert/strict'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { Agent, request as httpRequest } from 'node:http'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { PolicyDocument } from 'sallyport'
import { loadPolicy } from 'sallyport/settings'
import { runs } from '../../sallyport/test/runs.ts'
import { type FleetOptions, type GatewayEvent, startFleet } from '../src/index.ts'
import { askAdmin, CHANGE } from './admin-client.ts'
import { IN_FRONT, temporaryFolder, upstreamFor } from './harness.ts'

/** So many requests for each of reload and restart; the long run, of factor 50, sends 100,000 in all. */
const REQUESTS = 1_000 * runs(1).numRuns

// The load of the long run is minutes of work.
const LONG = { timeout: 60_000 + REQUESTS * 10 }

const framed = (frameOptions: 'DENY' | 'SAMEORIGIN'): PolicyDocument => ({
  ...IN_FRONT,
  headers: { frameOptions },
})

async function fleetFor(context: TestContext, options: Partial<FleetOptions> = {}) {
  const folder = await temporaryFolder(context)
  const file = join(folder, 'sallyport.config.json')
  const write = (policy: object) => writeFile(file, JSON.stringify(policy))
  await write(framed('SAMEORIGIN'))
  const upstream = await upstreamFor(context, (request, response) => {
    request.resume()
    request.on('end', () => response.end('0123456789'))
  })
  const events: GatewayEvent[] = []
  const fleet = await startFleet({
    workers: 2,
    upstream,
    policy: framed('SAMEORIGIN'),
    listen: { host: '127.0.0.1', port: 0 },
    admin: { host: '127.0.0.1', port: 0 },
    source: { name: 'sallyport.config.json', files: [], load: () => loadPolicy(file, folder) },
    log: (event) => events.push(event),
    ...options,
  })
  context.after(() => fleet.close({ graceMs: 0 }))
  return { fleet, admin: fleet.adminUrl!, port: Number(new URL(fleet.url).port), write, events }
}

interface Outcome {
  readonly frame: unknown
}

function get(port: number, agent: Agent | false, method = 'GET'): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const headers = method === 'POST' ? { 'Content-Length': '5' } : {}
    const request = httpRequest(
      { host: '127.0.0.1', port, path: '/v1/x', agent, method, headers },
      (response) => {
        let body = ''
        response.on('data', (chunk) => {
          body += chunk
        })
        response.on('end', () => {
          if (response.statusCode === 200 && body === '0123456789')
            resolve({ frame: response.headers['x-frame-options'] })
          else reject(new Error(`status ${response.statusCode}, body ${JSON.stringify(body)}`))
        })
        response.on('error', reject)
      },
    )
    request.on('error', reject)
    request.end(method === 'POST' ? 'hello' : undefined)
  })
}

/** Sends requests from clients of both kinds while something happens, again and again; gives what failed. */
async function underLoad(context: TestContext, port: number, happens: () => Promise<unknown>) {
  const agent = new Agent({ keepAlive: true, maxSockets: 4 })
  context.after(() => agent.destroy())
  const failures: string[] = []
  let sent = 0
  let isOver = false
  async function client(own: Agent | false): Promise<void> {
    while (!isOver || sent < REQUESTS) {
      const method = sent++ % 5 === 0 ? 'POST' : 'GET'
      await get(port, own, method).catch((error: Error) => failures.push(error.message))
    }
  }
  const clients = [agent, agent, agent, agent, false, false, false, false].map((own) => client(own as Agent))
  let times = 0
  do {
    await happens()
    times++
  } while (sent < REQUESTS)
  isOver = true
  await Promise.all(clients)
  return { failures, sent, times }
}

test(
  'reloads under load cost no request, and after each the new policy holds everywhere',
  LONG,
  async (context) => {
    const { fleet, admin, port, write } = await fleetFor(context)
    const { failures, sent, times } = await underLoad(context, port, async () => {
      for (const value of ['DENY', 'SAMEORIGIN', 'DENY'] as const) {
        await write(framed(value))
        const reply = await askAdmin(admin, '/reload', { method: 'POST', headers: CHANGE })
        assert.equal(reply.status, 200)
        for (let i = 0; i < 20; i++) assert.equal((await get(port, false)).frame, value)
      }
    })
    assert.deepEqual(failures, [])
    assert.ok(sent >= REQUESTS)
    context.diagnostic(`${sent} requests: ${failures.length} failed, over ${3 * times} reloads`)
    await write({ ...IN_FRONT, colour: 'red' })
    const refused = await askAdmin(admin, '/reload', { method: 'POST', headers: CHANGE })
    assert.equal(refused.status, 422)
    assert.match(refused.body, /sallyport\.config\.json: colour: there is no setting/)
    assert.equal((await get(port, false)).frame, 'DENY')
    assert.equal(fleet.processes, 2)
  },
)

test(
  'a rolling restart under load costs no request, and what was counted stays counted',
  LONG,
  async (context) => {
    const { fleet, admin, port } = await fleetFor(context)
    const before = await processIds()
    const { failures, sent, times } = await underLoad(context, port, () => fleet.restart())
    assert.deepEqual(failures, [])
    assert.ok(sent >= REQUESTS)
    context.diagnostic(
      `${sent} requests: ${failures.length} failed, over ${times} restarts of both processes`,
    )
    const after = await processIds()
    assert.deepEqual(
      after.filter((id) => before.includes(id)),
      [],
      'every process is a new one',
    )
    assert.equal(after.length, 2)
    const { body } = await askAdmin(admin, '/metrics')
    const counted = [...body.matchAll(/^http_server_request_duration_seconds_count\{.*\} (\d+)$/gm)]
    assert.equal(
      counted.reduce((sum, [, count]) => sum + Number(count), 0),
      sent,
    )
    assert.match(body, /^sallyport_processes 2$/m)
  },
)

test('a process that crashes is started anew, and the port answers meanwhile', async (context) => {
  const { admin, port, events } = await fleetFor(context)
  const [first] = await processIds()
  process.kill(first!, 'SIGKILL')
  while (!events.some(({ event }) => event === 'process-ended')) await get(port, false).catch(() => {})
  while (!(await askAdmin(admin, '/healthz')).body.includes('"processes": 2')) await get(port, false)
  assert.equal((await askAdmin(admin, '/readyz')).status, 200)
  assert.match((await askAdmin(admin, '/metrics')).body, /^sallyport_process_restarts_total 1$/m)
})

test('what is wrong at the start is one error, and no process is left', async (context) => {
  // Read by the processes alone.
  const upstreams = { api: { urls: ['https://127.0.0.1:9'], tls: { ca: '/nowhere/ca.pem' } } }
  await assert.rejects(
    startFleet({ workers: 2, policy: IN_FRONT, listen: { host: '127.0.0.1', port: 0 }, upstreams }),
    { code: 'ERR_UPSTREAM_FILE' },
  )
  await assert.rejects(fleetFor(context, { policy: { colour: 'red' } as object }), /colour/)
  assert.deepEqual(await processIds(), [])
})

// The children of this process that are gateways.
async function processIds(): Promise<readonly number[]> {
  const found: number[] = []
  for (const id of await readdir('/proc')) {
    if (!/^\d+$/.test(id)) continue
    const status = await readFile(`/proc/${id}/stat`, 'utf8').catch(() => '')
    const command = await readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '')
    const parent = Number(/^\d+ \(.*\) \w (\d+)/s.exec(status)?.[1])
    if (parent === process.pid && command.includes('fleet/worker')) found.push(Number(id))
  }
  return found
}
