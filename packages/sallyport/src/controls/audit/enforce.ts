// What is done about whoever calls, by what is held against them.

import { addressSubject } from '../../audit/patterns.ts'
import { RISK_LEVELS, type Risk, type RiskLevel } from '../../audit/risk.ts'
import type { CellInfo } from '../../guard/cell.ts'
import type { Denial, Needs, Stage } from '../../guard/control.ts'
import type { Exchange } from '../../guard/exchange.ts'
import { lines } from '../../guard/lines.ts'
import type { Principal } from '../../guard/principal.ts'
import { compileEvent } from './event.ts'
import { type AuditSetting, type FullAudit, fullAudit } from './setting.ts'

const REFUSING = new Set(['step-up', 'lock', 'block'])

export function compileAudit(setting: AuditSetting, _cell: CellInfo, needs: Needs): Stage {
  return { ...compileActs(setting, needs), ...compileEvent(setting, needs) }
}

function compileActs(setting: AuditSetting, needs: Needs): Stage {
  const full = fullAudit(setting)
  const { risk } = needs.services
  // An alert is the log's to send.
  const isRefusing = full && Object.values(full.acts).some((acts) => acts.some((act) => REFUSING.has(act)))
  if (!full || !isRefusing) return {}
  // Who is only tried has done nothing yet.
  if (needs.trial || !risk) return { admit: () => undefined }
  return {
    admit(exchange) {
      const now = needs.clock()
      return judge(
        exchange.principal,
        full,
        worstOf(exchange, (subject) => risk.riskOf(subject, now)),
        now,
      )
    },
  }
}

function worstOf({ principal, client }: Exchange, riskOf: (subject: string) => Risk): Risk {
  const subjects = [
    ...(principal?.subject === undefined ? [] : [`account:${principal.subject}`]),
    ...(principal === undefined ? [] : [`credential:${principal.credential.id}`]),
    // Of whoever shares an address with others: only where nobody is known.
    ...(principal === undefined && client.address !== undefined ? [addressSubject(client.address)] : []),
  ]
  return subjects.map(riskOf).reduce((worst, risk) => (risk.score > worst.score ? risk : worst), NOBODY)
}

const NOBODY: Risk = {
  subject: '',
  score: 0,
  level: 'info',
  sinceSeconds: Number.POSITIVE_INFINITY,
  contributions: [],
}

/** The denial that follows from a risk: the acts of its level and of those below it hold. */
export function judge(
  principal: Principal | undefined,
  full: FullAudit,
  { level, sinceSeconds }: Risk,
  now: number,
): Denial | undefined {
  const acts = actsUpTo(full, level)
  if (acts.has('block')) return { kind: 'deny', code: 'forbidden' }
  const lockedFor = full.lockSeconds - sinceSeconds
  if (acts.has('lock') && lockedFor > 0)
    return {
      kind: 'deny',
      code: 'locked_out',
      headers: lines([['Retry-After', String(Math.ceil(lockedFor))]]),
    }
  // A key can't sign in again; a session can, and its new sign-in is younger than what it is suspected of.
  if (acts.has('step-up') && principal?.credential.kind === 'session')
    return (principal.signedInAt ?? 0) < now - sinceSeconds * 1_000 ? STEP_UP : undefined
  return undefined
}

const STEP_UP: Denial = { kind: 'deny', code: 'step_up_required' }

function actsUpTo({ acts }: FullAudit, level: RiskLevel): ReadonlySet<string> {
  return new Set(RISK_LEVELS.slice(0, RISK_LEVELS.indexOf(level) + 1).flatMap((each) => acts[each]))
}
