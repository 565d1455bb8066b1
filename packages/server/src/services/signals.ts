// Which events count against whom, as the policy that runs says it.

import type { ResolvedPolicy } from 'sallyport'
import { auditSignals, type Signals } from 'sallyport/audit'

/** The signals of a policy: of its top level, since they are one for all. */
export function signalsOf(policy: ResolvedPolicy): Signals {
  return auditSignals(policy.cells.at(-2)!.settings['audit'] ?? {})
}
