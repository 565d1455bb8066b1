import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { KeyAnswer } from '../ports/keys.ts'
import { keyFormat } from './format.ts'
import { createKeyRing, type RunningKeyRing } from './ring.ts'
import { type SimulatedRecords, type Simulation, simulatedRecords, simulation } from './simulation.ts'

interface World {
  readonly time: Simulation
  readonly records: SimulatedRecords
  readonly ring: RunningKeyRing
}

async function world(): Promise<World> {
  const time = simulation()
  const records = simulatedRecords(time)
  const ring = createKeyRing(records, time)
  await time.advance(0)
  return { time, records, ring }
}

/** What the ring says of a key, once time went on as far as it must. */
async function ask({ time, ring }: World, key: string, milliseconds = 0): Promise<string> {
  let said: KeyAnswer | undefined
  void Promise.resolve(ring.find(key)).then((answer) => {
    said = answer
  })
  await time.advance(milliseconds)
  return said === undefined
    ? 'waits'
    : typeof said === 'string'
      ? said
      : said.record.revokedAt === undefined
        ? 'valid'
        : 'revoked'
}

const revoked = { revokedAt: 5 }

test('H5 a key is looked up once, then known without a question; the key itself is kept nowhere', async () => {
  const w = await world()
  const key = w.records.add()
  assert.equal(w.ring.known(key), undefined)
  const first = w.ring.find(key)
  assert.ok(first instanceof Promise)
  await w.time.advance(0)
  assert.notEqual(typeof (await first), 'string')
  for (let time = 0; time < 100; time++) assert.ok(!(w.ring.find(key) instanceof Promise))
  assert.equal(w.records.asked.find, 1)
  assert.ok(!JSON.stringify(w.ring.state()).includes(key.slice(20)))
})

test('garbage never reaches the records: the checksum is wrong', async () => {
  const w = await world()
  const key = w.records.add()
  for (const garbage of ['', 'sk_', key.slice(0, -1), `${key.slice(0, -1)}!`, `x${key}`, 'a'.repeat(10_000)])
    assert.equal(w.ring.find(garbage), 'unknown')
  await w.ring.exposed(key.slice(1), 'anywhere')
  assert.equal(w.records.asked.find, 0)
})

test('many callers of one key make one question', async () => {
  const w = await world()
  w.records.delayMs = 10
  const key = w.records.add()
  const all = Array.from({ length: 50 }, () => w.ring.find(key))
  await w.time.advance(10)
  for (const answer of await Promise.all(all)) assert.notEqual(typeof answer, 'string')
  assert.equal(w.records.asked.find, 1)
})

test('a look-up that takes too long is unavailable after 50 ms; it goes on, and the next caller finds its answer', async () => {
  const w = await world()
  w.records.delayMs = 200
  const key = w.records.add()
  assert.equal(await ask(w, key, 49), 'waits')
  assert.equal(await ask(w, key, 50), 'unavailable')
  await w.time.advance(150)
  assert.equal(await ask(w, key), 'valid')
  assert.equal(w.records.asked.find, 1)
})

test('records that fail are unavailable, and are asked again by the next caller', async () => {
  const w = await world()
  const key = w.records.add()
  w.records.fails = true
  assert.equal(await ask(w, key), 'unavailable')
  w.records.fails = false
  assert.equal(await ask(w, key), 'valid')
})

test('a record that is too large to be kept is unavailable, and ends nothing', async () => {
  const w = await world()
  const key = w.records.add({ name: 'x'.repeat(2_000_000) })
  assert.equal(await ask(w, key), 'unavailable')
  assert.equal(await ask(w, w.records.add()), 'valid')
})

test('a question that is never answered does not hold the place for ever, and those there are have a bound', async () => {
  const w = await world()
  w.records.delayMs = 'never'
  const key = w.records.add()
  const many = Array.from({ length: 1_200 }, () => w.records.add())
  assert.equal(await ask(w, key, 50), 'unavailable')
  for (const each of many) void w.ring.find(each)
  assert.equal(w.ring.state().lookUps, 1_000)
  w.records.delayMs = 0
  await w.time.advance(6_000)
  assert.equal(w.ring.state().lookUps, 0)
  assert.equal(await ask(w, key), 'valid')
})

