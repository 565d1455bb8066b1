// Our own score: what an API loses for each kind of finding, once, however many answers show it; and the grade.

import type { Severity } from '../findings.ts'

const COST: Readonly<Record<Severity, number>> = { info: 0, low: 2, medium: 8, high: 20, critical: 40 }

const GRADES = [
  [100, 'A+'],
  [90, 'A'],
  [80, 'B'],
  [65, 'C'],
  [50, 'D'],
  [30, 'E'],
] as const

export type Grade = (typeof GRADES)[number][1] | 'F'
/** From the best to the worst. */
export const GRADE_ORDER: readonly Grade[] = [...GRADES.map(([, grade]) => grade), 'F']

/** 100, less the cost of each kind of finding at its worst severity. */
export function ownScore(findings: readonly { readonly id: string; readonly severity: Severity }[]): {
  readonly score: number
  readonly grade: Grade
} {
  const worst = new Map<string, number>()
  for (const { id, severity } of findings) worst.set(id, Math.max(worst.get(id) ?? 0, COST[severity]))
  const score = Math.max(0, 100 - [...worst.values()].reduce((sum, cost) => sum + cost, 0))
  return { score, grade: GRADES.find(([from]) => score >= from)?.[1] ?? 'F' }
}
