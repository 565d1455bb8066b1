// What each action of the log is: in words, in OCSF (classes and activities of version 1.3.0), and how grave.

import type { AuditAction } from '../ports/audit.ts'

/** One kind of event. */
export interface ActionKind {
  /** What happened, in words. */
  readonly title: string
  /** The class of OCSF: 3002 Authentication, 3001 Account Change, 3004 Entity Management, 6003 API Activity, … */
  readonly classUid: number
  readonly activityId: number
  /** 1 informational, 2 low, 3 medium, 4 high, 5 critical. */
  readonly severityId: 1 | 2 | 3 | 4 | 5
  /** The name of OWASP's logging vocabulary. */
  readonly owasp: string
}

const AUTHENTICATION = 3002
const ACCOUNT_CHANGE = 3001
const ENTITY = 3004
const API = 6003
const WEB_ACCESS = 6004
const DETECTION = 2004
const OTHER = 99

/** Every action that there is. */
export const ACTIONS: Readonly<Record<AuditAction, ActionKind>> = {
  'access.denied': kind('access was denied', WEB_ACCESS, 2, 3, 'authz_fail'),
  'access.scope_missing': kind('a scope was missing', WEB_ACCESS, 2, 2, 'authz_fail'),
  'audit.exported': kind('entries of the log were handed on', API, 2, 2, 'sensitive_read'),
  'audit.pruned': kind('entries went whose time was over', API, 4, 2, 'sensitive_delete'),
  'audit.started': kind('the log was opened', API, OTHER, 1, 'sys_startup'),
  'backup.failed': kind('a backup could not be made or proved', API, OTHER, 3, 'sys_crash'),
  'backup.made': kind('a backup was made and proved', API, 2, 1, 'sensitive_read'),
  'backup.restored': kind('a store was restored from a backup', API, 3, 4, 'sensitive_update'),
  'backup.verified': kind('a backup was opened and proved again', API, 2, 2, 'sensitive_read'),
  // Times of entries behind it can't be compared with those before; their order can.
  'clock.jumped': kind('the clock of a gateway jumped', API, OTHER, 3, 'sys_monitor_disabled'),
  'cors.denied': kind('a page of another origin was refused', WEB_ACCESS, 2, 2, 'malicious_cors'),
  'credential.exposed': kind('a credential came in clear', DETECTION, 1, 4, 'sensitive_read'),
  'key.created': kind('a key was created', ENTITY, 1, 1, 'authn_token_created'),
  'key.exposed': kind('a secret key was seen where it must not be', DETECTION, 1, 4, 'sensitive_read'),
  'key.refused': kind('a key was refused', AUTHENTICATION, 1, 2, 'authn_login_fail'),
  'key.revoked': kind('a key was revoked', ENTITY, 4, 1, 'authn_token_revoked'),
  'key.rotated': kind('a key was rotated', ENTITY, 3, 1, 'authn_token_created'),
  'key.used_after_revocation': kind('a revoked key was used', AUTHENTICATION, 1, 4, 'authn_token_reuse'),
  'key.used_after_rotation': kind(
    'a key was used after its rotation',
    AUTHENTICATION,
    1,
    2,
    'authn_token_reuse',
  ),
  'limit.exceeded': kind('a rate limit was exceeded', API, OTHER, 2, 'excess_rate_limit_exceeded'),
  'lockout.disabled': kind('an authenticator was disabled', ACCOUNT_CHANGE, 9, 4, 'authn_login_lock'),
  'lockout.locked': kind(
    'an account was locked against guessing',
    ACCOUNT_CHANGE,
    9,
    3,
    'authn_login_fail_max',
  ),
  'lockout.refused': kind('a sign-in was refused while locked', AUTHENTICATION, 1, 2, 'authn_login_fail_max'),
  // OCSF 2004: 1 is Create, 3 is Close.
  'lockout.surge_began': kind('failed sign-ins surged', DETECTION, 1, 4, 'excess_rate_limit_exceeded'),
  'lockout.surge_ended': kind(
    'a surge of failed sign-ins ended',
    DETECTION,
    3,
    1,
    'excess_rate_limit_exceeded',
  ),
  'organisation.created': kind('an organisation was made', ENTITY, 1, 1, 'user_created'),
  'organisation.plan_changed': kind(
    'the plan of an organisation was changed',
    ENTITY,
    3,
    1,
    'privilege_permissions_changed',
  ),
  'policy.refused': kind('a policy was refused', API, 3, 3, 'sys_monitor_disabled'),
  'policy.reloaded': kind('another policy took over', API, 3, 2, 'authz_admin'),
  'request.not_found_burst': kind(
    'many things were asked for that are not there',
    DETECTION,
    1,
    3,
    'malicious_excess_404',
  ),
  'request.refused': kind('a request was refused for its form', WEB_ACCESS, 2, 2, 'input_validation_fail'),
  'risk.refused': kind('somebody was refused for what is held against them', WEB_ACCESS, 2, 3, 'authz_fail'),
  'secrets.rotated': kind('fields were encrypted anew', ENTITY, 3, 2, 'sensitive_update'),
  'session.ended': kind('a session ended', AUTHENTICATION, 2, 1, 'session_expired'),
  'session.failed': kind('a sign-in failed', AUTHENTICATION, 1, 2, 'authn_login_fail'),
  'session.mfa_changed': kind('a second factor was changed', ACCOUNT_CHANGE, 10, 3, 'user_updated'),
  'session.mfa_failed': kind('a second factor failed', AUTHENTICATION, 1, 2, 'authn_login_fail'),
  'session.mfa_passed': kind('a second factor was right', AUTHENTICATION, 1, 1, 'authn_login_success'),
  'session.started': kind('somebody signed in', AUTHENTICATION, 1, 1, 'authn_login_success'),
  'store.exported': kind('the store was exported', API, 2, 3, 'sensitive_read'),
  'store.imported': kind('a store was filled from an export', API, 1, 3, 'sensitive_create'),
  'tenancy.missing': kind('a query had no tenant', API, OTHER, 4, 'malicious_direct_reference'),
  'transport.refused': kind('a request in clear was refused', WEB_ACCESS, 2, 2, 'input_validation_fail'),
}

function kind(
  title: string,
  classUid: number,
  activityId: number,
  severityId: ActionKind['severityId'],
  owasp: string,
): ActionKind {
  return { title, classUid, activityId, severityId, owasp }
}
