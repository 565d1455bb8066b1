// What each bucket answers while the store is away: down, frozen, read-only, restarted empty; and how it comes back.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Redis } from 'ioredis'
import { ask } from '../../../sallyport/src/counters/contract.ts'
import { type ValkeyClient, valkeyClientOptions, valkeyCounters } from '../../src/valkey/index.ts'
import { CLUSTER, connect, missing, type RedisServer, relayTo, startRedis } from './server.ts'

/** A client that answers as it is told, and counts what it is asked. */
function scripted() {
  const state = { asked: 0, answer: (): Promise<unknown> => Promise.reject(new Error('down')) }
  const call = () => {
    state.asked++
    return state.answer()
  }
  const client: ValkeyClient = { options: valkeyClientOptions, evalsha: call, eval: call }
  return { client, state }
}

/** Counters over a scripted client whose clock and deadlines the test moves. */
function setUp(nodes = 2) {
  const { client, state } = scripted()
  let now = 0
  let deadlines: (() => void)[] = []
  const buffered: (() => void)[] = []
  const away: boolean[] = []
  const counters = valkeyCounters({
    client,
    nodes,
    clock: () => now,
    onAway: (isAway) => {
      away.push(isAway)
      throw new Error('a log that can’t be written')
    },
    afterReads: (then) => {
      for (const deliver of buffered.splice(0)) deliver()
      setImmediate(then)
    },
    timer: (ms, fire) => {
      assert.equal(ms, 50)
      deadlines.push(fire)
      return () => {
        deadlines = deadlines.filter((each) => each !== fire)
      }
    },
  })
  return {
    counters,
    state,
    away,
    pass: (ms: number) => {
      now += ms
    },
    // What arrives in the socket before the loop has read from it.
    arrive: (deliver: () => void) => {
      buffered.push(deliver)
    },
    expire: () => {
      const due = deadlines
      deadlines = []
      for (const fire of due) fire()
    },
    waiting: () => deadlines.length,
  }
}

const settle = () => new Promise((resolve) => setImmediate(resolve))
const served = (now: number) => () => Promise.resolve([1, now, 1, 9, 1000, 0])

test('a store that is down: each process lets its part through, `open` all, `closed` none', async () => {
  const { counters } = setUp(2)
  let through = 0
  for (let count = 0; count < 20; count++) {
    const verdict = await counters.take([ask()])
    assert.equal(verdict.by, 'local')
    if (verdict.allowed) through++
  }
  assert.equal(through, 5)
  for (let count = 0; count < 20; count++) {
    const verdict = await counters.take([ask({ onOutage: 'open' })])
    assert.deepEqual([verdict.allowed, verdict.by], [true, 'open'])
  }
  const closed = await counters.take([ask({ onOutage: 'closed' })])
  assert.deepEqual([closed.allowed, closed.by, closed.retryAfterMs], [false, 'closed', 1000])
})

test('a closed bucket beside a local one takes nothing from the local one', async () => {
  const { counters } = setUp(1)
  for (let count = 0; count < 20; count++)
    await counters.take([ask(), ask({ bucket: 'sign-in', onOutage: 'closed' })])
  const left = await counters.peek([ask()])
  assert.equal(left.decisions[0]?.remaining, 10)
})

test('a frozen store costs the deadline five times, then nobody waits for it', async () => {
  const { counters, state, expire, waiting } = setUp()
  state.answer = () => new Promise(() => {})
  for (let count = 0; count < 5; count++) {
    const taken = counters.take([ask()])
    await settle()
    assert.equal(waiting(), 1)
    expire()
    assert.equal((await taken).by, 'local')
  }
  assert.equal(state.asked, 5)
  for (let count = 0; count < 50; count++) assert.equal((await counters.take([ask()])).by, 'local')
  assert.equal(state.asked, 5)
  assert.equal(waiting(), 0)
})

