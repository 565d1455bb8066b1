// How `cache` is described, proved and compared.

import type { CellInfo, Resolved } from '../../guard/cell.ts'
import type { Change, Probe, Section } from '../../guard/control.ts'
import { headerValues, sameForAll, samplePath } from '../faces.ts'
import { type CacheSetting, classValue } from './setting.ts'

type Cells = readonly Resolved<CacheSetting>[]

export function describeCache(cells: Cells): Section {
  return {
    control: 'cache',
    id: 'SP-CACHE-01',
    title: 'Caching',
    entries: [...sameForAll(cells, 'Cache-Control', (setting, { cell }) => classValue(cell, setting), '')],
    limits: [],
  }
}

export function probeCache(cells: Cells): readonly Probe[] {
  return cells
    .filter(({ cell, setting }) => cell.origin === 'route' && setting.owner === 'policy')
    .map(({ cell, setting }) => ({
      id: `cache/value ${cell.id}`,
      title: `Cache-Control is ${classValue(cell, setting)}`,
      cell: cell.id,
      request: { method: cell.method ?? 'GET', path: samplePath(cell.path), headers: [] },
      expect: (seen) => {
        const value = headerValues(seen, 'cache-control').join(' | ')
        const wanted = classValue(cell, setting)
        return value === wanted
          ? []
          : [{ id: 'drift.cache', detail: value, mend: `Cache-Control: ${wanted}` }]
      },
    }))
}

export function compareCache(
  _before: CacheSetting,
  _after: CacheSetting,
  _cell: CellInfo,
): readonly Change[] {
  return []
}
