// The order of `audit`: what is kept, for how long, what counts, and what is done.

import { RISK_LEVELS, type RiskLevel } from '../../audit/risk.ts'
import { SIGNAL_NAMES } from '../../audit/signals.ts'
import type { Change, Strength } from '../../guard/control.ts'
import { compareModes } from '../faces.ts'
import { type AuditSetting, type FullAudit, fullAudit, RISK_ACTS, routeEvent } from './setting.ts'

export function compareAudit(before: AuditSetting, after: AuditSetting): readonly Change[] {
  const modes = compareModes(before, after)
  // What is written beside a mode that is off has its effect again when it is on.
  const [from, to] = [before, after].map((setting) => fullAudit({ ...setting, mode: 'enforce' }) ?? NOTHING)
  return [
    ...modes,
    ...compareKept(from!, to!),
    ...compareEvents(before, after),
    ...compareSignals(from!, to!),
    ...compareActs(from!, to!),
  ]
}

const NOTHING: FullAudit = {
  record: false,
  retentionDays: 0,
  signals: {},
  acts: { info: [], low: [], medium: [], high: [], critical: [] },
  lockSeconds: 0,
}

function change(isStronger: boolean, what: string, better: string, worse: string): Change {
  return { strength: isStronger ? 'stronger' : 'weaker', what, because: isStronger ? better : worse }
}

function compareKept(from: FullAudit, to: FullAudit): readonly Change[] {
  if (from.record !== to.record)
    return [
      change(
        to.record,
        'record',
        'events are kept, which they were not',
        'no event is kept any more: after an incident nobody can say who did what',
      ),
    ]
  if (!to.record || from.retentionDays === to.retentionDays) return []
  return [
    change(
      to.retentionDays > from.retentionDays,
      'retentionDays',
      `entries are kept for ${to.retentionDays} days instead of ${from.retentionDays}`,
      `an incident of ${to.retentionDays + 1} days ago can't be looked into any more`,
    ),
  ]
}

// Where nothing is kept any more, that alone is said.
function compareEvents(before: AuditSetting, after: AuditSetting): readonly Change[] {
  if (before.record !== true || after.record !== true) return []
  const [from, to] = [before, after].map((setting) => routeEvent({ ...setting, mode: 'enforce' }))
  if (!from && !to) return []
  if (!from || !to)
    return [
      change(
        to !== undefined,
        'event',
        `"${to?.action}" is told to the log, which it was not`,
        `"${from?.action}" of this route is not in the log any more`,
      ),
    ]
  const [lost, won] = [
    from.on.filter((each) => !to.on.includes(each)),
    to.on.filter((each) => !from.on.includes(each)),
  ]
  if (from.action === to.action && lost.length + won.length === 0) return []
  if (from.action !== to.action || (lost.length > 0 && won.length > 0))
    return [
      {
        strength: 'incomparable',
        what: 'event',
        because: `answers ${to.on.join(', ')} are told as "${to.action}", and were ${from.on.join(', ')} as "${from.action}"`,
      },
    ]
  return [
    change(
      won.length > 0,
      'event',
      `"${to.action}" is told of answers ${won.join(', ')} as well`,
      `"${from.action}" is not told of answers ${lost.join(', ')} any more`,
    ),
  ]
}

const acting = ({ acts }: FullAudit) => RISK_LEVELS.some((level) => acts[level].length > 0)

// A signal that counts more or fades more slowly acts sooner; nothing follows from it where nothing acts.
function compareSignals(from: FullAudit, to: FullAudit): readonly Change[] {
  if (!acting(from) || !acting(to)) return []
  return SIGNAL_NAMES.flatMap((action): readonly Change[] => {
    const [old, fresh] = [from.signals[action], to.signals[action]].map(
      (signal) => signal ?? { weight: 0, halfLifeSeconds: 0 },
    )
    const weight = Math.sign(fresh!.weight - old!.weight)
    const life =
      fresh!.weight === 0 || old!.weight === 0
        ? weight
        : Math.sign(fresh!.halfLifeSeconds - old!.halfLifeSeconds)
    if (weight === 0 && life === 0) return []
    const strength: Strength = weight * life < 0 ? 'incomparable' : weight + life > 0 ? 'stronger' : 'weaker'
    return [
      {
        strength,
        what: `risk.signals.${action}`,
        because:
          strength === 'incomparable'
            ? `"${action}" counts ${fresh!.weight} instead of ${old!.weight}, and fades in another time`
            : strength === 'stronger'
              ? `"${action}" counts for more or for longer`
              : `"${action}" may happen more often before anything is done about it`,
      },
    ]
  })
}

/** What is done at a level: its own acts and those of the levels below. */
function done({ acts }: FullAudit, level: RiskLevel): ReadonlySet<string> {
  return new Set(RISK_LEVELS.slice(0, RISK_LEVELS.indexOf(level) + 1).flatMap((each) => acts[each]))
}

function compareActs(from: FullAudit, to: FullAudit): readonly Change[] {
  const found: Change[] = []
  for (const act of RISK_ACTS) {
    const [old, fresh] = [from, to].map((full) =>
      RISK_LEVELS.findIndex((level) => done(full, level).has(act)),
    )
    if (old === fresh) continue
    const isStronger = fresh! >= 0 && (old! < 0 || fresh! < old!)
    found.push(
      change(
        isStronger,
        `risk.${act}`,
        `"${act}" follows at the risk "${RISK_LEVELS[Math.max(0, fresh!)]}" already`,
        fresh! < 0
          ? `"${act}" follows from no risk any more`
          : `"${act}" does not follow at the risk "${RISK_LEVELS[Math.max(0, old!)]}" any more`,
      ),
    )
  }
  const locks = (full: FullAudit) => done(full, 'critical').has('lock')
  if (locks(from) && locks(to) && from.lockSeconds !== to.lockSeconds)
    found.push(
      change(
        to.lockSeconds > from.lockSeconds,
        'risk.lockSeconds',
        `a lock lasts ${to.lockSeconds} s instead of ${from.lockSeconds}`,
        `whoever is locked goes on after ${to.lockSeconds} s instead of ${from.lockSeconds}`,
      ),
    )
  return found
}
