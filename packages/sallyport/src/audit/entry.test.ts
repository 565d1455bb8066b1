// Entries: OCSF's required fields, nothing that breaks a line or grows without bound, and the forms for other programs.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { runs } from '../../test/runs.ts'
import { canonicalJson } from '../policy/digest.ts'
import { AUDIT_ACTIONS, type AuditEvent } from '../ports/audit.ts'
import { ACTIONS } from './actions.ts'
import { entryBytes, MAX_ENTRY_BYTES, ocsfOf } from './entry.ts'
import { cefLine, type ReadEntry, syslogLine } from './formats.ts'

const event: AuditEvent = {
  action: 'key.refused',
  outcome: 'denied',
  organisation: 'org_1',
  credential: 'key_1',
  code: 'invalid_credential',
  control: 'SP-KEYS-01',
  address: '203.0.113.7',
  requestId: 'abc',
}

test('H19 every action has a class and activity of OCSF and the base fields that it requires', () => {
  for (const action of AUDIT_ACTIONS) {
    const entry = ocsfOf({ index: 3, uid: 'u', at: 1_700_000_000_000, event: { ...event, action } })
    const { class_uid, activity_id, type_uid, category_uid, severity_id } = entry as Record<string, number>
    assert.equal(type_uid, class_uid! * 100 + activity_id!, action)
    assert.equal(category_uid, Math.floor(class_uid! / 1000))
    assert.ok(severity_id! >= 1 && severity_id! <= 5)
    assert.equal((entry['metadata'] as { version: string }).version, '1.3.0')
    assert.equal((entry['metadata'] as { event_code: string }).event_code, action)
    assert.ok(ACTIONS[action].title.length > 5)
  }
})

test('the same entry has the same bytes, and they read back as one line of JSON', () => {
  const entry = { index: 7, uid: 'u', previous: 2, at: 5, event }
  assert.ok(entryBytes(entry).equals(entryBytes(structuredClone(entry))))
  const read = JSON.parse(entryBytes(entry).toString())
  assert.equal(read.metadata.sequence, 7)
  assert.equal(read.unmapped.previous, 2)
  assert.equal(read.disposition_id, 2)
})

const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 400 }),
  fc.constantFrom('a\r\nfake: line', '\u001b[31mred', 'x\u2028y', '\u202egpj', '\ud800', 'a"]\\b', 'p|q=r\\'),
)

test('whatever callers send, an entry is one bounded line and each form keeps its frame', () => {
  fc.assert(
    fc.property(
      fc.record({
        actor: anyText,
        target: anyText,
        address: anyText,
        organisation: anyText,
        requestId: anyText,
        details: fc.dictionary(anyText, fc.oneof(anyText, fc.double(), fc.boolean()), { maxKeys: 30 }),
      }),
      (fields) => {
        const bytes = entryBytes({ index: 0, uid: 'u', at: 0, event: { ...event, ...fields } })
        assert.ok(bytes.length <= MAX_ENTRY_BYTES)
        const json = bytes.toString()
        assert.doesNotMatch(json, /[\p{Cc}\u2028\u2029\u202e]/u)
        const read = JSON.parse(json) as ReadEntry
        const syslog = syslogLine(read, json, 'host with space\n')
        assert.match(
          syslog,
          /^<\d{1,3}>1 \S+ \S+ sallyport - key\.refused \[sallyport@32473(?: \w+="(?:[^"\\\]]|\\["\\\]])*")*\] /,
        )
        assert.doesNotMatch(syslog, /[\r\n]/)
        const cef = cefLine(read, '1.0|x')
        assert.match(cef, /^CEF:0\|Sallyport\|Sallyport\|1\.0\\\|x\|key\.refused\|/)
        assert.doesNotMatch(cef, /[\r\n]/)
        // Every "=" of a value is escaped, so no value can add a field.
        const names = cef.slice(cef.lastIndexOf('|') + 1).match(/(?:^| )[A-Za-z0-9]+(?==)/g) ?? []
        const own = [
          'rt',
          'externalId',
          'outcome',
          'reason',
          'suid',
          'src',
          'c6a2',
          'duid',
          'cn1',
          'cn1Label',
        ]
        assert.ok(
          names.every((name) => own.includes(name.trim())),
          cef,
        )
      },
    ),
  )
})

const named = fc.dictionary(
  fc.oneof(fc.string(), fc.nat(20).map(String), fc.constant('__proto__')),
  fc.string(),
  {
    maxKeys: 6,
  },
)

test('an entry is in the canonical form of RFC 8785', () => {
  const optional = fc.option(fc.string(), { nil: undefined })
  fc.assert(
    fc.property(
      fc.record({
        outcome: fc.constantFrom('success' as const, 'denied' as const),
        actor: optional,
        credential: optional,
        target: optional,
        cell: optional,
        code: optional,
        control: optional,
        details: named,
      }),
      named,
      fc.boolean(),
      (fields, personal, isRisky) => {
        const risk = {
          subject: 'account:a',
          score: 9,
          level: 'info' as const,
          sinceSeconds: 0,
          contributions: [],
        }
        const entry = {
          index: 1,
          uid: 'u',
          at: 5,
          previous: 0,
          event: { action: 'key.refused', ...fields } as AuditEvent,
          personal,
          ...(isRisky ? { risk } : {}),
        }
        assert.equal(entryBytes(entry).toString(), canonicalJson(ocsfOf(entry)))
      },
    ),
    runs(300),
  )
})
