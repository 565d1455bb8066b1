// What answers of a route tell the log.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { guard } from '../../adapters/fetch.ts'
import { createRiskBook } from '../../audit/risk.ts'
import type { CellInfo } from '../../guard/cell.ts'
import { createGuard } from '../../guard/guard.ts'
import type { PolicyDocument } from '../../guard/policy.ts'
import { resolvePolicy } from '../../guard/resolve.ts'
import { PolicyError } from '../../policy/problem.ts'
import type { AuditEvent } from '../../ports/audit.ts'
import { compareAudit } from './compare.ts'
import { audit } from './index.ts'
import type { AuditSetting } from './setting.ts'

const POLICY: PolicyDocument = {
  audit: { record: true },
  routes: {
    'POST /v1/sign-out': { audit: { event: { action: 'session.ended' } } },
    'POST /v1/code': { audit: { event: { action: 'session.mfa_failed' } } },
  },
}

/** What is told of an answer, and the answer as the caller gets it. */
async function told(
  path: string,
  status: number,
  actor?: string,
  document = POLICY,
  risk = createRiskBook(),
) {
  const events: AuditEvent[] = []
  const services = {
    audit: { record: (event: AuditEvent) => void events.push(event) },
    risk,
  }
  const answer = await guard(
    createGuard(document, 'fetch', { services }),
    () => new Response(null, { status, headers: actor === undefined ? {} : { 'Audit-Actor': actor } }),
    { peer: () => '203.0.113.7' },
  )(new Request(`https://api.example${path}`, { method: 'POST' }))
  return { events, answer }
}

test('H19 a sign-out is told where the application answers that it happened, by whom it says', async () => {
  const { events, answer } = await told('/v1/sign-out', 204, 'acc%C3%A9_1')
  assert.equal(answer.headers.get('audit-actor'), null)
  assert.deepEqual(events, [
    {
      action: 'session.ended',
      outcome: 'success',
      control: 'SP-AUDIT-01',
      cell: 'POST /v1/sign-out',
      actor: 'accé_1',
      address: '203.0.113.7',
    },
  ])
  assert.deepEqual((await told('/v1/sign-out', 401)).events, [])
  assert.equal((await told('/v1/sign-out', 200, '%ff')).events[0]?.actor, undefined)
  assert.equal((await told('/v1/sign-out', 200, 'a'.repeat(2_000))).events[0]?.actor, undefined)
})

test('a failure is told of a 401, and other routes tell nothing', async () => {
  const failed = await told('/v1/code', 401)
  assert.deepEqual(
    failed.events.map(({ action, outcome }) => [action, outcome]),
    [['session.mfa_failed', 'failure']],
  )
  assert.deepEqual((await told('/v1/code', 200)).events, [])
  assert.deepEqual((await told('/v1/other', 200)).events, [])
})

test('what the guard answers is not taken for the application’s', async () => {
  const risk = createRiskBook()
  for (let i = 0; i < 9; i++)
    risk.note({ action: 'key.exposed', outcome: 'denied', address: '203.0.113.7' }, Date.now())
  const document: PolicyDocument = {
    audit: { record: true, risk: { high: ['lock'] } },
    routes: { 'POST /v1/sign-out': { audit: { event: { action: 'session.ended', on: [200, 429] } } } },
  }
  const { answer, events } = await told('/v1/sign-out', 200, undefined, document, risk)
  assert.equal(answer.status, 429)
  assert.deepEqual(
    events.map(({ action, code }) => [action, code]),
    [['risk.refused', 'locked_out']],
  )
})

test('an event that every answer would be, that says nothing or that nothing keeps is a mistake', () => {
  const event = { action: 'session.ended' } as const
  for (const [policy, message] of [
    [{ audit: { record: true, event } }, /every answer would be one/],
    [{ audit: { record: true }, routes: { '/x': { audit: { event: {} } } } }, /does not say what happened/],
    [{ routes: { '/x': { audit: { event } } } }, /is not kept/],
    [
      { audit: { record: true }, routes: { '/x': { audit: { event: { action: 'key.created' } } } } },
      /session\.started/,
    ],
  ] as const)
    assert.throws(
      () => resolvePolicy(policy as PolicyDocument),
      (error: unknown) => error instanceof PolicyError && message.test(JSON.stringify(error.problems)),
    )
})

test('an event that is not told any more is weaker, and says which', () => {
  const on = (statuses: number[]): AuditSetting => ({
    record: true,
    event: { action: 'session.ended', on: statuses },
  })
  const [gone] = compareAudit(on([200]), { record: true })
  assert.deepEqual([gone?.strength, gone?.what], ['weaker', 'event'])
  assert.match(gone!.because, /"session\.ended" of this route is not in the log/)
  assert.match(compareAudit(on([200, 204]), on([200]))[0]!.because, /not told of answers 204/)
  const cell = { id: 'POST /out', origin: 'route', path: '/out', data: 'private' } as CellInfo
  const section = audit.describe([{ cell, setting: on([204]) }])
  assert.match(JSON.stringify(section), /a session ended, where the application answers 204/)
})
