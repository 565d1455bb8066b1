// Which controls are in report mode, and in how many cells.

import type { ResolvedPolicy } from 'sallyport'

/** One control in report mode, by its key in the policy. */
export interface Reporting {
  readonly name: string
  readonly routes: number
}

export function rulesInReport(policy: ResolvedPolicy): readonly Reporting[] {
  const counts = new Map<string, number>()
  for (const { settings } of policy.cells)
    for (const [name, setting] of Object.entries(settings))
      if ((setting as { readonly mode?: string }).mode === 'report')
        counts.set(name, (counts.get(name) ?? 0) + 1)
  return [...counts].map(([name, routes]) => ({ name, routes }))
}
