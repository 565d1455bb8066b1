// What counts against whom, and how fast it is forgotten.

import { AUDIT_ACTIONS, type AuditAction } from '../ports/audit.ts'

/** How much a signal counts and how fast it fades. */
export interface RiskSignal {
  /** Points when it is new; 1 to 100. */
  readonly weight: number
  readonly halfLifeSeconds: number
}

const HOUR = 3_600

/** What is seen in several events together, by the book that counts them. */
export const PATTERNS = [
  'session.failed_burst',
  'session.many_accounts',
  'session.started_after_failures',
] as const
type Pattern = (typeof PATTERNS)[number]

/** Whatever may count: an event by its action, or a pattern. */
export type SignalName = AuditAction | Pattern
export const SIGNAL_NAMES: readonly SignalName[] = [...AUDIT_ACTIONS, ...PATTERNS]

/** The signals by their names. */
export type Signals = Readonly<Partial<Record<SignalName, RiskSignal>>>

/** When a pattern is one. */
export const PATTERN_WORDS: Readonly<Record<Pattern, string>> = {
  'session.failed_burst': '5 failures at one account within 900 s',
  'session.many_accounts': '20 accounts failed at from one address within 3600 s',
  'session.started_after_failures': 'a sign-in that is right after 3 failures within 3600 s',
}

/** The signals where the policy says nothing else; what is not here counts nothing. */
export const DEFAULT_SIGNALS: Signals = {
  'session.failed': { weight: 8, halfLifeSeconds: HOUR },
  'session.failed_burst': { weight: 25, halfLifeSeconds: HOUR },
  'session.many_accounts': { weight: 45, halfLifeSeconds: 6 * HOUR },
  'session.started_after_failures': { weight: 15, halfLifeSeconds: HOUR },
  'session.mfa_failed': { weight: 10, halfLifeSeconds: 6 * HOUR },
  'session.mfa_changed': { weight: 35, halfLifeSeconds: 6 * HOUR },
  'lockout.locked': { weight: 25, halfLifeSeconds: HOUR },
  'lockout.refused': { weight: 8, halfLifeSeconds: HOUR },
  'lockout.disabled': { weight: 45, halfLifeSeconds: 6 * HOUR },
  'key.created': { weight: 10, halfLifeSeconds: 6 * HOUR },
  'key.refused': { weight: 8, halfLifeSeconds: HOUR },
  'key.exposed': { weight: 55, halfLifeSeconds: 24 * HOUR },
  'key.used_after_revocation': { weight: 70, halfLifeSeconds: 24 * HOUR },
  'key.used_after_rotation': { weight: 15, halfLifeSeconds: 6 * HOUR },
  'credential.exposed': { weight: 55, halfLifeSeconds: 24 * HOUR },
  'access.denied': { weight: 12, halfLifeSeconds: 6 * HOUR },
  'access.scope_missing': { weight: 12, halfLifeSeconds: 6 * HOUR },
  'limit.exceeded': { weight: 6, halfLifeSeconds: 900 },
  'request.not_found_burst': { weight: 15, halfLifeSeconds: HOUR },
  'request.refused': { weight: 6, halfLifeSeconds: 900 },
  'tenancy.missing': { weight: 60, halfLifeSeconds: 24 * HOUR },
}
