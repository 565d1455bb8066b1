// How `tenancy` is described and compared.

import type { Resolved } from '../../guard/cell.ts'
import type { Change, Section } from '../../guard/control.ts'
import { compareModes, sameForAll } from '../faces.ts'
import { ENFORCERS, TENANTS, type TenancySetting } from './setting.ts'

const BY = {
  database: 'the database: row-level security holds every query to the tenant of its transaction',
  application: 'the application: each query names the tenant itself',
} as const

export function describeTenancy(cells: readonly Resolved<TenancySetting>[]): Section {
  const entries = [
    ...sameForAll(
      cells,
      'Tenants are kept apart by',
      ({ enforcedBy }) => enforcedBy && BY[enforcedBy],
      (value) =>
        value === BY.database
          ? 'A query that forgets its condition sees no foreign row.'
          : 'One query that forgets its condition shows another tenant’s rows.',
    ),
    ...sameForAll(
      cells,
      'A query sees the rows of',
      ({ enforcedBy, by }) =>
        enforcedBy && (by === 'store' ? 'one store of one organisation' : 'one organisation'),
      'A caller’s tenant comes from its credential, never from the path, the query or the body.',
    ),
  ]
  return {
    control: 'tenancy',
    id: 'SP-TENANCY-01',
    title: 'Isolation of tenants',
    entries,
    limits:
      entries.length === 0
        ? [
            'Not set: nothing is said of what keeps one organisation’s data from another’s. Where the application alone does, one forgotten condition in one query shows it.',
          ]
        : [
            'It holds for what the application asks of its database. Caches, files, search indexes and queues of the application need a tenant in their own keys.',
          ],
  }
}

/** Kept apart by more, and more finely, is stronger. */
export function compareTenancy(before: TenancySetting, after: TenancySetting): readonly Change[] {
  return [
    ...compareModes(before, after),
    ...order(
      'enforcedBy',
      rank(ENFORCERS, before.enforcedBy),
      rank(ENFORCERS, after.enforcedBy),
      after.enforcedBy === undefined
        ? 'nothing is said any more of what keeps one organisation’s data from another’s'
        : 'a query that forgets its condition shows another tenant’s rows',
      after.enforcedBy === 'database'
        ? 'the database holds every query to its tenant'
        : 'it is said what keeps one organisation’s data from another’s',
    ),
    // Whose rows: counts only where something is said at all.
    ...(before.enforcedBy === undefined || after.enforcedBy === undefined
      ? []
      : order(
          'by',
          rank(TENANTS, before.by ?? 'organisation'),
          rank(TENANTS, after.by ?? 'organisation'),
          'a query sees the rows of every store of its organisation',
          'a query sees the rows of one store alone',
        )),
  ]
}

function rank<T extends string>(words: readonly T[], word: T | undefined): number {
  return word === undefined ? -1 : words.indexOf(word)
}

function order(what: string, from: number, to: number, loss: string, gain: string): readonly Change[] {
  if (from === to) return []
  return [
    to > from ? { strength: 'stronger', what, because: gain } : { strength: 'weaker', what, because: loss },
  ]
}
