// What the log hears of callers over their limit: once in a window, in bounded memory, and nothing secret.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DirectClient, type Exchange } from '../../guard/exchange.ts'
import type { AuditEvent } from '../../ports/audit.ts'
import type { CounterRequest, CounterVerdict } from '../../ports/counters.ts'
import { notesTo } from './notes.ts'

const exchange = {
  principal: undefined,
  client: new DirectClient({
    method: 'GET',
    target: '/',
    httpVersion: '1.1',
    rawHeaders: [],
    header: () => undefined,
    peer: undefined,
    encrypted: true,
  }),
  requestId: '',
  cell: { id: '*' },
} as unknown as Exchange

const request = (key: string, windowMs = 60_000): CounterRequest => ({
  bucket: 'minute',
  key,
  limit: 10,
  windowMs,
  algorithm: 'exact',
  cost: 1,
})
const refused = (bucket = 'minute', allowed = false): CounterVerdict => ({
  allowed: false,
  decisions: [{ bucket, allowed, limit: 10, remaining: 0, resetAfterMs: 1, retryAfterMs: 1 }],
  retryAfterMs: 1,
  takenAtUs: 0,
  by: 'memory',
})

function log(callers: number) {
  let now = 0
  const told: AuditEvent[] = []
  const note = notesTo({ record: (event) => told.push(event) }, () => now, callers)
  return {
    told,
    note,
    pass(ms: number) {
      now += ms
    },
  }
}

test('once for a caller in a window, and again in the next', () => {
  const { told, note, pass } = log(100)
  for (let count = 0; count < 50; count++) note(exchange, [request('a')], refused())
  assert.equal(told.length, 1)
  note(exchange, [request('b')], refused())
  assert.equal(told.length, 2)
  pass(60_000)
  note(exchange, [request('a')], refused())
  assert.equal(told.length, 3)
})

test('of a bucket that had room nothing is told', () => {
  const { told, note } = log(100)
  note(exchange, [request('a')], refused('minute', true))
  assert.equal(told.length, 0)
})

test('no more callers are remembered than there is room for, and none is told twice for it', () => {
  const { told, note, pass } = log(100)
  for (let round = 0; round < 3; round++)
    for (let caller = 0; caller < 1000; caller++) note(exchange, [request(`${caller}`)], refused())
  assert.equal(told.length, 100)
  pass(60_000)
  for (let caller = 5000; caller < 5050; caller++) note(exchange, [request(`${caller}`)], refused())
  assert.equal(told.length, 150)
})

test('the key of a bucket is not in the record', () => {
  const { told, note } = log(100)
  note(exchange, [request('o:secret-name')], refused())
  assert.equal(JSON.stringify(told).includes('secret-name'), false)
})