describe('an answer that is late', () => {
  /** A question whose answer the test holds back. */
  const held = () => {
    const of = setUp(2)
    let deliver: (reply: unknown) => void = () => {}
    of.state.answer = () =>
      new Promise((resolve) => {
        deliver = resolve
      })
    return { ...of, deliver: (reply: unknown) => deliver(reply) }
  }
  const [taken, refused] = [
    [1, 77, 1, 9, 60_000_000, 0],
    [0, 77, 0, 0, 60_000_000, 60_000_000],
  ]

  test('a loop that is 200 ms late is no outage: the answer in the socket decides', async () => {
    for (const reply of [taken, refused]) {
      const of = held()
      const verdict = of.counters.take([ask()])
      await settle()
      of.pass(250)
      of.arrive(() => of.deliver(reply))
      of.expire()
      assert.deepEqual([(await verdict).by, (await verdict).allowed], ['valkey', reply === taken])
    }
  })

  test('an answer in the socket when the timer is on time decides too', async () => {
    const of = held()
    const verdict = of.counters.take([ask()])
    await settle()
    of.pass(50)
    of.arrive(() => of.deliver(refused))
    of.expire()
    assert.deepEqual([(await verdict).by, (await verdict).allowed], ['valkey', false])
  })

  test('a late loop gives the store its deadline anew, but nobody waits much longer than a second', async () => {
    const of = held()
    const verdict = of.counters.take([ask()])
    for (let round = 0; round < 4; round++) {
      await settle()
      assert.equal(of.waiting(), 1, `round ${round}`)
      of.pass(300)
      of.expire()
    }
    assert.equal((await verdict).by, 'local')
    assert.equal(of.waiting(), 0)
  })

  const late = async (cost: number) => {
    const of = held()
    const question = of.counters.take([ask({ cost })])
    await settle()
    of.pass(50)
    of.expire()
    const verdict = await question
    assert.equal(verdict.by, 'local')
    return { ...of, verdict }
  }
  const leftHere = async ({ counters, state }: Pick<ReturnType<typeof setUp>, 'counters' | 'state'>) => {
    state.answer = () => Promise.reject(new Error('down'))
    return (await counters.peek([ask()])).decisions[0]?.remaining
  }

  test('what the store counted late is not counted here too', async () => {
    const of = await late(4)
    of.deliver(taken)
    await settle()
    assert.equal(await leftHere(of), 5)
    // Given back, it is given back where it was counted.
    const { asked } = of.state
    of.state.answer = served(78)
    await of.counters.refund([ask({ cost: 4 })], of.verdict)
    assert.equal(of.state.asked, asked + 1)
  })

  test('what the store refused late stays counted here', async () => {
    const of = await late(4)
    of.deliver(refused)
    await settle()
    assert.equal(await leftHere(of), 1)
  })

  test('what was refused here, or given back before, is given back by the store', async () => {
    const refusedHere = await late(6)
    assert.equal(refusedHere.verdict.allowed, false)
    refusedHere.deliver(taken)
    await settle()
    assert.equal(refusedHere.state.asked, 2)
    const returned = await late(4)
    await returned.counters.refund([ask({ cost: 4 })], returned.verdict)
    returned.deliver(taken)
    await settle()
    assert.equal(returned.state.asked, 2)
    assert.equal(await leftHere(returned), 5)
  })
})

test('after 250 ms one probe looks, nobody waits for it, and its success brings the store back', async () => {
  const { counters, state, pass } = setUp()
  for (let count = 0; count < 5; count++) await counters.take([ask()])
  pass(249)
  await counters.take([ask()])
  assert.equal(state.asked, 5)
  pass(1)
  await counters.take([ask()])
  await counters.take([ask()])
  await settle()
  assert.equal(state.asked, 6, 'one probe')
  state.answer = served(77)
  pass(250)
  assert.equal((await counters.take([ask()])).by, 'local')
  await settle()
  const verdict = await counters.take([ask()])
  assert.deepEqual([verdict.by, verdict.takenAtUs], ['valkey', 77])
})

test('four failures and a success do not open the breaker', async () => {
  const { counters, state } = setUp()
  for (let round = 0; round < 5; round++) {
    const asked = state.asked
    state.answer = () => Promise.reject(new Error('READONLY You can not write against a read only replica.'))
    for (let count = 0; count < 4; count++) await counters.take([ask()])
    state.answer = served(1)
    assert.equal((await counters.take([ask()])).by, 'valkey')
    assert.equal(state.asked - asked, 5)
  }
})

test('the state says that the breaker is open, and looks for the store where nobody asks', async () => {
  const { counters, state, pass, away } = setUp()
  assert.deepEqual(counters.state(), { open: false, failures: 0, withoutStore: 0 })
  for (let count = 0; count < 7; count++) await counters.take([ask()])
  assert.deepEqual(counters.state(), { open: true, failures: 5, withoutStore: 7 })
  assert.deepEqual(away, [true])
  state.answer = served(1)
  pass(250)
  assert.equal(counters.state().open, true)
  await settle()
  assert.deepEqual(counters.state(), { open: false, failures: 0, withoutStore: 7 })
  assert.deepEqual(away, [true, false])
})

test('an answer that is none counts as a failure, whatever it is', async () => {
  const { counters, state } = setUp()
  for (const answer of [null, 'OK', [], [1], [1, 'x'], { length: 3 }]) {
    state.answer = () => Promise.resolve(answer)
    assert.equal((await counters.take([ask()])).by, 'local')
  }
})

test('what was taken locally is given back locally', async () => {
  const { counters } = setUp(1)
  const verdict = await counters.take([ask({ cost: 10 })])
  await counters.refund([ask({ cost: 10 })], verdict)
  assert.equal((await counters.take([ask({ cost: 10 })])).allowed, true)
})

test('a client that queues while it has no connection is refused with a sentence', () => {
  const { client } = scripted()
  assert.throws(() => valkeyCounters({ client: { ...client, options: {} }, nodes: 1 }), /valkeyClientOptions/)
})

/** Once these are answered, so is all that was sent before them: the probe may need a second command. */
async function answered(client: { ping(): Promise<unknown> }): Promise<void> {
  for (let count = 0; count < 3; count++) {
    await client.ping()
    await settle()
  }
}

