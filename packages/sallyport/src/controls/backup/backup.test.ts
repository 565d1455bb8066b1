import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { runs } from '../../../test/runs.ts'
import type { CellInfo } from '../../guard/cell.ts'
import type { Strength } from '../../guard/control.ts'
import { sentence } from '../../policy/problem.ts'
import { verdictOf } from '../faces.ts'
import { compareBackup, describeBackup } from './faces.ts'
import { type BackupSetting, backupContradictions } from './setting.ts'

const CELL: CellInfo = {
  id: '*',
  origin: 'default',
  method: undefined,
  path: '*',
  data: 'private',
  credentials: 'bearer',
}
const LUKS = { by: 'LUKS', evidence: 'https://docs.example.com/disks' }

describe('the order of backup', () => {
  const rows: readonly (readonly [before: BackupSetting, after: BackupSetting, wanted: Strength])[] = [
    [{}, {}, 'neutral'],
    [{}, { everySeconds: 86_400 }, 'stronger'],
    [{ everySeconds: 3_600 }, { everySeconds: 86_400 }, 'weaker'],
    [{ everySeconds: 3_600, keep: 8 }, { everySeconds: 3_600 }, 'weaker'],
    [{ everySeconds: 3_600, keep: 7 }, { everySeconds: 3_600 }, 'neutral'],
    [{ everySeconds: 86_400, keep: 7 }, { everySeconds: 3_600, keep: 3 }, 'incomparable'],
    [{ everySeconds: 3_600, keep: 7 }, {}, 'weaker'],
    [{ encryptionAtRest: LUKS }, {}, 'weaker'],
    [{ encryptionAtRest: LUKS }, { encryptionAtRest: { by: 'LUKS' } }, 'weaker'],
    [{ encryptionAtRest: LUKS }, { encryptionAtRest: { ...LUKS, by: 'KMS' } }, 'neutral'],
    [{ pointInTime: { by: 'WAL', reachDays: 14 } }, { pointInTime: { by: 'WAL', reachDays: 7 } }, 'weaker'],
    [{ pointInTime: { by: 'WAL', reachDays: 14 } }, { pointInTime: { by: 'WAL' } }, 'weaker'],
    [{ pointInTime: { by: 'WAL', reachDays: 14 } }, {}, 'weaker'],
    [{ everySeconds: 60 }, { everySeconds: 60, mode: 'off' }, 'weaker'],
  ]
  for (const [before, after, wanted] of rows)
    it(`H3 ${JSON.stringify(before)} → ${JSON.stringify(after)} is ${wanted}`, () => {
      const changes = compareBackup(before, after)
      assert.equal(verdictOf(changes), wanted)
      for (const { because } of changes) assert.ok(because.length > 10)
    })

  const declared = fc.record(
    { by: fc.constantFrom('a', 'b'), evidence: fc.constantFrom('x', 'y') },
    { requiredKeys: ['by'] },
  )
  const setting: fc.Arbitrary<BackupSetting> = fc.record(
    {
      mode: fc.constantFrom('enforce' as const, 'off' as const),
      everySeconds: fc.constantFrom(300, 3_600, 86_400),
      keep: fc.constantFrom(1, 7, 8),
      encryptionAtRest: declared,
      pointInTime: fc
        .tuple(declared, fc.option(fc.constantFrom(1, 7), { nil: undefined }))
        .map(([given, reachDays]) => (reachDays === undefined ? given : { ...given, reachDays })),
    },
    { requiredKeys: [] },
  )
  it('is reflexive, antisymmetric and transitive', () => {
    const atLeast = (a: BackupSetting, b: BackupSetting) =>
      ['stronger', 'neutral'].includes(verdictOf(compareBackup(a, b)))
    fc.assert(
      fc.property(setting, setting, setting, (a, b, c) => {
        assert.deepEqual(compareBackup(a, a), [])
        if (atLeast(a, b) && atLeast(b, a)) assert.equal(verdictOf(compareBackup(a, b)), 'neutral')
        if (atLeast(a, b) && atLeast(b, c)) assert.ok(atLeast(a, c))
      }),
      runs(1000),
    )
  })
})

it('H3 the page says how often, how many, and what is only declared, or that nothing is said and what is lost', () => {
  const of = (setting: BackupSetting) => describeBackup([{ cell: CELL, setting }])
  assert.deepEqual(of({}).entries, [])
  assert.match(of({}).limits[0]!, /^Not set: .* stays lost/)
  const full = of({
    everySeconds: 86_400,
    keep: 30,
    encryptionAtRest: LUKS,
    pointInTime: { by: 'archived WAL', reachDays: 14 },
  })
  assert.deepEqual(
    full.entries.map(({ name, value }) => [name, value]),
    [
      ['Backups of the records', 'every day, the last 30 are kept'],
      ['Encryption at rest', 'declared, not observable: LUKS (evidence: https://docs.example.com/disks)'],
      [
        'Point-in-time recovery',
        'declared, not observable: archived WAL, 14 days back (no evidence is named)',
      ],
    ],
  )
  assert.match(full.limits.join(), /Peppers, field keys and the key of the audit log are not in it/)
  assert.equal(of({ everySeconds: 5_400 }).entries[0]!.value, 'every 90 minutes, the last 7 are kept')
  assert.match(of({ everySeconds: 86_400, mode: 'off' }).limits[0]!, /^Not set/)
})

it('how many without how often, and a declaration of nothing, are mistakes', () => {
  assert.deepEqual(backupContradictions({ keep: 3, encryptionAtRest: { evidence: 'x' } }).map(sentence), [
    'keep: this says how many backups are kept, but none is made, received 3; set everySeconds to 86400',
    'encryptionAtRest: a declaration that does not say what does it, received {"evidence":"x"}; write by: "…", or leave it out',
  ])
})
