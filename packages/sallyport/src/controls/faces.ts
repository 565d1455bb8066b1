// What the describing, proving and comparing faces of the controls share.

import type { CellInfo, Resolved } from '../guard/cell.ts'
import type { Change, Entry, Observation, ProbeRequest, Strength } from '../guard/control.ts'

/** Every value of a header, line by line. */
export function headerValues(seen: Observation, name: string): readonly string[] {
  return seen.headers.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value)
}

/** One entry for each value, with the cells where it holds; no cells where it is the same in all. */
export function sameForAll<S>(
  cells: readonly Resolved<S>[],
  name: string,
  valueIn: (setting: S, resolved: Resolved<S>) => string | undefined,
  why: string | ((value: string) => string),
): readonly Entry[] {
  const byValue = new Map<string, string[]>()
  for (const resolved of cells) {
    const value = valueIn(resolved.setting, resolved)
    if (value === undefined) continue
    byValue.set(value, [...(byValue.get(value) ?? []), resolved.cell.id])
  }
  return [...byValue].map(([value, ids]) => ({
    name,
    value,
    why: typeof why === 'string' ? why : why(value),
    cells: ids.length === cells.length ? [] : ids,
  }))
}

/** A cell as a sentence names it. */
export function placeWords({ id }: Pick<CellInfo, 'id'>): string {
  if (id === '*') return 'every path without a route'
  return id === '!' ? 'paths that are not canonical' : id
}

/** A path that a cell's pattern covers, to probe it by. */
export function samplePath(path: string): string {
  if (path === '*') return '/'
  // An empty segment: not canonical anywhere, and HTTP clients send it as it is.
  if (path === '!') return '/probe//probe'
  return path.replace(/\/\*$/, '').replace(/:[^/]+/g, 'sample') || '/'
}

/** The plain request of a cell. */
export function sampleRequest(cell: Pick<CellInfo, 'method' | 'path'>): ProbeRequest {
  return { method: cell.method ?? 'GET', path: samplePath(cell.path), headers: [] }
}

/** All changes taken together: one that is weaker beside one that is stronger makes the whole incomparable. */
export function verdictOf(changes: readonly Change[]): Strength {
  const has = (strength: Strength) => changes.some((change) => change.strength === strength)
  if (has('incomparable') || (has('weaker') && has('stronger'))) return 'incomparable'
  return has('weaker') ? 'weaker' : has('stronger') ? 'stronger' : 'neutral'
}

const MODE_RANK = { off: 0, report: 1, enforce: 2 } as const
const MODE_LOSS = { off: 'the control does nothing', report: 'the control only counts', enforce: '' } as const

/** Enforcing is stronger than reporting, reporting than nothing. */
export function compareModes(
  before: { readonly mode?: keyof typeof MODE_RANK },
  after: { readonly mode?: keyof typeof MODE_RANK },
): readonly Change[] {
  const [from, to] = [before.mode ?? 'enforce', after.mode ?? 'enforce']
  const difference = MODE_RANK[to] - MODE_RANK[from]
  if (difference === 0) return []
  return difference > 0
    ? [{ strength: 'stronger', what: 'mode', because: `the mode is "${to}" instead of "${from}"` }]
    : [
        {
          strength: 'weaker',
          what: 'mode',
          because: `${MODE_LOSS[to]}: nothing that it keeps is kept any more`,
        },
      ]
}