test('an unknown key is not asked for again for two seconds, and ten thousand of them are remembered at most', async () => {
  const w = await world()
  const format = keyFormat('acme')
  const strange = () =>
    format.make({ kind: 'secret', environment: 'live' }, (bytes) =>
      crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>),
    )
  const key = strange()
  assert.equal(await ask(w, key), 'unknown')
  assert.equal(w.ring.find(key), 'unknown')
  await w.time.advance(1_999)
  assert.equal(w.ring.find(key), 'unknown')
  assert.equal(w.records.asked.find, 1)
  await w.time.advance(1)
  assert.equal(await ask(w, key), 'unknown')
  assert.equal(w.records.asked.find, 2)
  for (let round = 0; round < 12; round++) {
    const all = Array.from({ length: 900 }, () => w.ring.find(strange()))
    await Promise.all(all)
  }
  const before = w.records.asked.find
  assert.equal(await ask(w, key), 'unknown')
  assert.equal(w.records.asked.find, before + 1, 'the oldest was forgotten')
})

test('a busy key is looked up again before its record is too old: nobody waits', async () => {
  const w = await world()
  const key = w.records.add()
  await ask(w, key)
  for (let second = 0; second < 60; second++) {
    await w.time.advance(500)
    assert.ok(!(w.ring.find(key) instanceof Promise))
  }
  assert.ok(w.records.asked.find > 5 && w.records.asked.find < 12, `${w.records.asked.find}`)
})

test('a record is believed for five seconds, and for one while nothing pushes', async () => {
  const w = await world()
  const key = w.records.add()
  await ask(w, key)
  await w.time.advance(4_999)
  assert.notEqual(w.ring.known(key), undefined)
  await w.time.advance(6_000)
  assert.equal(w.ring.known(key), undefined)
  await ask(w, key)
  w.ring.pushLost(true)
  await w.time.advance(1_000)
  assert.equal(w.ring.known(key), undefined)
})

test('that there is such a key is remembered for an hour, however old its record is', async () => {
  const w = await world()
  const key = w.records.add()
  assert.equal(w.ring.wasFound(key), false)
  await ask(w, key)
  await w.time.advance(60_000)
  assert.equal(w.ring.known(key), undefined)
  assert.equal(w.ring.wasFound(key), true)
  await w.time.advance(3_600_000)
  assert.equal(w.ring.wasFound(key), false)
  assert.equal(w.ring.wasFound('no key at all'), false)
})

test('H7 a revoked key is refused when it is next polled for, and at once when somebody pokes', async () => {
  const w = await world()
  const [polled, poked] = [w.records.add(), w.records.add()]
  await ask(w, polled)
  await ask(w, poked)
  w.records.end(poked, revoked)
  w.ring.poke()
  await w.time.advance(1)
  assert.equal(await ask(w, poked), 'revoked')
  w.records.end(polled, revoked)
  assert.equal(await ask(w, polled), 'valid')
  await w.time.advance(1_001)
  assert.equal(await ask(w, polled), 'revoked')
})

test('H7 an end of the organisation or of the owner ends their keys, and nobody else’s', async () => {
  const w = await world()
  const keys = ['a', 'b', 'c'].map((name) => w.records.add({ organisation: name, owner: `owner-${name}` }))
  for (const key of keys) await ask(w, key)
  w.records.end(keys[0]!, revoked, { kind: 'organisation', id: 'a' })
  w.records.end(keys[1]!, revoked, { kind: 'principal', id: 'owner-b' })
  w.records.end(keys[2]!, {}, { kind: 'session', id: 'c' })
  w.ring.poke()
  await w.time.advance(0)
  assert.deepEqual(
    keys.map((key) => w.ring.known(key) === undefined),
    [true, true, false],
  )
})

test('H7 what was asked before an end was seen is not believed after it', async () => {
  const w = await world()
  const key = w.records.add()
  w.records.delayMs = 40
  const early = w.ring.find(key)
  await w.time.advance(10)
  // The question has its answer already, on its way; the end is seen first.
  w.records.end(key, revoked)
  w.records.delayMs = 0
  w.ring.poke()
  await w.time.advance(40)
  const answer = await early
  assert.ok(typeof answer !== 'string' && answer.record.revokedAt === 5)
  assert.equal(await ask(w, key), 'revoked')
})

test('without a successful question for two seconds nothing is said, of keys that are known neither', async () => {
  const w = await world()
  const [key, other] = [w.records.add(), w.records.add()]
  await ask(w, key)
  w.records.pollFails = true
  await w.time.advance(2_000)
  assert.equal(await ask(w, key), 'valid')
  await w.time.advance(1)
  assert.equal(await ask(w, key, 49), 'waits')
  assert.equal(await ask(w, other, 50), 'unavailable')
  await w.time.advance(1_000)
  assert.equal(w.ring.find(key), 'unavailable', 'later nobody waits for an answer')
  w.records.pollFails = false
  await w.time.advance(1_000)
  assert.equal(await ask(w, key), 'valid')
})

