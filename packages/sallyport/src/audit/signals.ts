// What counts against whom, and how fast it is forgotten.

import type { AuditAction } from '../ports/audit.ts'

/** How much a signal counts and how fast it fades. */
export interface RiskSignal {
  /** Points when it is new; 1 to 100. */
  readonly weight: number
  readonly halfLifeSeconds: number
}

const HOUR = 3_600

/** The signals where the policy says nothing else; actions that are not here count nothing. */
export const DEFAULT_SIGNALS: Readonly<Partial<Record<AuditAction, RiskSignal>>> = {
  'session.failed': { weight: 8, halfLifeSeconds: HOUR },
  'session.mfa_failed': { weight: 10, halfLifeSeconds: 6 * HOUR },
  'session.mfa_changed': { weight: 35, halfLifeSeconds: 6 * HOUR },
  'lockout.locked': { weight: 25, halfLifeSeconds: HOUR },
  'lockout.refused': { weight: 8, halfLifeSeconds: HOUR },
  'lockout.disabled': { weight: 45, halfLifeSeconds: 6 * HOUR },
  'key.created': { weight: 10, halfLifeSeconds: 6 * HOUR },
  'key.refused': { weight: 8, halfLifeSeconds: HOUR },
  'key.exposed': { weight: 55, halfLifeSeconds: 24 * HOUR },
  'key.used_after_rotation': { weight: 15, halfLifeSeconds: 6 * HOUR },
  'access.denied': { weight: 12, halfLifeSeconds: 6 * HOUR },
  'access.scope_missing': { weight: 12, halfLifeSeconds: 6 * HOUR },
  'limit.exceeded': { weight: 6, halfLifeSeconds: 900 },
  'tenancy.missing': { weight: 60, halfLifeSeconds: 24 * HOUR },
}
