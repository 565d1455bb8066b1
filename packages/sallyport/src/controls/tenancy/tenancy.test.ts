import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { runs } from '../../../test/runs.ts'
import type { CellInfo } from '../../guard/cell.ts'
import type { Strength } from '../../guard/control.ts'
import { sentence } from '../../policy/problem.ts'
import { verdictOf } from '../faces.ts'
import { compareTenancy, describeTenancy } from './faces.ts'
import { ENFORCERS, TENANTS, type TenancySetting, tenancyContradictions } from './setting.ts'

const CELL: CellInfo = {
  id: '*',
  origin: 'default',
  method: undefined,
  path: '*',
  data: 'private',
  credentials: 'bearer',
}

describe('the order of tenancy', () => {
  const rows: readonly (readonly [before: TenancySetting, after: TenancySetting, wanted: Strength])[] = [
    [{}, { enforcedBy: 'database' }, 'stronger'],
    [{}, { enforcedBy: 'application' }, 'stronger'],
    [{ enforcedBy: 'database' }, { enforcedBy: 'application' }, 'weaker'],
    [{ enforcedBy: 'database', by: 'store' }, { enforcedBy: 'database' }, 'weaker'],
    [{ enforcedBy: 'database', by: 'organisation' }, { enforcedBy: 'database' }, 'neutral'],
    [{ enforcedBy: 'application', by: 'store' }, { enforcedBy: 'database' }, 'incomparable'],
    [{ enforcedBy: 'database' }, { enforcedBy: 'database', mode: 'off' }, 'weaker'],
    [{}, {}, 'neutral'],
  ]
  for (const [before, after, wanted] of rows)
    it(`H2 ${JSON.stringify(before)} → ${JSON.stringify(after)} is ${wanted}`, () =>
      assert.equal(verdictOf(compareTenancy(before, after)), wanted))

  const setting: fc.Arbitrary<TenancySetting> = fc
    .record(
      {
        mode: fc.constantFrom('enforce', 'off'),
        enforcedBy: fc.constantFrom(...ENFORCERS),
        by: fc.constantFrom(...TENANTS),
      },
      { requiredKeys: [] },
    )
    .filter((each) => tenancyContradictions(each).length === 0)
  it('is reflexive, antisymmetric and transitive', () => {
    const atLeast = (a: TenancySetting, b: TenancySetting) =>
      ['stronger', 'neutral'].includes(verdictOf(compareTenancy(a, b)))
    fc.assert(
      fc.property(setting, setting, setting, (a, b, c) => {
        assert.deepEqual(compareTenancy(a, a), [])
        if (atLeast(a, b) && atLeast(b, a)) assert.equal(verdictOf(compareTenancy(a, b)), 'neutral')
        if (atLeast(a, b) && atLeast(b, c)) assert.ok(atLeast(a, c))
      }),
      runs(1000),
    )
  })
})

it('H2 the page says by what tenants are kept apart, or that nothing is said and why that matters', () => {
  const of = (given: TenancySetting) => describeTenancy([{ cell: CELL, setting: given }])
  assert.deepEqual(of({}).entries, [])
  assert.match(of({}).limits.join(), /^Not set: .* one forgotten condition/)
  assert.deepEqual(
    of({ enforcedBy: 'database', by: 'store' }).entries.map(({ value }) => value),
    [
      'the database: row-level security holds every query to the tenant of its transaction',
      'one store of one organisation',
    ],
  )
  assert.match(of({ enforcedBy: 'application' }).entries[0]!.why, /forgets its condition shows/)
})

it('whose rows without by what is a contradiction', () => {
  assert.deepEqual(tenancyContradictions({ by: 'store' }).map(sentence), [
    'by: this says whose rows are kept apart, but not by what, received "store"; set enforcedBy to "database" where row-level security does it, or to "application"',
  ])
})
