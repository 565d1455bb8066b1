// Roles that row-level security does not bind, and settings that take its place.

import { quoted } from '../../names.ts'
import { type Estate, escapes, type Rule, sqlName, type TenancyFinding } from '../estate.ts'

/** The application's roles: what they are, what they may become. */
export const roleRules: Rule = (estate) => {
  if (estate.subjects.length === 0)
    return [
      {
        id: 'tenancy.role-missing',
        object: `database ${estate.catalogue.database}`,
        detail:
          'only superusers and owners reach the tables: no role of the application is bound by the policies',
        mend: 'create role app login nosuperuser nobypassrls; grant select, insert, update, delete on the tables to app;',
      },
    ]
  return estate.subjects.flatMap((name) => [...attributes(estate, name), ...memberships(estate, name)])
}

function attributes(estate: Estate, name: string): readonly TenancyFinding[] {
  const role = estate.role(name)
  const sql = quoted(name)
  const object = `role ${name}`
  const owned = estate.tables.filter(({ owner }) => owner === name)
  return [
    ...(role?.superuser
      ? [
          {
            id: 'tenancy.role-superuser',
            object,
            detail: 'the application’s role is a superuser: no policy binds it',
            mend: `alter role ${sql} nosuperuser;`,
          },
        ]
      : []),
    ...(role?.bypass
      ? [
          {
            id: 'tenancy.role-bypass',
            object,
            detail: 'the application’s role has BYPASSRLS: no policy binds it',
            mend: `alter role ${sql} nobypassrls;`,
          },
        ]
      : []),
    ...(owned.length > 0
      ? [
          {
            id: 'tenancy.role-owner',
            object,
            detail: `the application’s role owns ${owned.map(({ id }) => id).join(', ')}: it can switch the policies off`,
            mend: `${owned.map((table) => `alter table ${sqlName(table)} owner to a_role_that_migrates;`).join(' ')}`,
          },
        ]
      : []),
    ...(role?.createsRoles && !role.superuser
      ? [
          {
            id: 'tenancy.role-create',
            object,
            detail:
              'the application’s role has CREATEROLE: it can make itself a member of a role that owns the tables',
            mend: `alter role ${sql} nocreaterole;`,
          },
        ]
      : []),
    ...(role?.replicates && !role.superuser
      ? [
          {
            id: 'tenancy.role-replication',
            object,
            detail: 'the application’s role has REPLICATION: it can copy the whole database',
            mend: `alter role ${sql} noreplication;`,
          },
        ]
      : []),
  ]
}

function memberships(estate: Estate, name: string): readonly TenancyFinding[] {
  return [...estate.become(name)]
    .filter((group) => group !== name && !estate.subjects.includes(group) && escapes(estate, group))
    .map((group) => ({
      id: 'tenancy.role-member',
      object: `role ${name}`,
      detail: `it may become ${group}, which ${why(estate, group)}`,
      mend: `revoke ${quoted(group)} from ${quoted(byWayOf(estate, name, group))};`,
    }))
}

// The role that is a member itself: the application's, or one that it may become first.
function byWayOf(estate: Estate, name: string, group: string): string {
  return [...estate.become(name)].find((each) => estate.role(each)?.memberOf.includes(group)) ?? name
}

function why(estate: Estate, group: string): string {
  const role = estate.role(group)
  if (role?.superuser) return 'is a superuser'
  if (role?.bypass) return 'has BYPASSRLS'
  return estate.tables.some(({ owner }) => owner === group)
    ? 'owns tenant tables'
    : 'reads and writes files of the server'
}

/** `alter role … set` and `alter database … set`: a tenant for whoever has none, or another role. */
export const settingRules: Rule = (estate) =>
  estate.catalogue.settings.flatMap((setting): readonly TenancyFinding[] => {
    const { role, database, name, value } = setting
    if (role !== '' && !concerns(estate, role)) return []
    const where = [role && `role ${role}`, database && `database ${database}`].filter(Boolean).join(' in ')
    const mend =
      role === ''
        ? `alter database ${quoted(database)} reset ${name};`
        : `alter role ${quoted(role)}${database && ` in database ${quoted(database)}`} reset ${name};`
    if (name === estate.tenantSetting || (estate.storeColumn !== undefined && name === 'app.store'))
      return value === ''
        ? []
        : [
            {
              id: 'tenancy.default-tenant',
              object: where,
              detail: `${name} is set for every session: a query without a tenant sees the rows of that one`,
              mend,
            },
          ]
    if (name === 'row_security' && /^(?:off|false|no|0)$/i.test(value))
      return [
        {
          id: 'tenancy.row-security-off',
          object: where,
          detail:
            'row_security is off: queries that a policy would filter fail, and dumps by exempt roles are whole',
          mend,
        },
      ]
    if (name === 'role' && escapes(estate, value.replaceAll('"', '')))
      return [
        {
          id: 'tenancy.role-setting',
          object: where,
          detail: `sessions begin as ${value}, which the policies do not bind`,
          mend,
        },
      ]
    return []
  })

function concerns(estate: Estate, role: string): boolean {
  return estate.subjects.length === 0 || estate.subjects.some((subject) => estate.become(subject).has(role))
}
