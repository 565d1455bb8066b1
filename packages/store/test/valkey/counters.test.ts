// Counters in Valkey, on a real server: the contract, the search for a window over the limit, two processes' worth of
// clients, and the server's own clock.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Redis } from 'ioredis'
import { leasedCounters, memoryCounters } from 'sallyport/counters'
import { mostInAnyWindow } from '../../../sallyport/src/counters/adversary.ts'
import { ask, counterContract } from '../../../sallyport/src/counters/contract.ts'
import { valkeyCounters } from '../../src/valkey/index.ts'
import { connect, missing, onTestClock, type RedisServer, setClock, startRedis } from './server.ts'

const start = 1_700_000_000_123

// Nothing here is about the deadline, and a loaded machine may be slow.
const timer = () => () => {}

/** A process of its own that asks 400 times for a limit of 300; answers how many it got. */
async function taker(port: number, prefix: string): Promise<number> {
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL('taker.ts', import.meta.url)), `${port}`, prefix],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  let output = ''
  for await (const chunk of child.stdout) output += String(chunk)
  return Number(output)
}

describe('counters in Valkey', { skip: missing }, () => {
  let server: RedisServer
  let client: Redis
  let other: Redis
  let tests = 0

  before(async () => {
    server = await startRedis()
    client = await connect(server.port)
    other = await connect(server.port)
  })
  after(async () => {
    client.disconnect()
    other.disconnect()
    await server.stop()
  })

  async function fresh(by: Redis = client, prefix = `test-${++tests}:`) {
    let now = start
    await setClock(client, now)
    return {
      prefix,
      counters: valkeyCounters({ client: onTestClock(by), nodes: 2, prefix, timer }),
      async pass(ms: number) {
        now += ms
        await setClock(client, now)
      },
      at: (ms: number) => setClock(client, start + ms),
    }
  }

  counterContract('Valkey', () => fresh())
  counterContract('leases on Valkey', async () => {
    const { counters, pass } = await fresh()
    return { counters: leasedCounters({ counters }), pass }
  })

  for (const algorithm of ['exact', 'strict', 'smooth'] as const) {
    test(`${algorithm}: no pattern on a small lattice passes the bound, over two clients`, async () => {
      const [steps, limit, windowMs] = [8, 2, 60_000]
      for (const stepMs of [windowMs / 3, windowMs / 5, 4001, windowMs / 2 - 1]) {
        const first = await fresh()
        const counters = [first.counters, (await fresh(other, first.prefix)).counters]
        const through = Array.from({ length: 2 ** steps }, (): number[] => [])
        for (let step = 0; step < steps; step++) {
          await first.at(step * stepMs)
          const asked = []
          for (let pattern = 0; pattern < 2 ** steps; pattern++)
            if ((pattern >> step) & 1)
              for (const each of counters)
                for (let twice = 0; twice < 2; twice++)
                  asked.push(
                    Promise.resolve(each.take([ask({ algorithm, limit, burst: 1, key: `${pattern}` })])).then(
                      (verdict) => {
                        assert.equal(verdict.by, 'valkey')
                        if (verdict.allowed) through[pattern]!.push(step * stepMs)
                      },
                    ),
                  )
          await Promise.all(asked)
        }
        for (const times of through) {
          const most = mostInAnyWindow(times, windowMs)
          assert.ok(most <= (algorithm === 'smooth' ? limit + 1 : limit), `${most} at ${stepMs}`)
        }
        assert.ok(through.at(-1)!.length >= 1)
      }
    })

    test(`${algorithm}: decides as memory does, step by step`, async () => {
      let now = start
      const memory = memoryCounters({ clock: () => now })
      const valkey = await fresh()
      let random = 99
      const next = (below: number) => {
        random = (random * 48_271) % 2_147_483_647
        return random % below
      }
      // Aligned to the slots of both clocks, so that the strict window cuts time at the same moments.
      const unit = 1000
      now = 0
      await valkey.at(-start)
      for (let step = 0; step < 200; step++) {
        const request = ask({ algorithm, cost: 1 + next(3), limit: [10, 20][next(2)]!, burst: 10 })
        const here = memory.take([request])
        const there = await valkey.counters.take([request])
        assert.equal(there.allowed, here.allowed, `step ${step}`)
        assert.equal(there.decisions[0]?.remaining, here.decisions[0]?.remaining, `step ${step}`)
        now += next(8) * unit
        await valkey.at(now - start)
      }
    })

    test(`${algorithm}: a server clock that steps back an hour frees nobody and blocks nobody for longer`, async () => {
      const { counters, pass } = await fresh()
      await counters.take([ask({ algorithm, cost: 10 })])
      await pass(-3_600_000)
      const refused = await counters.take([ask({ algorithm })])
      assert.equal(refused.allowed, false)
      assert.ok(refused.retryAfterMs <= 64_000, `${refused.retryAfterMs}`)
      await pass(refused.retryAfterMs)
      assert.equal((await counters.take([ask({ algorithm })])).allowed, true)
    })
  }

  test('exact: a customer who paces at exactly the limit is never refused', async () => {
    const { counters, at } = await fresh()
    for (let count = 0; count < 330; count++) {
      await at(count * 600)
      assert.equal((await counters.take([ask({ limit: 100 })])).allowed, true, `${count}`)
    }
  })

  test('two processes that ask at once get the limit together, and not one more', async () => {
    const prefix = `test-${++tests}:`
    const counted = await Promise.all([taker(server.port, prefix), taker(server.port, prefix)])
    assert.equal(counted[0] + counted[1], 300)
    assert.ok(counted[0] > 0 && counted[1] > 0, counted.join())
  })

  test('all buckets of a request are one command, on the clock of the server', async () => {
    const prefix = `test-${++tests}:`
    const counters = valkeyCounters({ client, nodes: 1, prefix, timer })
    const three = [
      ask(),
      ask({ algorithm: 'strict', bucket: 'hour' }),
      ask({ algorithm: 'smooth', bucket: 'burst' }),
    ]
    await counters.take(three)
    const calls = async () => {
      const info = await client.info('commandstats')
      return [...info.matchAll(/^cmdstat_(evalsha|eval):calls=(\d+)/gm)].reduce(
        (sum, match) => sum + Number(match[2]),
        0,
      )
    }
    const earlier = await calls()
    const verdict = await counters.take(three)
    assert.equal((await calls()) - earlier, 1)
    assert.deepEqual([verdict.by, verdict.allowed], ['valkey', true])
    const [seconds] = await client.time()
    assert.ok(Math.abs(verdict.takenAtUs / 1e6 - Number(seconds)) < 60)
  })

  test('nothing about a caller can be read in the keys, and every key expires', async () => {
    const prefix = `test-${++tests}:`
    const counters = valkeyCounters({ client, nodes: 1, prefix, timer })
    for (const algorithm of ['exact', 'strict', 'smooth'] as const)
      await counters.take([ask({ algorithm, key: 'secret-person' })])
    const keys = await client.keys(`${prefix}*`)
    assert.equal(keys.length, 3)
    for (const key of keys) {
      assert.ok(!key.includes('secret'))
      const ttl = await client.pttl(key)
      assert.ok(ttl > 0 && ttl <= 64_001)
    }
  })

  test('a server that lost its scripts gets the script anew', async () => {
    const counters = valkeyCounters({ client, nodes: 1, prefix: `test-${++tests}:`, timer })
    await counters.take([ask()])
    await client.script('FLUSH')
    const verdict = await counters.take([ask()])
    assert.deepEqual([verdict.by, verdict.decisions[0]?.remaining], ['valkey', 8])
  })
})
