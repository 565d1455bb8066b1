// `audit`: whether what happens is kept, for how long, and what is done about those against whom too much is held.

import { RISK_LEVELS, type RiskLevel } from '../../audit/risk.ts'
import { DEFAULT_SIGNALS, SIGNAL_NAMES, type SignalName, type Signals } from '../../audit/signals.ts'
import { MODES } from '../../guard/control.ts'
import { flag, type Infer, integer, list, object, oneOf, record } from '../../policy/schema.ts'
import type { AuditAction } from '../../ports/audit.ts'

/** What may be done about somebody, the mildest first. */
export const RISK_ACTS = ['alert', 'step-up', 'lock', 'block'] as const
type RiskAct = (typeof RISK_ACTS)[number]

const acts = (level: string) =>
  list(
    oneOf(
      RISK_ACTS,
      'alert: somebody is told, once in an hour; step-up: a session must have signed in since; lock: refused for lockSeconds; block: refused while the risk lasts.',
    ),
    `What is done about whoever reaches the level "${level}".`,
    { max: RISK_ACTS.length },
  )

/** What a route can tell of by the status of its answers: what only the application knows. */
const ROUTE_EVENTS = [
  'session.started',
  'session.ended',
  'session.failed',
  'session.mfa_changed',
  'session.mfa_failed',
  'session.mfa_passed',
] as const satisfies readonly AuditAction[]
export type RouteEvent = (typeof ROUTE_EVENTS)[number]

/** Those that are told of something that went wrong. */
export const FAILURES: ReadonlySet<RouteEvent> = new Set(['session.failed', 'session.mfa_failed'])
const SUCCESSES = [200, 201, 202, 204]

export const auditSchema = object(
  {
    mode: oneOf(MODES, 'How the control acts.'),
    record: flag('Whether events are kept in the audit log; false.'),
    retentionDays: integer(
      { min: 1, max: 3_650, example: 365 },
      'How long entries are kept; their proofs are kept for good. 365.',
    ),
    event: object(
      {
        action: oneOf(
          ROUTE_EVENTS,
          'What has happened where the application answers so: session.ended of a sign-out, session.mfa_changed where a second factor is set or removed. Sign-ins that lockout watches over are told of by themselves.',
        ),
        on: list(
          integer({ min: 200, max: 599, example: 200 }, 'A status.'),
          'The statuses that say so; 200, 201, 202 and 204, and 401 of a failure.',
          { min: 1, max: 20 },
        ),
      },
      'What an answer of this route tells the log. Whose session it was is the caller known to the policy, or the account’s id that the application puts, percent-encoded, into the field Audit-Actor of its answer; the field never leaves.',
    ),
    risk: object(
      {
        signals: record(
          {
            pattern: new RegExp(`^(?:${SIGNAL_NAMES.join('|').replaceAll('.', '\\.')})$`),
            expected: 'an action of the audit log, or a pattern',
            mend: 'write one such as "session.failed"; docs/audit.md lists them',
          },
          object(
            {
              weight: integer({ min: 0, max: 100, example: 25 }, 'Points when it is new; 0 to leave it out.'),
              halfLifeSeconds: integer(
                { min: 60, max: 2_592_000, example: 3_600 },
                'After so long half of them are left.',
              ),
            },
            'How much an event counts against whoever did it.',
          ),
          'Over the defaults, by the action of the event or the name of the pattern.',
        ),
        low: acts('low'),
        medium: acts('medium'),
        high: acts('high'),
        critical: acts('critical'),
        lockSeconds: integer({ min: 10, max: 86_400, example: 300 }, 'How long a lock lasts; 300.'),
      },
      'The risk of accounts, credentials and addresses: 0 to 100, from 20 low, from 40 medium, from 60 high, from 80 critical.',
    ),
  },
  'The audit log and what follows from it.',
)

export type AuditSetting = Infer<typeof auditSchema>

export const auditDefaults: AuditSetting = {}

/** A setting with everything filled in. */
export interface FullAudit {
  readonly record: boolean
  readonly retentionDays: number
  readonly signals: Signals
  readonly acts: Readonly<Record<RiskLevel, readonly RiskAct[]>>
  readonly lockSeconds: number
}

/** Whether events are kept. */
export function isKept({ mode, record: kept }: AuditSetting): boolean {
  return mode !== 'off' && kept === true
}

/** What the answers of a cell tell of; `undefined` where they tell of nothing, or nothing is kept. */
export function routeEvent(
  setting: AuditSetting,
): { readonly action: RouteEvent; readonly on: readonly number[] } | undefined {
  const { event } = setting
  if (!isKept(setting) || event?.action === undefined) return undefined
  return {
    action: event.action,
    on: [...(event.on ?? (FAILURES.has(event.action) ? [401] : SUCCESSES))].sort((a, b) => a - b),
  }
}

/** @returns `undefined` where nothing is kept and nothing done */
export function fullAudit(setting: AuditSetting): FullAudit | undefined {
  const { mode, record: kept = false, retentionDays = 365, risk = {} } = setting
  if (mode === 'off') return undefined
  const levels = RISK_LEVELS.filter((level) => level !== 'info')
  if (!kept && levels.every((level) => (risk[level] ?? []).length === 0)) return undefined
  return {
    record: kept,
    retentionDays,
    signals: signalsOf(setting),
    acts: {
      info: [],
      low: risk.low ?? [],
      medium: risk.medium ?? [],
      high: risk.high ?? [],
      critical: risk.critical ?? [],
    },
    lockSeconds: risk.lockSeconds ?? 300,
  }
}

/** How long entries are kept; `undefined` where none are. */
export function retentionOf(setting: AuditSetting): number | undefined {
  const full = fullAudit(setting)
  return full?.record ? full.retentionDays : undefined
}

/** The levels at which somebody is told. */
export function alertLevelsOf(setting: AuditSetting): ReadonlySet<RiskLevel> {
  const full = fullAudit(setting)
  return new Set(RISK_LEVELS.filter((level) => full?.acts[level].includes('alert')))
}

/** The signals of a setting: the defaults, and what it says over them. */
export function signalsOf({ risk = {} }: AuditSetting): FullAudit['signals'] {
  const own = Object.entries(risk.signals ?? {}).map(([action, given]) => {
    const known = DEFAULT_SIGNALS[action as SignalName] ?? { weight: 10, halfLifeSeconds: 3_600 }
    return [
      action,
      {
        weight: given.weight ?? known.weight,
        halfLifeSeconds: given.halfLifeSeconds ?? known.halfLifeSeconds,
      },
    ] as const
  })
  return Object.fromEntries(
    [...Object.entries(DEFAULT_SIGNALS), ...own].filter(([, { weight }]) => weight > 0),
  )
}
