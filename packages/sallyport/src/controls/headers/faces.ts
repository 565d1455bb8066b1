// How `headers` is described, proved and compared.

import type { Resolved } from '../../guard/cell.ts'
import type { Change, Entry, Probe, Section } from '../../guard/control.ts'
import type { PolicyProblem } from '../../policy/problem.ts'
import { headerValues, sameForAll, samplePath } from '../faces.ts'
import { FIXED } from './enforce.ts'
import type { HeadersSetting } from './setting.ts'

type Cells = readonly Resolved<HeadersSetting>[]

export function headersContradictions(_setting: HeadersSetting): readonly PolicyProblem[] {
  return []
}

export function describeHeaders(cells: Cells): Section {
  const entries: Entry[] = FIXED.flatMap(([name, valueOf]) =>
    sameForAll(cells, name, (setting) => valueOf(setting) || undefined, ''),
  )
  return { control: 'headers', id: 'SP-HEADERS-01', title: 'Security headers', entries, limits: [] }
}

export function probeHeaders(cells: Cells): readonly Probe[] {
  return cells
    .filter(({ cell }) => cell.origin !== 'strict')
    .map(({ cell, setting }) => ({
      id: `headers/fixed ${cell.id}`,
      title: 'every fixed header is there once, with its value',
      cell: cell.id,
      request: { method: cell.method ?? 'GET', path: samplePath(cell.path), headers: [] },
      expect: (seen) =>
        FIXED.flatMap(([name, valueOf]) => {
          const value = valueOf(setting)
          if (value === undefined || value === false) return []
          const found = headerValues(seen, name.toLowerCase())
          return found.length === 1 && found[0] === value
            ? []
            : [{ id: 'drift.header-value', detail: found.join(' | '), mend: `${name}: ${value}` }]
        }),
    }))
}

export function compareHeaders(_before: HeadersSetting, _after: HeadersSetting): readonly Change[] {
  return []
}
