// What the describing and proving faces of the header-setting controls share.

import type { Resolved } from '../guard/cell.ts'
import type { Entry, Observation } from '../guard/control.ts'

/** Every value of a header, line by line. */
export function headerValues(seen: Observation, name: string): readonly string[] {
  return seen.headers.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value)
}

/** One entry for each value, with the cells where it holds; no cells where it is the same in all. */
export function sameForAll<S>(
  cells: readonly Resolved<S>[],
  name: string,
  valueOf: (setting: S, resolved: Resolved<S>) => string | undefined,
  why: string,
): readonly Entry[] {
  const byValue = new Map<string, string[]>()
  for (const resolved of cells) {
    const value = valueOf(resolved.setting, resolved)
    if (value === undefined) continue
    byValue.set(value, [...(byValue.get(value) ?? []), resolved.cell.id])
  }
  return [...byValue].map(([value, ids]) => ({
    name,
    value,
    why,
    cells: ids.length === cells.length ? [] : ids,
  }))
}

/** A path that a cell's pattern covers, to probe it by. */
export function samplePath(path: string): string {
  if (path === '*') return '/'
  return path.replace(/\/\*$/, '').replace(/:[^/]+/g, 'sample') || '/'
}
