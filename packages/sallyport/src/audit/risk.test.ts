// The score: the worked examples of its design, fading, and a book that an attacker can't empty.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { AuditAction, AuditEvent } from '../ports/audit.ts'
import { createRiskBook, levelOf } from './risk.ts'
import { DEFAULT_SIGNALS } from './signals.ts'

const HOUR = 3_600_000
const failed = (actor: string, address?: string): AuditEvent => ({
  action: 'session.failed',
  outcome: 'failure',
  actor,
  ...(address ? { address } : {}),
})

test('two typos are nothing, ten failures are low, and a lock on top is more', () => {
  const book = createRiskBook()
  book.note(failed('a'), 0)
  const two = book.note(failed('a'), 0)!
  assert.equal(two.score, 11)
  assert.equal(two.level, 'info')
  for (let i = 0; i < 8; i++) book.note(failed('a'), 0)
  const ten = book.riskOf('account:a', 0)
  assert.equal(ten.score, 16)
  const locked = book.note({ action: 'lockout.locked', outcome: 'denied', actor: 'a' }, 0)!
  assert.ok(locked.score > 30 && locked.level === 'low')
  assert.deepEqual(locked.contributions.map(({ signal }) => signal).slice(0, 2), [
    'lockout.locked',
    'session.failed',
  ])
})

test('a score fades by half in its half-life and is gone in the end', () => {
  const book = createRiskBook()
  book.note({ action: 'key.exposed', outcome: 'denied', credential: 'k' }, 0)
  assert.equal(book.riskOf('credential:k', 0).score, 55)
  assert.equal(book.riskOf('credential:k', 24 * HOUR).score, 28)
  assert.equal(book.riskOf('credential:k', 240 * HOUR).score, 0)
})

test('an event is held against the account, the credential and the address, and nobody else', () => {
  const book = createRiskBook()
  book.note({ ...failed('a', '203.0.113.7'), credential: 'k', organisation: 'o' }, 0)
  assert.equal(book.riskOf('account:a', 0).score, 8)
  assert.equal(book.riskOf('address:203.0.113.7', 0).score, 8)
  assert.equal(book.riskOf('credential:k', 0).score, 8)
  assert.equal(book.riskOf('organisation:o', 0).score, 0)
})

test('weights are the policy’s to choose', () => {
  const book = createRiskBook({ 'limit.exceeded': { weight: 90, halfLifeSeconds: 60 } })
  assert.equal(book.note(failed('a'), 0), undefined)
  assert.equal(book.note({ action: 'limit.exceeded', outcome: 'denied', actor: 'a' }, 0)?.level, 'critical')
})

test('who fills the book with strangers does not make it forget whom much is held against', () => {
  const book = createRiskBook(DEFAULT_SIGNALS, 1_000)
  for (let i = 0; i < 5; i++) book.note({ action: 'key.exposed', outcome: 'denied', actor: 'bad' }, 0)
  const before = book.riskOf('account:bad', 0).score
  for (let i = 0; i < 20_000; i++) book.note(failed('x', `2001:db8::${i.toString(16)}`), 0)
  assert.equal(book.size, 1_000)
  assert.equal(book.riskOf('account:bad', 0).score, before)
})

test('a score stays within 0 and 100, grows with every signal, and never grows by waiting', () => {
  const actions = Object.keys(DEFAULT_SIGNALS) as AuditAction[]
  fc.assert(
    fc.property(
      fc.array(fc.record({ action: fc.constantFrom(...actions), after: fc.nat(HOUR) }), { maxLength: 80 }),
      (events) => {
        const book = createRiskBook()
        let now = 0
        for (const { action, after } of events) {
          now += after
          const before = book.riskOf('account:a', now).score
          const { score, level } = book.note({ action, outcome: 'denied', actor: 'a' }, now)!
          assert.ok(score >= before && score <= 100)
          assert.equal(level, levelOf(score))
          assert.ok(book.riskOf('account:a', now + HOUR).score <= score)
        }
      },
    ),
  )
})
