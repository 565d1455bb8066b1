// Two answers for callers about themselves: who they are, and what is left of their limits. They are given when all
// controls have judged, so that they count as any other request.

import type { Answer } from '../../guard/control.ts'
import type { Exchange } from '../../guard/exchange.ts'
import { lines } from '../../guard/lines.ts'
import type { Principal } from '../../guard/principal.ts'

export const ACCOUNT_PATH = '/v1/account'
export const LIMITS_PATH = '/v1/limits'

const HEADERS = lines([['Content-Type', 'application/json']])

/** The answer to a caller who asks about itself; `undefined` for every other request. */
export function answerAbout(exchange: Exchange): Answer | undefined {
  const { path, principal, incoming } = exchange
  if (principal === undefined || (incoming.method !== 'GET' && incoming.method !== 'HEAD')) return undefined
  if (path === ACCOUNT_PATH) return json(account(principal))
  return path === LIMITS_PATH ? json(limits(exchange, principal)) : undefined
}

function json(value: object): Answer {
  return { kind: 'answer', status: 200, headers: HEADERS, body: JSON.stringify(value) }
}

function account({ planOverrides: _own, credential, signedInAt, ...rest }: Principal): object {
  return {
    ...rest,
    credential: { ...credential, ...expiry(credential) },
    ...(signedInAt !== undefined && { signedInAt: new Date(signedInAt).toISOString() }),
  }
}

function expiry({ expiresAt }: Principal['credential']): { readonly expiresAt?: string } {
  return expiresAt === undefined ? {} : { expiresAt: new Date(expiresAt).toISOString() }
}

function limits({ limits: verdict, cell }: Exchange, { plan, credential }: Principal): object {
  const { disclose } = (cell.settings['limits'] ?? {}) as { readonly disclose?: string }
  // What no header may tell, no body does.
  const told = disclose === undefined || disclose === 'full' ? (verdict?.decisions ?? []) : []
  return {
    ...(plan !== undefined && { plan }),
    buckets: told.map(({ bucket, limit, remaining, resetAfterMs }) => ({
      bucket,
      limit,
      remaining,
      resetSeconds: Math.ceil(resetAfterMs / 1000),
    })),
    credential: { kind: credential.kind, id: credential.id, ...expiry(credential) },
  }
}
