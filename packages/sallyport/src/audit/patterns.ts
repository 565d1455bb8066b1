// What several events together say of a subject, which none of them says alone. What is remembered of a subject is a few
// numbers, and each pattern is seen once in its window.

import { callerNetwork } from '../policy/address.ts'
import type { AuditAction, AuditEvent } from '../ports/audit.ts'
import type { SignalName } from './signals.ts'

/** What is remembered of one subject. */
export interface Past {
  /** When the last failures were; milliseconds, at most five. */
  readonly failures: number[]
  /** Accounts that were failed at, as numbers, since the first of them. */
  accounts: { readonly since: number; readonly names: Set<number> } | undefined
  burstAt: number | undefined
}

const BURST = { failures: 5, withinMs: 900_000 } as const
const MANY = { accounts: 20, withinMs: 3_600_000 } as const
const AFTER = { failures: 3, withinMs: 3_600_000 } as const

const FAILURES: ReadonlySet<AuditAction> = new Set(['session.failed', 'session.mfa_failed'])

/** Whether a pattern may be in an event. */
export function isWatched({ action }: AuditEvent): boolean {
  return FAILURES.has(action) || action === 'session.started'
}

export function noPast(): Past {
  return { failures: [], accounts: undefined, burstAt: undefined }
}

/** The address as risk is held against it. */
export function addressSubject(address: string): string {
  return `address:${callerNetwork(address)}`
}

/** Notes an event of a subject; what is seen with it. */
export function patternsIn(
  past: Past,
  subject: string,
  event: AuditEvent,
  at: number,
): readonly SignalName[] {
  if (subject.startsWith('address:')) return isManyAccounts(past, event, at) ? ['session.many_accounts'] : []
  if (!subject.startsWith('account:')) return []
  if (event.action === 'session.started')
    return isAfterFailures(past, at) ? ['session.started_after_failures'] : []
  return FAILURES.has(event.action) && isBurst(past, at) ? ['session.failed_burst'] : []
}

function isBurst(past: Past, at: number): boolean {
  const { failures } = past
  failures.push(at)
  if (failures.length > BURST.failures) failures.shift()
  if (failures.length < BURST.failures || at - failures[0]! > BURST.withinMs) return false
  if (past.burstAt !== undefined && at - past.burstAt < BURST.withinMs) return false
  past.burstAt = at
  return true
}

function isAfterFailures({ failures }: Past, at: number): boolean {
  const recent = failures.filter((each) => at - each <= AFTER.withinMs).length
  failures.length = 0
  return recent >= AFTER.failures
}

// Twenty numbers at most: once they are there, the rest of the window tells nothing new.
function isManyAccounts(past: Past, { action, actor }: AuditEvent, at: number): boolean {
  if (actor === undefined || !FAILURES.has(action)) return false
  if (past.accounts === undefined || at - past.accounts.since > MANY.withinMs)
    past.accounts = { since: at, names: new Set() }
  const { names } = past.accounts
  if (names.size >= MANY.accounts) return false
  names.add(numberOf(actor))
  return names.size === MANY.accounts
}

// FNV-1a. Names come as keyed digests, so nobody can look for two that are one.
function numberOf(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash >>> 0
}
