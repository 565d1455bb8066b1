// A guard under test whose time moves only when it is told to, and which takes a caller's word for who it is.

import { memoryCounters } from '../../counters/memory.ts'
import type { Judgement, Verdict } from '../../guard/control.ts'
import type { Exchange } from '../../guard/exchange.ts'
import { createGuard, type Guard } from '../../guard/guard.ts'
import type { PolicyDocument } from '../../guard/policy.ts'
import type { Principal } from '../../guard/principal.ts'
import type { AuditEvent } from '../../ports/audit.ts'
import type { Services } from '../../ports/services.ts'
import type { LimitsSetting } from './setting.ts'

export const start = 1_700_000_000_000

export interface World {
  readonly guard: Guard
  readonly told: AuditEvent[]
  pass(ms: number): void
  /** Judges one request; what calls is known once the credential was looked at. */
  ask(who?: Partial<Principal> | string, path?: string): Promise<Asked>
}

interface Asked {
  readonly code: string | undefined
  readonly retryAfter: number | undefined
  readonly lines: ReadonlyMap<string, string>
  readonly exchange: Exchange
}

export function principal(fields: Partial<Principal> = {}): Principal {
  return {
    organisation: 'acme',
    credential: { kind: 'key', id: 'key-1' },
    scopes: [],
    plan: 'free',
    ...fields,
  }
}

/** A guard whose time moves only by `pass`, and which takes a caller's word for who it is. */
export function world(policy: PolicyDocument, services: Services = {}): World {
  let now = start
  const told: AuditEvent[] = []
  const guard = createGuard(policy, 'node', {
    clock: () => now,
    services: {
      counters: memoryCounters({ clock: () => now }),
      audit: { record: (event) => told.push(event) },
      ...services,
    },
  })
  return {
    guard,
    told,
    pass: (ms) => {
      now += ms
    },
    async ask(who = principal(), path = '/') {
      const address = typeof who === 'string' ? who : '192.0.2.1'
      const exchange = guard.open({
        method: 'GET',
        target: path,
        httpVersion: '1.1',
        rawHeaders: ['Host', 'a.example'],
        header: (name) => (name === 'host' ? 'a.example' : undefined),
        peer: address,
        encrypted: true,
      })
      const verdict = await judge(exchange, typeof who === 'string' ? undefined : principal(who))
      const status = verdict?.kind === 'deny' ? 429 : 200
      const lines = exchange.cell.compiled.perAnswer.flatMap(
        (line) => line(exchange, status, { get: () => undefined }).pairs,
      )
      const headers = verdict?.kind === 'deny' ? (verdict.headers?.pairs ?? []) : []
      const retry = headers.find(([name]) => name === 'Retry-After')?.[1]
      return {
        code: verdict?.kind === 'deny' ? verdict.code : undefined,
        retryAfter: retry === undefined ? undefined : Number(retry),
        lines: new Map(lines.map(([name, value]) => [name.toLowerCase(), value])),
        exchange,
      }
    },
  }
}

// As the guard judges, but the principal is put there where `keys` and `access` would.
async function judge(exchange: Exchange, who: Principal | undefined): Promise<Verdict> {
  const { admit, admitIds, admitFaces } = exchange.cell.compiled
  for (const [index, step] of admit.entries()) {
    if (admitIds[index] === 'SP-LIMITS-01' && admitFaces[index] === 'admit') exchange.principal = who
    const judgement: Judgement = step(exchange)
    const verdict = await judgement
    if (verdict !== undefined) return verdict
  }
  return undefined
}

export const minute = { limit: 10, windowSeconds: 60 }
export const plans = {
  free: { buckets: { minute } },
  pro: { buckets: { minute: { limit: 40, windowSeconds: 60 } } },
}
export const byPlan = (fields: LimitsSetting = {}): PolicyDocument => ({
  limits: { plans, defaultPlan: 'free', ...fields },
})
export const byAddress = (fields: LimitsSetting = {}, bucket = {}): PolicyDocument => ({
  limits: { addresses: { buckets: { anonymous: { ...minute, ...bucket } } }, ...fields },
})

export async function used(
  of: World,
  times: number,
  who?: Partial<Principal> | string,
  path?: string,
): Promise<number> {
  let through = 0
  for (let count = 0; count < times; count++) if (!(await of.ask(who, path)).code) through++
  return through
}
