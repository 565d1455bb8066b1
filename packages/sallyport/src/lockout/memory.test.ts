// The memory of failed guesses: its contract, and what it does when it is full.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { digestOf, guess, lockoutContract } from './contract.ts'
import { memoryLockouts } from './memory.ts'
import { lockoutDefaults } from './numbers.ts'

function memory(capacity?: number) {
  let now = 1_000_000_000_000
  const store = memoryLockouts({ clock: () => now, ...(capacity === undefined ? {} : { capacity }) })
  const pass = (seconds: number): void => {
    now += seconds * 1_000
  }
  return { store, pass }
}

lockoutContract('memory', () => memory())

const numbers = { ...lockoutDefaults, disabledAt: 12, longestWaitSeconds: 60 }
const at = (name: string, about = {}) => guess({ name: digestOf(name), ...about })

test('a full memory forgets no name that waits or had to, and those it has no room for share one count', async () => {
  const { store, pass } = memory(16)
  for (let name = 0; name < 16; name++)
    for (let failures = 0; failures < 5; failures++) await store.reserve(at(`n${name}`), numbers)
  const flood = []
  for (let name = 0; name < 100; name++) flood.push(await store.reserve(at(`new-${name}`), numbers))
  assert.equal(flood.filter(({ allowed }) => allowed).length, 5)
  for (let name = 0; name < 16; name++)
    assert.equal((await store.reserve(at(`n${name}`), numbers)).allowed, false)
  await pass(60)
  // A success of one who shares gives nothing back to all who do.
  const shared = at('new-1')
  const reservation = { allowed: true, by: 'stranger', failures: 6, hard: 0, generation: 0 }
  assert.deepEqual(await store.reserve(shared, numbers), reservation)
  await store.succeed(shared, 'stranger')
  assert.equal((await store.reserve(at('new-2'), numbers)).allowed, false)
  for (let name = 0; name < 16; name++) {
    const next = await store.reserve(at(`n${name}`), numbers)
    assert.equal(next.allowed && next.failures, 6)
  }
})

test('a full memory makes room by forgetting names that never waited', async () => {
  const { store } = memory(16)
  for (let name = 0; name < 200; name++)
    assert.equal((await store.reserve(at(`n${name}`), numbers)).allowed, true)
  for (let failures = 1; failures < 5; failures++) {
    const next = await store.reserve(at('n199'), numbers)
    assert.equal(next.allowed && next.failures, failures + 1)
  }
})

test('sharers are never disabled for good', async () => {
  const { store, pass } = memory(1)
  for (let failures = 0; failures < 5; failures++) await store.reserve(at('full'), numbers)
  for (let count = 0; count < 30; count++) {
    assert.equal((await store.reserve(at(`n${count}`), numbers)).allowed, true)
    await pass(60)
  }
})

test('addresses that still count are not forgotten in a flood of others', async () => {
  const { store } = memory(16)
  const from = (address: string, name: string) => store.reserve(at(name, { address }), numbers)
  for (let address = 0; address < 16; address++)
    for (let count = 0; count < 20; count++)
      await from(`192.0.2.${address}`, `n${count % 4}-${address}-${count}`)
  for (let address = 0; address < 16; address++)
    assert.equal((await from(`192.0.2.${address}`, 'someone')).allowed, false)
})

test('networks that still count are not forgotten in a flood of others', async () => {
  const { store } = memory(16)
  const few = { ...numbers, networkFailures: 20 }
  const from = (network: string, name: string) => store.reserve(at(name, { network }), few)
  for (let network = 0; network < 16; network++)
    for (let count = 0; count < 20; count++) await from(`n${network}`, `n${network}-${count}`)
  for (let network = 0; network < 16; network++)
    assert.equal((await from(`n${network}`, 'someone')).allowed, false)
  // Those that it has no room for share what one has.
  let allowed = 0
  for (let network = 16; network < 56; network++)
    if ((await from(`n${network}`, `other-${network}`)).allowed) allowed++
  assert.equal(allowed, 20)
})

const surging = { ...numbers, surge: { failures: 2, seconds: 60, calmSeconds: 600 } }
const solution = (of: string, leftSeconds = 120, issuedAt = 1_000_000_000_000) => ({
  solution: { digest: digestOf(of), issuedAt, leftSeconds },
})

test('a full memory takes no solution that it could not remember to be used, until one has run out', async () => {
  const { store, pass } = memory(16)
  const show = async (count: number, leftSeconds = 120) => {
    const made = await store.reserve(at(`s${count}`, solution(`${count}`, leftSeconds)), surging)
    return made.allowed
  }
  for (let count = 0; count < 2; count++) await store.reserve(at(`b${count}`), surging)
  for (let count = 0; count < 16; count++) assert.equal(await show(count, count === 3 ? 30 : 120), true)
  assert.equal(await show(16), false)
  await pass(31)
  // A few places are looked at each time, the oldest first.
  assert.equal((await show(16)) || (await show(16)), true)
  for (const used of [0, 5, 16]) assert.equal(await show(used), false)
})

test('I10 what was solved of a puzzle from before a start is good for nothing: it may have been used', async () => {
  const { store } = memory()
  for (let count = 0; count < 2; count++) await store.reserve(at(`b${count}`), surging)
  const show = (issuedAt: number) => store.reserve(at('ada', solution('old', 120, issuedAt)), surging)
  assert.equal((await show(999_999_999_999)).allowed, false)
  assert.equal((await show(1_000_000_000_000)).allowed, true)
})
