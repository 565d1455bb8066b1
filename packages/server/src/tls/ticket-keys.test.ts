import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { runs } from '../../../sallyport/test/runs.ts'
import { createTicketKeys, type DaySecret, type TicketKeys } from './ticket-keys.ts'

const DAY = 86_400_000
const START: DaySecret = { day: 99, secret: Buffer.alloc(32, 7) }

function at(day: number, start = START, binding = ''): TicketKeys {
  return createTicketKeys(start, () => day * DAY + 1, binding)
}

const names = (keys: TicketKeys) => keys.now().map(({ name }) => name.toString('hex'))

test('whoever has the secret has the keys of the day, whenever it began', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(400), { minLength: 1, maxLength: 6 }), (gaps) => {
      let day = 100
      const running = createTicketKeys(START, () => day * DAY, '')
      for (const gap of gaps) {
        day += gap
        assert.deepEqual(running.now(), at(day).now())
        // One that starts now has only what was kept.
        assert.deepEqual(at(day, running.kept()).now(), running.now())
      }
    }),
    runs(50),
  )
})

test('the key before is known for one more day, and then no more', () => {
  const [monday, tuesday, wednesday] = [at(100), at(101), at(102)].map(names)
  assert.equal(tuesday![1], monday![0])
  assert.equal(wednesday![1], tuesday![0])
  assert.ok(!wednesday!.includes(monday![0]!))
})

test('every key differs from every other, and is as long as OpenSSL reads it', () => {
  const [current, before] = at(100).now()
  const parts = [current, before].flatMap(({ name, hmac, aes }) => [name, hmac, aes])
  assert.deepEqual(
    parts.map(({ length }) => length),
    [16, 16, 16, 16, 16, 16],
  )
  assert.equal(new Set(parts.map((part) => part.toString('hex'))).size, 6)
})

test('a session that was begun under other rules has another key', () => {
  assert.notDeepEqual(names(at(100, START, 'a')), names(at(100, START, 'b')))
})

test('what is kept is the secret of yesterday, and a clock that is set back changes nothing', () => {
  let day = 105
  const keys = createTicketKeys(START, () => day * DAY, '')
  const before = keys.now()
  assert.equal(keys.kept().day, 104)
  assert.notDeepEqual(keys.kept().secret, START.secret)
  day = 90
  assert.deepEqual(keys.now(), before)
  assert.equal(keys.kept().day, 104)
})

test('a secret that is a century old costs a bounded number of steps', () => {
  assert.equal(at(10_000_000).now().length, 2)
})
