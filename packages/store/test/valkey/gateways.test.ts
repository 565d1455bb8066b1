// Two servers and one store: a search for arrivals that get more than the limit through any window, while the clocks of
// the servers jump and that of the store steps back; and a caller below the limit, who is never refused.

import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Redis } from 'ioredis'
import { mostInAnyWindow } from '../../../sallyport/src/counters/adversary.ts'
import { connect, missing, type RedisServer, setClock, startRedis } from './server.ts'

const windowMs = 60_000
const limit = 10
const start = 1_700_000_000_123

interface Served {
  readonly status: number
  readonly retryAfter: number
  readonly remaining: number
}

interface Gateway {
  readonly child: ChildProcess
  ask(path: string, caller: string): Promise<Served>
  /** Puts the server's own clock somewhere. */
  jump(ms: number): Promise<unknown>
}

async function gateway(port: number, prefix: string): Promise<Gateway> {
  const file = fileURLToPath(new URL('gateway-process.ts', import.meta.url))
  const child = spawn(process.execPath, [file, `${port}`, prefix], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  })
  const [line] = (await once(child.stdout!, 'data')) as [Buffer]
  const agent = new Agent({ keepAlive: true, maxSockets: 32 })
  return {
    child,
    ask: (path, caller) =>
      new Promise((resolve, reject) => {
        const sent = request(
          { port: Number(line), path, agent, headers: { 'X-Forwarded-For': caller } },
          (answer) => {
            answer.resume()
            answer.once('end', () =>
              resolve({
                status: answer.statusCode ?? 0,
                retryAfter: Number(answer.headers['retry-after'] ?? 0),
                remaining: Number(answer.headers['ratelimit-remaining']),
              }),
            )
          },
        )
        sent.once('error', reject)
        sent.end()
      }),
    jump(ms) {
      const set = once(child, 'message')
      child.send(ms)
      return set
    },
  }
}

/** Numbers below a bound, from a seed (Park and Miller's generator). */
function seeded(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state * 48_271) % 2_147_483_647
    return state % below
  }
}

describe('two servers and one store', { skip: missing }, () => {
  let server: RedisServer
  let client: Redis
  let gateways: readonly Gateway[]
  let callers = 0
  const caller = () => `10.1.${(callers >> 8) & 255}.${callers++ & 255}`

  before(async () => {
    server = await startRedis()
    client = await connect(server.port)
    await setClock(client, start)
    gateways = await Promise.all([gateway(server.port, 'two:'), gateway(server.port, 'two:')])
  })
  after(async () => {
    for (const { child } of gateways) child.kill('SIGKILL')
    client.disconnect()
    await server.stop()
  })

  for (const [path, most] of [
    ['/', limit],
    ['/strict', limit],
    ['/smooth', limit + 3],
  ] as const)
    test(`H11 ${path}: 0 over the limit in any window, however the requests arrive and the clocks jump`, async () => {
      const next = seeded(path.length * 7919)
      // True time only goes forward; the store's clock lags more and more behind it, step by step.
      let now = 0
      let lag = 0
      let best = 0
      for (let pattern = 0; pattern < 25; pattern++) {
        const who = caller()
        const through: number[] = []
        for (let step = 0; step < 8; step++) {
          // Waits that matter: around whole windows, and around slots of a fifteenth and a sixteenth of one.
          const unit = [windowMs, windowMs / 15, windowMs / 16, windowMs / 2, windowMs / limit][next(5)]!
          now += Math.max(0, Math.round(unit * next(3)) - 1 + next(3)) + (next(5) === 0 ? next(windowMs) : 0)
          if (next(4) === 0) lag += next(2 * windowMs)
          await setClock(client, start + now - lag)
          if (next(3) === 0)
            for (const each of gateways)
              await each.jump(start + (next(2) ? 1 : -1) * next(1_000_000_000) * next(100))
          const answers = await Promise.all(
            Array.from({ length: 1 + next(limit + 2) }, () => gateways[next(2)]!.ask(path, who)),
          )
          for (const { status, retryAfter } of answers) {
            assert.ok(status === 200 || status === 429, `${status}`)
            if (status === 200) through.push(now)
            else assert.ok(retryAfter >= 1 && retryAfter <= 64, `${retryAfter}`)
          }
        }
        const found = mostInAnyWindow(through, windowMs)
        assert.ok(found <= most, `${found} in a window, in pattern ${pattern}`)
        best = Math.max(best, found)
      }
      // A search that never comes near the limit would prove nothing.
      assert.ok(best >= limit - 1, `${best}`)
    })

  for (const path of ['/', '/strict', '/smooth'])
    test(`H11 ${path}: a caller at 90 % of the limit is never refused, over both servers`, async () => {
      const who = caller()
      let now = 100_000_000
      for (let count = 0; count < 60; count++) {
        await setClock(client, start + now)
        const { status } = await gateways[count % 2]!.ask(path, who)
        assert.equal(status, 200, `request ${count}`)
        now += Math.ceil(windowMs / (limit * 0.9))
      }
    })

  test('H11 what one server counts the other tells', async () => {
    const who = caller()
    await setClock(client, start + 200_000_000)
    const left: number[] = []
    for (let count = 0; count < 12; count++) left.push((await gateways[count % 2]!.ask('/', who)).remaining)
    assert.deepEqual(left, [9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0, 0])
  })
})
