// A key as callers see it in JSON: moments by RFC 3339, null for what is not.

import type { ManagedKey } from '../../../ports/key-administrator.ts'

/** Every fact of a key but its text. */
export function shownKey(key: ManagedKey): object {
  return {
    id: key.id,
    name: key.name,
    kind: key.kind,
    environment: key.environment,
    display: key.display,
    store: key.store ?? null,
    plan: key.plan ?? null,
    scopes: key.scopes,
    origins: key.origins,
    networks: key.networks,
    owner: key.owner ?? null,
    createdBy: key.createdBy,
    created: moment(key.createdAt),
    expires: moment(key.expiresAt),
    lastUsed: moment(key.lastUsedAt),
    revoked: moment(key.revokedAt),
    revokedReason: key.revokedReason ?? null,
    generation: key.generation,
  }
}

function moment(at: number | undefined): string | null {
  return at === undefined ? null : new Date(at).toISOString()
}
