// A flood of refusals: what is told of it, what is remembered, and that nothing is lost but the callers.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { runs } from '../../test/runs.ts'
import type { AuditEvent } from '../ports/audit.ts'
import { createGathering } from './gathering.ts'

const refused = (address: string, code = 'malformed_request'): AuditEvent => ({
  action: 'request.refused',
  outcome: 'denied',
  code,
  address,
  cell: '*',
  requestId: 'one',
})

function world(kinds = 512) {
  const told: AuditEvent[] = []
  let now = 1_000_000
  let due: { readonly run: () => void; readonly at: number } | undefined
  const gathering = createGathering({ record: (event) => void told.push(event) }, () => now, {
    kinds,
    later(run, ms) {
      due = { run, at: now + ms }
      return () => {
        due = undefined
      }
    },
  })
  return {
    told,
    gathering,
    tell: (event: AuditEvent, first = 1) => gathering.tell(event, `${event.code} ${event.address}`, first),
    pass(ms: number) {
      now += ms
      while (due && due.at <= now) {
        const { run } = due
        due = undefined
        run()
      }
    },
    get isWaiting() {
      return due !== undefined
    },
  }
}

test('the first of a kind is told as it comes, the rest of its window as one event with their number', () => {
  const { told, tell, pass, gathering } = world()
  for (let n = 0; n < 1_000; n++) tell(refused('203.0.113.7'))
  tell(refused('203.0.113.8'))
  assert.deepEqual(told, [refused('203.0.113.7'), refused('203.0.113.8')])
  pass(300_000)
  const { requestId: _requestId, ...rest } = refused('203.0.113.7')
  assert.deepEqual(told.slice(2), [{ ...rest, details: { more: 999, seconds: 300 } }])
  assert.equal(gathering.size, 0)
  tell(refused('203.0.113.7'))
  assert.equal(told.length, 4, 'the next window begins')
})

test('as many as are asked for are told one by one', () => {
  const { told, tell, gathering } = world()
  for (let n = 0; n < 10; n++) tell(refused('203.0.113.7'), 4)
  assert.equal(told.length, 4)
  gathering.flush()
  assert.deepEqual(told[4]!.details, { more: 6, seconds: 300 })
})

test('whoever comes from ever new addresses fills neither the memory nor the log', () => {
  const { told, tell, gathering } = world(100)
  for (let n = 0; n < 50_000; n++)
    tell(refused(`203.0.${n >> 8}.${n & 255}`, n % 2 ? 'malformed_request' : 'host_invalid'))
  assert.equal(gathering.size, 102)
  assert.equal(told.length, 100)
  gathering.flush()
  assert.deepEqual(
    told.slice(100).map(({ code, address, details }) => [code, address, details]),
    [
      ['host_invalid', undefined, { callers: 'many', more: 24_950, seconds: 300 }],
      ['malformed_request', undefined, { callers: 'many', more: 24_950, seconds: 300 }],
    ],
  )
})

test('without timers a number is told with the next refusal; a clock that is set back makes no window last', () => {
  const told: AuditEvent[] = []
  let now = 10_000_000
  const gathering = createGathering({ record: (event) => void told.push(event) }, () => now)
  const tell = (address: string) => gathering.tell(refused(address), address, 1)
  tell('a')
  tell('a')
  now += 300_000
  tell('b')
  assert.deepEqual(
    told.map(({ address, details }) => [address, details?.['more']]),
    [
      ['a', undefined],
      ['a', 1],
      ['b', undefined],
    ],
  )
  tell('b')
  now -= 5_000_000
  tell('c')
  assert.equal(told[3]!.details?.['more'], 1)
})

test('every refusal is in exactly one event, and a quiet gathering waits for nothing', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ who: fc.nat(6), first: fc.constantFrom(1, 4), after: fc.nat(200_000) }), {
        maxLength: 200,
      }),
      fc.integer({ min: 1, max: 5 }),
      (requests, kinds) => {
        const own = world(kinds)
        const { told, tell, pass, gathering } = own
        for (const { who, first, after } of requests) {
          pass(after)
          tell(refused(String(who)), first)
          assert.ok(gathering.size <= kinds + 1)
        }
        pass(700_000)
        const counted = told.reduce((sum, { details }) => sum + Number(details?.['more'] ?? 1), 0)
        assert.equal(counted, requests.length)
        assert.equal(gathering.size, 0)
        assert.equal(own.isWaiting, false)
      },
    ),
    runs(500),
  )
})
