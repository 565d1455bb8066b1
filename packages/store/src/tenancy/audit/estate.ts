// What the rules ask of the catalogues: which tables are the tenants', who the application is, what it may do and become.

import { qualified } from '../names.ts'
import type { Catalogue, Grant, Relation, Role } from './catalogue.ts'

/** What to look for. */
export interface AuditSettings {
  /** The column that says whose row it is; the commonest of the usual names where it is left out. */
  readonly tenantColumn?: string
  readonly storeColumn?: string
  /** `app.tenant` where it is left out. */
  readonly tenantSetting?: string
  /** Schemas to look at; all of the application's where it is empty or left out. */
  readonly schemas?: readonly string[]
  /** The roles that the application queries with; those that log in and reach the tables, where it is left out. */
  readonly appRoles?: readonly string[]
}

/** One thing that is wrong. */
export interface TenancyFinding {
  /** A word of the common vocabulary: `tenancy.rls-off`. */
  readonly id: string
  /** Where it differs from the word's own. */
  readonly severity?: 'info' | 'low' | 'medium' | 'high' | 'critical'
  /** `shop.orders`, `role api`. */
  readonly object: string
  readonly detail: string
  /** SQL, or the words for what SQL can't do. */
  readonly mend: string
}

/** A rule: what it finds. */
export type Rule = (estate: Estate) => readonly TenancyFinding[]

/** The database, in the rules' terms. */
export interface Estate {
  readonly catalogue: Catalogue
  readonly tenantColumn: string
  readonly tenantSetting: string
  readonly storeColumn: string | undefined
  /** Tables with the tenant column. */
  readonly tables: readonly Relation[]
  readonly relation: (id: string) => Relation | undefined
  readonly isTenantTable: (id: string) => boolean
  /** Whether it stands in a schema to look at. */
  readonly isAsked: (relation: Relation) => boolean
  readonly role: (name: string) => Role | undefined
  /** Who queries: the application's roles and the logins that may act as them. */
  readonly subjects: readonly string[]
  /** What a role may become, itself included. */
  readonly become: (role: string) => ReadonlySet<string>
  /** Whether row-level security does not bind a role where it owns a relation's reader: superuser, BYPASSRLS, owner of one of the tables that it reads (of any, where nobody knows which). */
  readonly isExempt: (role: string, reading?: readonly string[]) => boolean
  /** Whether the application holds one of these privileges, without becoming somebody who owns the tables. */
  readonly holds: (grants: readonly Grant[], owner: string, ...privileges: readonly string[]) => boolean
  /** Whether a role that the application goes by, or everybody, is among these. */
  readonly includesApplication: (roles: readonly string[]) => boolean
}

/** The usual names of a tenant's column, in the order in which they win where several are as common. */
export const USUAL_COLUMNS = [
  'tenant_id',
  'organisation_id',
  'organization_id',
  'org_id',
  'workspace_id',
  'account_id',
  'company_id',
  'team_id',
] as const

// Predefined roles that read or write beside row-level security (PostgreSQL 15, section 22.5).
const SERVER_ROLES = new Set(['pg_read_server_files', 'pg_write_server_files', 'pg_execute_server_program'])
const ROWS = ['SELECT', 'INSERT', 'UPDATE', 'DELETE'] as const

/** `shop.orders` as SQL wants it. */
export function sqlName(relation: Pick<Relation, 'schema' | 'name'>): string {
  return qualified(relation.schema, relation.name)
}

/** The tenant column that a database uses; `undefined` where none of the usual names is found. */
export function usualColumn(catalogue: Catalogue): string | undefined {
  const count = (name: string) =>
    catalogue.relations.filter(
      ({ kind, columns }) => 'rp'.includes(kind) && columns.some((c) => c.name === name),
    ).length
  const best = [...USUAL_COLUMNS].sort((a, b) => count(b) - count(a))[0]!
  return count(best) === 0 ? undefined : best
}

/** Whether a role goes around the tables' policies by what it is or owns. */
export function escapes(estate: Estate, name: string): boolean {
  return estate.isExempt(name) || SERVER_ROLES.has(name) || estate.tables.some(({ owner }) => owner === name)
}