test('what is known is as old as the question, not as its answer', async () => {
  const w = await world()
  const key = w.records.add()
  w.records.pollDelayMs = 600
  await w.time.advance(500)
  // A question has just begun. What is revoked now is not in its answer, which comes 600 ms later; then all fail.
  await ask(w, key)
  w.records.end(key, revoked)
  await w.time.advance(590)
  w.records.pollFails = true
  await w.time.advance(1_410)
  assert.equal(await ask(w, key), 'valid')
  await w.time.advance(1)
  assert.equal(await ask(w, key, 50), 'unavailable')
})

test('a look-up that ends when nothing is known any more says nothing', async () => {
  const w = await world()
  const key = w.records.add()
  w.records.pollFails = true
  w.records.delayMs = 40
  await w.time.advance(1_990)
  assert.equal(await ask(w, key, 40), 'unavailable')
})

test('an answer that comes late counts from when it was asked for, and too late is as good as none', async () => {
  const w = await world()
  const key = w.records.add()
  await ask(w, key)
  w.records.pollDelayMs = 1_200
  for (let time = 0; time < 50; time++) {
    await w.time.advance(100)
    assert.equal(await ask(w, key), 'valid')
  }
  w.records.pollDelayMs = 2_100
  await w.time.advance(5_000)
  assert.equal(await ask(w, key, 50), 'unavailable')
  w.records.pollDelayMs = 100
  await w.time.advance(2_000)
  assert.equal(await ask(w, key), 'valid')
})

test('H5 a single question that is lost, or fails, costs nothing', async () => {
  for (const lost of ['never', 'fails'] as const) {
    const w = await world()
    const key = w.records.add()
    await ask(w, key)
    if (lost === 'never') w.records.pollDelayMs = 'never'
    else w.records.pollFails = true
    const before = w.records.asked.revocations
    while (w.records.asked.revocations === before) await w.time.advance(1)
    w.records.pollFails = false
    w.records.pollDelayMs = 500
    for (let time = 0; time < 40; time++) {
      await w.time.advance(50)
      assert.notEqual(w.ring.known(key), 'unavailable', `${lost}, after ${time * 50} ms`)
    }
  }
})

test('the next question comes at once when one fails, but not without a pause while all do', async () => {
  const w = await world()
  await w.time.advance(499)
  w.records.pollFails = true
  const before = w.records.asked.revocations
  await w.time.advance(1)
  assert.equal(w.records.asked.revocations, before + 2)
  await w.time.advance(1_000)
  assert.equal(w.records.asked.revocations, before + 7)
})

test('H5 a loop that was held up reads what has arrived before it refuses anybody', async () => {
  const w = await world()
  const [known, cold] = [w.records.add(), w.records.add()]
  await ask(w, known)
  // The look-up is answered in time, and the loop comes to it late.
  w.records.delayMs = 60
  const early = w.ring.find(cold)
  w.time.stall(400)
  await w.time.advance(0)
  assert.notEqual(await Promise.race([early, 'waits']), 'unavailable')
  assert.notEqual(typeof (await early), 'string')
  // The same of revocations: held up for longer than anything is known, requests are read before the answer.
  w.records.pollDelayMs = 40
  w.time.stall(2_200)
  assert.equal(await ask(w, known, 41), 'valid')
})

test('before the first answer a caller waits its 50 ms, then hears that nobody can say', async () => {
  const time = simulation()
  const records = simulatedRecords(time)
  records.pollDelayMs = 50
  const key = records.add()
  const late = { time, records, ring: createKeyRing(records, time) }
  assert.equal(await ask(late, key, 49), 'waits')
  assert.equal(await ask(late, key, 1), 'valid')
  records.pollFails = true
  const never = { time, records, ring: createKeyRing(records, time) }
  assert.equal(await ask(never, key, 50), 'unavailable')
})

test('a store that was restored and counts from before is noticed: all is forgotten', async () => {
  const w = await world()
  const key = w.records.add()
  for (let time = 0; time < 5; time++) w.records.end(key, {})
  await w.time.advance(1_001)
  await ask(w, key)
  assert.notEqual(w.ring.known(key), undefined)
  w.records.seq = 2
  await w.time.advance(1_000)
  assert.equal(w.ring.known(key), undefined)
})

test('ten thousand ends at once are forgotten together instead of one by one', async () => {
  const w = await world()
  const key = w.records.add()
  await ask(w, key)
  const other = w.records.add()
  for (let time = 0; time < 10_001; time++) w.records.end(other, {}, { kind: 'key', id: `other-${time}` })
  w.ring.poke()
  await w.time.advance(0)
  assert.equal(w.ring.known(key), undefined)
  await w.time.advance(1)
  assert.equal(await ask(w, key), 'valid')
})

