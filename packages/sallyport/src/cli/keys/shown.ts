// A key in words: all of it that may be shown.

import type { ShownKey } from './package.ts'

/** Every fact of a key, for people and for programs. */
export function shown(key: ShownKey): Readonly<Record<string, unknown>> {
  return {
    id: key.id,
    organisation: key.organisation_id,
    name: key.name,
    key: key.display,
    kind: key.kind,
    environment: key.environment,
    plan: key.plan,
    scopes: key.scopes,
    origins: key.origins,
    networks: key.cidrs,
    onBehalf: key.owner_id,
    createdBy: key.created_by,
    created: key.created_at,
    expires: key.expires_at,
    revoked: key.revoked_at,
    reason: key.revoked_reason,
    lastUsed: key.last_used_at,
  }
}

/** A fact as a word: moments by ISO 8601, lists with commas. */
export function wordOf(value: unknown): string {
  if (value instanceof Date) return value.toISOString()
  return (Array.isArray(value) ? value.join(', ') : String(value ?? '')) || '-'
}

/** Whether a key lives, until when, and when it was last used. */
export function stateOf({ revoked_at, expires_at, last_used_at }: ShownKey): string {
  const day = (at: Date) => at.toISOString().slice(0, 10)
  if (revoked_at !== null) return `revoked ${day(revoked_at)}`
  if (expires_at !== null && expires_at.getTime() <= Date.now()) return `expired ${day(expires_at)}`
  return [
    expires_at === null ? 'never expires' : `until ${day(expires_at)}`,
    last_used_at === null ? 'never used' : `used ${day(last_used_at)}`,
  ].join(', ')
}