/** Makes it. */
export function estateOf(catalogue: Catalogue, tenantColumn: string, settings: AuditSettings): Estate {
  const relations = new Map(catalogue.relations.map((each) => [each.id, each]))
  const roles = new Map(catalogue.roles.map((each) => [each.name, each]))
  const wanted = new Set(settings.schemas ?? [])
  const isAsked = ({ schema }: Relation): boolean => wanted.size === 0 || wanted.has(schema)
  const tables = catalogue.relations.filter(
    (relation) =>
      'rpf'.includes(relation.kind) &&
      isAsked(relation) &&
      relation.columns.some(({ name }) => name === tenantColumn),
  )
  const ids = new Set(tables.map(({ id }) => id))
  const owners = new Set(tables.map(({ owner }) => owner))

  const reachable = (name: string, by: 'memberOf' | 'actsAs'): ReadonlySet<string> => {
    const all = new Set([name])
    for (const each of all) for (const group of roles.get(each)?.[by] ?? []) all.add(group)
    return all
  }
  const become = (name: string): ReadonlySet<string> => reachable(name, 'memberOf')
  const isExempt = (name: string, reading?: readonly string[]): boolean => {
    const role = roles.get(name)
    return (
      role?.superuser === true ||
      role?.bypass === true ||
      tables.some(
        (each) => each.owner === name && !each.forced && (reading === undefined || reading.includes(each.id)),
      )
    )
  }
  const isPrivileged = (name: string): boolean =>
    roles.get(name)?.superuser === true || owners.has(name) || SERVER_ROLES.has(name)

  const subjects = settings.appRoles?.length
    ? [
        ...new Set([
          ...settings.appRoles,
          ...catalogue.roles
            .filter(
              ({ name, login, superuser }) =>
                login && !superuser && settings.appRoles!.some((app) => reachable(name, 'actsAs').has(app)),
            )
            .map(({ name }) => name),
        ]),
      ]
    : catalogue.roles
        .filter(({ name, login, superuser }) => login && !superuser && !owners.has(name))
        .map(({ name }) => name)
        .filter((name) => {
          const groups = new Set([...become(name), 'public'])
          return tables.some(({ grants, owner }) => groups.has(owner) || holdsAny(groups, grants, ROWS))
        })
  const all = new Set(subjects.flatMap((name) => [...become(name)]))
  const ordinary = new Set(['public', ...[...all].filter((name) => !isPrivileged(name))])
  const privileged = subjects.some((name) => isPrivileged(name))

  return {
    catalogue,
    tenantColumn,
    tenantSetting: settings.tenantSetting ?? 'app.tenant',
    storeColumn: settings.storeColumn,
    tables,
    relation: (id) => relations.get(id),
    isTenantTable: (id) => ids.has(id),
    isAsked,
    role: (name) => roles.get(name),
    subjects,
    become,
    isExempt,
    holds: (grants, owner, ...privileges) => ordinary.has(owner) || holdsAny(ordinary, grants, privileges),
    includesApplication: (names) => privileged || names.some((name) => ordinary.has(name)),
  }
}

// Two predefined roles hold these on every table, view and sequence, without a grant; policies bind them.
const EVERYWHERE: Readonly<Record<string, readonly string[]>> = {
  pg_read_all_data: ['SELECT'],
  pg_write_all_data: ['INSERT', 'UPDATE', 'DELETE'],
}

function holdsAny(
  roles: ReadonlySet<string>,
  grants: readonly Grant[],
  privileges: readonly string[],
): boolean {
  return (
    grants.some((grant) => roles.has(grant.to) && privileges.includes(grant.privilege)) ||
    Object.entries(EVERYWHERE).some(
      ([role, held]) => roles.has(role) && held.some((privilege) => privileges.includes(privilege)),
    )
  )
}

/** Whether the application reaches the rows of a relation; where nobody is known to be the application, everything is. */
export function reaches(estate: Estate, relation: Relation): boolean {
  return (
    estate.subjects.length === 0 ||
    estate.subjects.some((name) => escapes(estate, name)) ||
    estate.holds(relation.grants, relation.owner, ...ROWS)
  )
}
