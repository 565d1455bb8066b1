// Values that differ from cell to cell, and those that don't: most headers are the same everywhere, and then one line
// says so.

import type { Plan, PlanCell, PlanCors } from './plan.ts'

/** The value of one name in each cell; `undefined` where the name is not sent. */
export interface HeaderRow {
  readonly name: string
  /** The value where it is the same in every cell. */
  readonly same: string | undefined
  readonly byCell: readonly (string | undefined)[]
  /** The cells where an application's own value passes. */
  readonly passes: readonly boolean[]
}

/** Every header of the plan. */
export function headerRows({ cells }: Plan): readonly HeaderRow[] {
  const names = new Set(cells.flatMap(({ headers }) => [...headers.keys()]))
  return Array.from(names, (name) => {
    const byCell = cells.map(({ headers }) => headers.get(name))
    const [first] = byCell
    const passes = cells.map((cell) => !cell.owns(name))
    return { name, byCell, passes, same: byCell.every((value) => value === first) ? first : undefined }
  })
}

/** Cells whose cross-origin rules are the same, with those rules. */
export interface CorsGroup {
  readonly number: number
  readonly rules: PlanCors
  readonly cells: readonly PlanCell[]
}

/** The different cross-origin rules of a plan. */
export function corsGroups({ cells }: Plan): readonly CorsGroup[] {
  const groups = new Map<string, { rules: PlanCors; cells: PlanCell[] }>()
  for (const cell of cells) {
    if (cell.cors === undefined) continue
    const key = JSON.stringify(cell.cors)
    const group = groups.get(key) ?? { rules: cell.cors, cells: [] }
    group.cells.push(cell)
    groups.set(key, group)
  }
  return Array.from(groups.values(), (group, number) => ({ number, ...group }))
}

/** The names of the lines that cross-origin rules own. */
export const CORS_NAMES = [
  'Access-Control-Allow-Origin',
  'Access-Control-Allow-Credentials',
  'Access-Control-Allow-Methods',
  'Access-Control-Allow-Headers',
  'Access-Control-Expose-Headers',
  'Access-Control-Max-Age',
  'Access-Control-Allow-Private-Network',
] as const