test('last uses are written each minute, the newest of each key, and kept when that fails', async () => {
  const w = await world()
  for (let time = 0; time < 1_000; time++) w.ring.used('a', time)
  w.ring.used('b', 5)
  await w.time.advance(60_000)
  assert.deepEqual(w.records.written, [
    new Map([
      ['a', 999],
      ['b', 5],
    ]),
  ])
  w.ring.used('a', 2_000)
  w.records.fails = true
  await w.time.advance(60_000)
  w.records.fails = false
  w.ring.used('c', 3_000)
  await w.ring.close()
  assert.deepEqual(
    w.records.written.at(-1),
    new Map(
      [
        ['a', 2_000],
        ['c', 3_000],
      ].reverse() as [string, number][],
    ),
  )
})

// Random histories of faults. Whatever happens, a key is not accepted two seconds after its revocation was written.
test('H7 no revoked key passes for longer than two seconds, through slow, silent and failing records', async () => {
  const wait = fc.record({ what: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 900 }) })
  const asked = fc.record({ what: fc.constant('ask' as const), key: fc.nat(1) })
  const delay = fc.constantFrom(0, 0, 5, 45, 600, 880, 1_900, 3_000, 'never' as const)
  const step = fc.oneof(
    { weight: 6, arbitrary: wait },
    { weight: 8, arbitrary: asked },
    {
      weight: 2,
      arbitrary: fc.record({ what: fc.constant('delay' as const), find: delay, poll: delay }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        what: fc.constantFrom(
          ...(['fails', 'pollFails', 'heals', 'cut', 'back', 'poke', 'revoke', 'revoke', 'stall'] as const),
        ),
      }),
    },
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 80 }), async (steps) => {
      const w = await world()
      const keys = [w.records.add(), w.records.add()]
      const endedAt = new Map<string, number>()
      const late: string[] = []
      let next = 0
      for (const step of steps) {
        if (step.what === 'wait') await w.time.advance(step.ms)
        else if (step.what === 'delay') {
          w.records.delayMs = step.find
          w.records.pollDelayMs = step.poll
        } else if (step.what === 'ask') {
          const key = keys[step.key]!
          void Promise.resolve(w.ring.find(key)).then((answer) => {
            const ended = endedAt.get(key)
            if (ended === undefined || typeof answer === 'string' || answer.record.revokedAt !== undefined)
              return
            const age = w.time.clock() - ended
            if (age > 2_000) late.push(`valid ${age} ms after its end`)
          })
          await w.time.advance(1)
        } else if (step.what === 'revoke') {
          const key = keys[next++ % 2]!
          if (!endedAt.has(key)) endedAt.set(key, w.time.clock())
          w.records.end(key, revoked)
        } else if (step.what === 'fails') w.records.fails = true
        else if (step.what === 'pollFails') w.records.pollFails = true
        else if (step.what === 'heals') {
          w.records.fails = false
          w.records.pollFails = false
        } else if (step.what === 'poke') w.ring.poke()
        else if (step.what === 'stall') w.time.stall(1_300)
        else w.ring.pushLost(step.what === 'cut')
      }
      await w.time.advance(100)
      assert.deepEqual(late, [])
      // When all is well again, everybody is told the truth.
      w.records.fails = false
      w.records.pollFails = false
      w.records.delayMs = 0
      w.records.pollDelayMs = 0
      await w.time.advance(8_000)
      for (const key of keys) assert.equal(await ask(w, key, 60), endedAt.has(key) ? 'revoked' : 'valid')
    }),
    { numRuns: 400 },
  )
})

test('H7 it is settled once what has ended by now is refused, though a question was under way before', async () => {
  const w = await world()
  const key = w.records.add()
  assert.equal(await ask(w, key), 'valid')
  // The question under way was asked before the end, and its answer does not hold it.
  w.records.pollDelayMs = 20
  w.ring.poke()
  w.records.end(key, revoked)
  let isSettled = false
  void w.ring.settled().then(() => {
    isSettled = true
  })
  await w.time.advance(20)
  assert.equal(isSettled, false)
  await w.time.advance(20)
  assert.equal(isSettled, true)
  await w.time.advance(1)
  assert.equal(await ask(w, key), 'revoked')
})

test('H7 it is settled after two seconds where nobody answers: by then every key is refused', async () => {
  const w = await world()
  const key = w.records.add()
  assert.equal(await ask(w, key), 'valid')
  w.records.pollDelayMs = 'never'
  let isSettled = false
  void w.ring.settled().then(() => {
    isSettled = true
  })
  await w.time.advance(2_000)
  assert.equal(isSettled, false)
  await w.time.advance(1)
  assert.equal(isSettled, true)
  w.time.stall(1)
  assert.notEqual(await ask(w, key, 1_500), 'valid')
})
