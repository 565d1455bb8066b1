// Who is told of for asking after what is not there, how often, and how much is remembered.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { guard } from '../../adapters/fetch.ts'
import { createGuard } from '../../guard/guard.ts'
import type { AuditEvent } from '../../ports/audit.ts'

function world(record = true) {
  const events: AuditEvent[] = []
  let now = 1_000_000
  let peer = '203.0.113.7'
  const services = { audit: { record: (event: AuditEvent) => void events.push(event) } }
  const compiled = createGuard({ audit: { record }, routes: { '/v1/*': { data: 'private' } } }, 'fetch', {
    services: { ...services, risk: { riskOf: () => assert.fail() } as never },
    clock: () => now,
  })
  const ask = guard(
    compiled,
    (request: Request) => {
      return new Response(null, { status: request.url.endsWith('there') ? 200 : 404 })
    },
    { peer: () => peer },
  )
  return {
    events,
    pass(ms: number) {
      now += ms
    },
    async ask(path: string, from = '203.0.113.7') {
      peer = from
      await ask(new Request(`https://api.example${path}`))
    },
  }
}

test('H19 twenty things that are not there within a minute are told once, wherever they are looked for', async () => {
  const { ask, events, pass } = world()
  for (let n = 0; n < 19; n++) await ask(n % 2 ? `/v1/${n}` : `/${n}`)
  for (let n = 0; n < 50; n++) await ask('/v1/there')
  assert.deepEqual(events, [])
  for (let n = 0; n < 30; n++) await ask('/v1/x')
  assert.deepEqual(events, [
    {
      action: 'request.not_found_burst',
      outcome: 'failure',
      control: 'SP-AUDIT-01',
      cell: '/v1/*',
      address: '203.0.113.7',
      details: { answers: 20, seconds: 60 },
    },
  ])
  pass(60_000)
  for (let n = 0; n < 20; n++) await ask('/x')
  assert.equal(events.length, 2)
})

test('what is spread out, and what many callers ask, is no burst; a household is one caller', async () => {
  const { ask, events, pass } = world()
  for (let n = 0; n < 60; n++) {
    await ask('/x')
    pass(3_200)
  }
  for (let n = 0; n < 60; n++) await ask('/x', `203.0.113.${n + 10}`)
  assert.deepEqual(events, [])
  for (let n = 0; n < 20; n++) await ask('/x', `2001:db8:1:2::${n}`)
  assert.equal(events.length, 1)
})

test('where nothing is kept, nothing is counted', async () => {
  const { ask, events } = world(false)
  for (let n = 0; n < 40; n++) await ask('/x')
  assert.deepEqual(events, [])
})
