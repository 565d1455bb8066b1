// Where controls tell what they denied and changed. The audit log keeps this port; without one, nothing is told.

/** What is told, by its action; the names are stable. */
export const AUDIT_ACTIONS = [
  'access.denied',
  'access.scope_missing',
  'audit.exported',
  'audit.pruned',
  'audit.started',
  'backup.failed',
  'backup.made',
  'backup.restored',
  'backup.verified',
  'clock.jumped',
  'cors.denied',
  'credential.exposed',
  'key.created',
  'key.exposed',
  'key.refused',
  'key.revoked',
  'key.rotated',
  'key.used_after_revocation',
  'key.used_after_rotation',
  'limit.exceeded',
  'lockout.disabled',
  'lockout.locked',
  'lockout.refused',
  'lockout.surge_began',
  'lockout.surge_ended',
  'organisation.created',
  'organisation.plan_changed',
  'policy.refused',
  'policy.reloaded',
  'request.not_found_burst',
  'request.refused',
  'risk.refused',
  'secrets.rotated',
  'session.ended',
  'session.failed',
  'session.mfa_changed',
  'session.mfa_failed',
  'session.mfa_passed',
  'session.started',
  'store.exported',
  'store.imported',
  'tenancy.missing',
  'transport.refused',
] as const
export type AuditAction = (typeof AUDIT_ACTIONS)[number]

/** One thing that happened. No field holds a secret. */
export interface AuditEvent {
  readonly action: AuditAction
  readonly outcome: 'success' | 'failure' | 'denied'
  /** Milliseconds since the epoch; when it is recorded, where it is left out. */
  readonly at?: number
  readonly organisation?: string
  /** Who did it: a principal's subject, or a name's digest where nobody is known. */
  readonly actor?: string
  /** The id of the credential used, never the credential. */
  readonly credential?: string
  /** What it was done to: a key id, an account. */
  readonly target?: string
  /** The register id of the control that tells: `SP-KEYS-01`. */
  readonly control?: string
  /** The error code that the caller got. */
  readonly code?: string
  /** The id of the policy's cell. */
  readonly cell?: string
  readonly address?: string
  readonly requestId?: string
  /** Facts of a person, which the log can forget without breaking a proof: it hashes them with a salt of their own. */
  readonly personal?: Readonly<Record<string, string>>
  /** Short facts of the action's own; values of at most 256 characters. */
  readonly details?: Readonly<Record<string, string | number | boolean>>
}

/** Takes events. It never throws and never blocks the request. */
export interface AuditSink {
  record(event: AuditEvent): void
  /** Calls back before the log closes: for what is gathered until its window ends. */
  beforeClose?(tell: () => void): void
}
