// What the audit log is told of the policy that runs: which one took over and how it compares, which one was refused.

import type { AuditSink, PolicyDocument } from 'sallyport'
import { diffPolicies } from 'sallyport/diff'
import type { ReloadOutcome } from '../reload/reloader.ts'

const SHOWN = 3

/** Tells the log of each reload, with how the new policy stands to the one before. */
export function policyEvents(audit: AuditSink | undefined, first: PolicyDocument) {
  let before = first
  return async (outcome: ReloadOutcome, now: PolicyDocument): Promise<void> => {
    if (!audit) return
    if (!outcome.ok) {
      audit.record({
        action: 'policy.refused',
        outcome: 'failure',
        details: { problems: outcome.problems.length, first: outcome.problems[0] ?? '' },
      })
      return
    }
    if (!outcome.changed) return
    const last = before
    before = now
    // A comparison that fails must not hide that another policy took over.
    const diff = await diffPolicies(last, now).catch(() => undefined)
    const weaker =
      diff?.changes.filter(({ strength }) => strength === 'weaker' || strength === 'incomparable') ?? []
    audit.record({
      action: 'policy.reloaded',
      outcome: 'success',
      details: {
        digest: outcome.policyDigest,
        changes: diff?.changes.length ?? -1,
        weaker: weaker.length,
        ...Object.fromEntries(
          weaker
            .slice(0, SHOWN)
            .map(({ control, because }, index) => [`weaker${index + 1}`, `${control}: ${because}`]),
        ),
      },
    })
  }
}
