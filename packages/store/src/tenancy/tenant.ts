// The tenant of a transaction: two settings that end with it, `app.tenant` (the organisation) and `app.store`. Row-level
// policies compare rows with them; where nothing is set, no row is seen.

import type { AuditEvent, AuditSink, Principal } from 'sallyport'
import { TenancyFault } from './fault.ts'

/** How a tenant's transaction is opened. */
export interface TenancyOptions {
  /** `store` where rows belong to a store of an organisation: then a caller without a store is missing its tenant. */
  readonly by?: 'organisation' | 'store'
  /** The role to take inside the transaction, where the login is not the application's role itself. */
  readonly role?: string
  /** Hears `tenancy.missing` where there is no tenant, and so no row. */
  readonly audit?: AuditSink
  /** The request in which it happens, for the audit record. */
  readonly requestId?: string
}

/** Who calls: all that is read of a principal. */
export type TenantPrincipal = Pick<Principal, 'organisation'> &
  Partial<Pick<Principal, 'store' | 'subject' | 'credential'>>

const MAX_BYTES = 256

/** How a transaction is told its tenant: for that transaction only, so that nothing is left for whom a pooler gives the connection next. */
export interface Opening {
  /** One statement. */
  readonly select: string
  /** The same as statements that are not planned, which is quicker; where several may be sent at once. */
  readonly sets: string
  /**
   * One statement for the end of the transaction: what a query inside set for the session is taken back, while the
   * transaction keeps its tenant until it has ended (deferred triggers read it).
   */
  readonly forget: string
}

/** The same after the transaction. */
export const FORGET_SETS = 'reset app.tenant; reset app.store'

/**
 * Makes it. No parameter is needed, and so no prepared statement: only harmless characters, or the hexadecimal digits of
 * a name, enter the SQL.
 *
 * @throws TenancyFault `tenant`
 */
export function openingOf(principal: TenantPrincipal | undefined, { role }: TenancyOptions): Opening {
  const organisation = nameOf('organisation', principal?.organisation)
  const store = nameOf('store', principal?.store)
  const settings: readonly (readonly [name: string, value: string])[] = [
    ...(role === undefined ? [] : [['role', role] as const]),
    ['app.tenant', organisation],
    // Without an organisation a store names nothing: two organisations may have stores of the same name.
    ['app.store', organisation === '' ? '' : store],
  ]
  const calls = settings.map(([name, value]) => call(name, value)).join(', ')
  const select = `select ${calls}`
  const plain = settings.every(([, value]) => HARMLESS.test(value))
  return {
    select,
    sets: plain ? settings.map(([name, value]) => `set local ${name} = '${value}'`).join('; ') : select,
    // Null is `reset`.
    forget: `select set_config('app.tenant', null, false), set_config('app.store', null, false), ${calls}`,
  }
}

// Types end where a token is read: a number or a list would be made a text, and be somebody's name.
function nameOf(what: string, value: unknown): string {
  if (value === undefined || value === null) return ''
  if (typeof value === 'string') return value
  throw new TenancyFault(
    'tenant',
    `principal.${what}: expected a string, got ${Array.isArray(value) ? 'a list' : `a ${typeof value}`}; nothing was asked of the database`,
  )
}

// No quote and no backslash: the same in every setting of the server.
const HARMLESS = /^[A-Za-z0-9_.:@-]*$/

function call(name: string, value: string): string {
  const bytes = Buffer.from(value, 'utf8')
  if (!value.isWellFormed() || value.includes('\0') || bytes.length > MAX_BYTES)
    throw new TenancyFault(
      'tenant',
      `${name}: a name of at most ${MAX_BYTES} bytes of UTF-8 without NUL is needed; nothing was asked of the database`,
    )
  return `set_config('${name}', convert_from(decode('${bytes.toString('hex')}', 'hex'), 'UTF8'), true)`
}

/** Asks whether the role that queries is bound: row-level security binds neither superusers nor BYPASSRLS. */
export const BOUND_SQL =
  'select r.rolsuper or r.rolbypassrls as exempt from pg_catalog.pg_roles r where r.rolname = current_user'

/** @throws TenancyFault `exempt` */
export function judgeBound(rows: readonly unknown[]): void {
  if ((rows[0] as { readonly exempt?: boolean } | undefined)?.exempt !== false)
    throw new TenancyFault(
      'exempt',
      'the role that queries is a superuser or has BYPASSRLS, so it sees every tenant; log in with a role of its own, or name one with { role }',
    )
}

/** The event of a missing tenant; `undefined` where nothing is missing. */
export function missingTenant(
  principal: TenantPrincipal | undefined,
  { by = 'organisation', requestId }: TenancyOptions,
): AuditEvent | undefined {
  const missing = !principal?.organisation
    ? 'organisation'
    : by === 'store' && !principal.store
      ? 'store'
      : undefined
  if (missing === undefined) return undefined
  return {
    action: 'tenancy.missing',
    outcome: 'denied',
    control: 'SP-TENANCY-01',
    ...(principal?.organisation ? { organisation: principal.organisation } : {}),
    ...(principal?.subject === undefined ? {} : { actor: principal.subject }),
    ...(principal?.credential === undefined ? {} : { credential: principal.credential.id }),
    ...(requestId === undefined ? {} : { requestId }),
    details: { missing },
  }
}
