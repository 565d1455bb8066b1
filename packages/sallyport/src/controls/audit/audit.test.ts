// The control's order, and what is done at which risk.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { runs } from '../../../test/runs.ts'
import { createRiskBook } from '../../audit/risk.ts'
import type { CellInfo, Resolved } from '../../guard/cell.ts'
import type { Incoming } from '../../guard/exchange.ts'
import { createGuard } from '../../guard/guard.ts'
import type { Principal } from '../../guard/principal.ts'
import { PolicyError } from '../../policy/problem.ts'
import type { AuditAction } from '../../ports/audit.ts'
import { verdictOf } from '../faces.ts'
import { compareAudit } from './compare.ts'
import { judge } from './enforce.ts'
import { audit } from './index.ts'
import { type AuditSetting, fullAudit, RISK_ACTS } from './setting.ts'

const NOW = 1_700_000_000_000
const acts = fc.uniqueArray(fc.constantFrom(...RISK_ACTS), { maxLength: 4 })
const settings: fc.Arbitrary<AuditSetting> = fc.record(
  {
    mode: fc.constantFrom('enforce' as const, 'report' as const, 'off' as const),
    record: fc.boolean(),
    retentionDays: fc.constantFrom(30, 365),
    event: fc.record(
      {
        action: fc.constantFrom('session.ended' as const, 'session.mfa_changed' as const),
        on: fc.constantFrom([200], [200, 204], [204, 302]),
      },
      { requiredKeys: ['action'] },
    ),
    risk: fc.record(
      {
        signals: fc.dictionary(
          fc.constantFrom<AuditAction>('session.failed', 'key.exposed'),
          fc.record({ weight: fc.constantFrom(0, 10, 60), halfLifeSeconds: fc.constantFrom(60, 3_600) }),
        ),
        low: acts,
        medium: acts,
        high: acts,
        critical: acts,
        lockSeconds: fc.constantFrom(60, 300),
      },
      { requiredKeys: [] },
    ),
  },
  { requiredKeys: [] },
)

test('the order is one: nothing changes nothing, and both directions mirror each other', () => {
  fc.assert(
    fc.property(settings, settings, (a, b) => {
      assert.equal(verdictOf(compareAudit(a, a)), 'neutral')
      const mirror = {
        stronger: 'weaker',
        weaker: 'stronger',
        neutral: 'neutral',
        incomparable: 'incomparable',
      }
      assert.equal(verdictOf(compareAudit(b, a)), mirror[verdictOf(compareAudit(a, b))])
    }),
    runs(1_000),
  )
})

const principal = (more: Partial<Principal> = {}): Principal => ({
  organisation: 'o',
  subject: 'ada',
  credential: { kind: 'session', id: 's' },
  scopes: [],
  ...more,
})

test('whoever a setting stops is stopped by every setting that is not weaker', () => {
  fc.assert(
    fc.property(
      settings,
      settings,
      fc.array(
        fc.record({
          action: fc.constantFrom<AuditAction>('session.failed', 'key.exposed'),
          ago: fc.nat(4_000),
        }),
        {
          maxLength: 8,
        },
      ),
      fc.constantFrom<'session' | 'key'>('session', 'key'),
      (a, b, events, kind) => {
        const verdict = verdictOf(compareAudit(a, b))
        if (verdict !== 'stronger' && verdict !== 'neutral') return
        const isStopped = (setting: AuditSetting) => {
          const full = fullAudit(setting)
          if (!full || setting.mode === 'report') return false
          const book = createRiskBook(full.signals)
          for (const { action, ago } of [...events].sort((x, y) => y.ago - x.ago))
            book.note({ action, outcome: 'failure', actor: 'ada', at: NOW - ago * 1_000 }, NOW - ago * 1_000)
          const caller = principal({ credential: { kind, id: 'c' }, signedInAt: NOW - 10_000_000 })
          return judge(caller, full, book.riskOf('account:ada', NOW), NOW) !== undefined
        }
        if (isStopped(a)) assert.ok(isStopped(b))
      },
    ),
    runs(2_000),
  )
})

const GET: Incoming = {
  method: 'GET',
  target: '/',
  httpVersion: '1.1',
  rawHeaders: ['Host', 'a.example'],
  header: (name) => (name === 'host' ? 'a.example' : undefined),
  peer: '203.0.113.7',
  encrypted: true,
}

test('H19 an address that did too much is locked, then let in again when the lock is over', () => {
  const risk = createRiskBook()
  let now = NOW
  const guard = createGuard(
    { audit: { risk: { low: ['lock'], critical: ['block'], lockSeconds: 60 } } },
    'node',
    { services: { risk, audit: { record() {} } }, clock: () => now },
  )
  const ask = async () => await guard.admit(guard.open(GET))
  return (async () => {
    assert.equal(await ask(), undefined)
    for (let i = 0; i < 30; i++)
      risk.note({ action: 'lockout.locked', outcome: 'denied', address: '203.0.113.7' }, now)
    const locked = await ask()
    assert.ok(locked?.kind === 'deny' && locked.code === 'locked_out')
    assert.deepEqual(locked.headers?.pairs, [['Retry-After', '60']])
    now += 61_000
    assert.equal(await ask(), undefined)
    for (let i = 0; i < 9; i++)
      risk.note({ action: 'key.exposed', outcome: 'denied', address: '203.0.113.7' }, now)
    const blocked = await ask()
    assert.ok(blocked?.kind === 'deny' && blocked.code === 'forbidden')
  })()
})

test('a session that signs in again after what it is suspected of goes on; a key is not asked to', () => {
  const full = fullAudit({ risk: { low: ['step-up'] } })!
  const risk = {
    subject: 'x',
    score: 30,
    level: 'low' as const,
    sinceSeconds: 100,
    contributions: [{ signal: 'session.failed' as const, points: 30, ageSeconds: 100 }],
  }
  assert.equal(judge(principal({ signedInAt: NOW - 200_000 }), full, risk, NOW)?.code, 'step_up_required')
  assert.equal(judge(principal({ signedInAt: NOW - 50_000 }), full, risk, NOW), undefined)
  assert.equal(judge(principal(), full, risk, NOW)?.code, 'step_up_required')
  assert.equal(judge(principal({ credential: { kind: 'key', id: 'k' } }), full, risk, NOW), undefined)
})

test('a guard that is given no log says what to give', () => {
  assert.throws(
    () => createGuard({ audit: { record: true } }, 'node'),
    (error: unknown) => error instanceof PolicyError && /openAuditLog/.test(error.message),
  )
})

test('H19 the page says what is kept to everybody, and what is done at which risk to reviewers', () => {
  const cell = { id: '*', origin: 'default', path: '*', data: 'private', credentials: 'mixed' } as CellInfo
  const resolved: Resolved<AuditSetting>[] = [
    { cell, setting: { record: true, risk: { high: ['lock', 'alert'] } } },
  ]
  const section = audit.describe(resolved)
  const forAll = section.entries.filter(({ audience }) => audience !== 'reviewer')
  assert.deepEqual(
    forAll.map(({ name }) => name),
    ['What is kept', 'That nothing was changed', 'How long'],
  )
  assert.match(JSON.stringify(section), /lock for 300 s, alert/)
  assert.match(audit.describe([{ cell, setting: {} }]).limits.join(), /nobody can say who did what/)
})