describe('a real server', { skip: missing }, () => {
  test('a process that stands still for 200 ms has its questions answered by the store', async (context) => {
    const server = await startRedis()
    context.after(() => server.stop())
    const client = await connect(server.port)
    context.after(() => client.disconnect())
    const counters = valkeyCounters({ client, nodes: 2 })
    await counters.take([ask()])
    for (let round = 0; round < 3; round++) {
      const questions = Array.from({ length: 30 }, () => counters.take([ask()]))
      // They are sent before the process stands still.
      await Promise.resolve()
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200)
      const verdicts = await Promise.all(questions)
      assert.deepEqual([...new Set(verdicts.map(({ by }) => by))], ['valkey'])
      assert.equal(verdicts.filter(({ allowed }) => allowed).length, round === 0 ? 9 : 0)
    }
  })

  test('killed and started again empty: declared answers meanwhile, nothing replayed, counts anew after', async (context) => {
    const server = await startRedis()
    context.after(() => server.stop())
    const client = await connect(server.port)
    context.after(() => client.disconnect())
    let now = 0
    const counters = valkeyCounters({ client, nodes: 1, clock: () => now, timer: () => () => {} })
    assert.equal((await counters.take([ask({ cost: 4 })])).by, 'valkey')
    const closed = new Promise((resolve) => client.once('close', resolve))
    await server.stop()
    await closed
    for (let count = 0; count < 8; count++) assert.equal((await counters.take([ask()])).by, 'local')
    const ready = new Promise((resolve) => client.once('ready', resolve))
    const again = await startRedis(server.port)
    context.after(() => again.stop())
    await ready
    now += 250
    await counters.take([ask()])
    await answered(client)
    const verdict = await counters.take([ask()])
    assert.deepEqual([verdict.by, verdict.decisions[0]?.remaining], ['valkey', 9])
  })

  for (const [what, demote] of [
    [
      'has become a replica (READONLY)',
      (old: Redis, { port }: RedisServer) => old.replicaof('127.0.0.1', port),
    ],
    [
      'has lost its primary (MASTERDOWN)',
      async (old: Redis) => {
        await old.config('SET', 'replica-serve-stale-data', 'no')
        await old.replicaof('127.0.0.1', 1)
      },
    ],
  ] as const)
    test(`a server that ${what} is left, and the one that the name then leads to counts`, async (context) => {
      const [first, second] = [await startRedis(), await startRedis()]
      context.after(() => Promise.all([first.stop(), second.stop()]))
      // In the place of a name: where new connections go is changed, those that are open stay where they are.
      const name = await relayTo(first.port)
      context.after(() => name.close())
      const client = await connect(name.port)
      context.after(() => client.disconnect())
      let now = 0
      const counters = valkeyCounters({ client, nodes: 1, clock: () => now, timer: () => () => {} })
      assert.equal((await counters.take([ask({ cost: 4 })])).by, 'valkey')
      const old = await connect(first.port)
      context.after(() => old.disconnect())
      await demote(old, second)
      name.leadTo(second.port)
      const ready = new Promise((resolve) => client.once('ready', resolve))
      for (let count = 0; count < 6; count++) assert.equal((await counters.take([ask()])).by, 'local')
      await assert.rejects(client.ping(), 'the connection is given up')
      await ready
      now += 250
      await counters.take([ask()])
      await answered(client)
      const verdict = await counters.take([ask()])
      assert.deepEqual([verdict.by, verdict.decisions[0]?.remaining], ['valkey', 9])
    })

  test('a node that says that another one has the key (MOVED) is left too', async (context) => {
    const [asked, holder] = [await startRedis(undefined, CLUSTER), await startRedis(undefined, CLUSTER)]
    context.after(() => Promise.all([asked.stop(), holder.stop()]))
    const [one, other] = [await connect(asked.port), await connect(holder.port)]
    context.after(() => {
      one.disconnect()
      other.disconnect()
    })
    await other.cluster('ADDSLOTSRANGE', 0, 16_383)
    await one.cluster('MEET', '127.0.0.1', holder.port)
    const knows = async () => String(await one.cluster('INFO')).includes('cluster_state:ok')
    while (!(await knows())) await new Promise((resolve) => setTimeout(resolve, 20))
    const name = await relayTo(asked.port)
    context.after(() => name.close())
    const client = await connect(name.port)
    context.after(() => client.disconnect())
    let now = 0
    const counters = valkeyCounters({ client, nodes: 1, clock: () => now, timer: () => () => {} })
    name.leadTo(holder.port)
    const ready = new Promise((resolve) => client.once('ready', resolve))
    for (let count = 0; count < 6; count++) assert.equal((await counters.take([ask()])).by, 'local')
    await assert.rejects(client.ping(), 'the connection is given up')
    await ready
    now += 250
    await counters.take([ask()])
    await answered(client)
    assert.equal((await counters.take([ask()])).by, 'valkey')
  })
})
