// Which events count against whom, at which levels somebody is told and how long entries are kept, as the policy that runs
// says it.

import type { ResolvedPolicy } from 'sallyport'
import { auditAlertLevels, auditRetention, auditSignals, type RiskLevel, type Signals } from 'sallyport/audit'

// Of its top level, since they are one for all.
const settingOf = (policy: ResolvedPolicy) => policy.cells.at(-2)!.settings['audit'] ?? {}

/** The signals of a policy. */
export function signalsOf(policy: ResolvedPolicy): Signals {
  return auditSignals(settingOf(policy))
}

/** The levels at which a policy asks for alerts. */
export function alertLevelsOf(policy: ResolvedPolicy): ReadonlySet<RiskLevel> {
  return auditAlertLevels(settingOf(policy))
}

/** How many days entries are kept; `undefined` where the policy keeps none. */
export function retentionOf(policy: ResolvedPolicy): number | undefined {
  return auditRetention(settingOf(policy))
}
