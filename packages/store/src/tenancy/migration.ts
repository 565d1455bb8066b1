// Writes the migration that hands an application's own tables to row-level security. It only adds: keys, indexes,
// policies, grants; it may be run again, and says what is left to a person.

import { joined, literal, qualified, quoted } from './names.ts'

/** The types that a tenant column may have. */
export const TENANT_TYPES = ['text', 'uuid', 'bigint', 'integer'] as const
export type TenantType = (typeof TENANT_TYPES)[number]

/** What the migration is about. */
export interface MigrationSettings {
  /** `orders`, or `shop.orders`. */
  readonly tables: readonly string[]
  readonly tenantColumn: string
  readonly tenantType: TenantType
  /** Where rows belong to a store of an organisation. */
  readonly storeColumn?: string
  /** The column that tells rows of one tenant apart. */
  readonly keyColumn: string
  /** The role that queries; it is made where there is none. */
  readonly appRole: string
}

/** The migration, and what it can't do by itself. */
export interface TenancyMigration {
  readonly sql: string
  readonly todo: readonly string[]
}

/** Writes it. */
export function tenancyMigration(settings: MigrationSettings): TenancyMigration {
  const { appRole, tenantColumn, storeColumn } = settings
  const tables = settings.tables.map(tableOf)
  const scope = storeColumn === undefined ? tenantColumn : `${tenantColumn}, ${storeColumn}`
  const schemas = [...new Set(tables.map(({ schema }) => schema))]
  const sql = [
    `-- Tenancy: the database shows and takes only rows of the tenant of the transaction (${scope}).`,
    '-- It adds keys, indexes, policies and grants, takes no row away, and may be run again.',
    'begin;',
    '',
    '-- The role of the application: bound by the policies, owner of nothing.',
    // An owner that may not make roles is refused before the server looks whether there is one already.
    'do $$ begin',
    `  if not exists (select from pg_catalog.pg_roles where rolname = ${literal(appRole)}) then`,
    `    create role ${quoted(appRole)} nologin nosuperuser nobypassrls nocreatedb nocreaterole noinherit;`,
    '  end if;',
    'exception when duplicate_object or unique_violation then null;',
    'end $$;',
    ...schemas.map((schema) => `grant usage on schema ${quoted(schema)} to ${quoted(appRole)};`),
    ...tables.flatMap((table) => ['', ...tableSql(table, settings)]),
    '',
    'commit;',
    '',
  ].join('\n')
  return { sql, todo: todo(settings) }
}

interface Table {
  readonly schema: string
  readonly name: string
}

function tableOf(text: string): Table {
  const dot = text.indexOf('.')
  return dot < 0
    ? { schema: 'public', name: text }
    : { schema: text.slice(0, dot), name: text.slice(dot + 1) }
}

function tableSql(
  { schema, name }: Table,
  { tenantColumn, tenantType, storeColumn, keyColumn, appRole }: MigrationSettings,
): readonly string[] {
  const table = qualified(schema, name)
  const columns = [tenantColumn, ...(storeColumn === undefined ? [] : [storeColumn])]
  const settings = ['app.tenant', 'app.store']
  const match = columns
    .map(
      (column, index) =>
        `${quoted(column)} = ${settingSql(settings[index]!, index === 0 ? tenantType : 'text')}`,
    )
    .join('\n    and ')
  const policy = quoted(joined(name, 'of', 'tenant'))
  const key = [...columns, ...(columns.includes(keyColumn) ? [] : [keyColumn])]
  return [
    `-- ${schema}.${name}`,
    ...columns.map((column) => `alter table ${table} alter column ${quoted(column)} set not null;`),
    `alter table ${table} enable row level security;`,
    '-- Its owner too: a forgotten change of role shows nothing rather than everything.',
    `alter table ${table} force row level security;`,
    `drop policy if exists ${policy} on ${table};`,
    `create policy ${policy} on ${table}`,
    `  using (${match})`,
    `  with check (${match});`,
    '-- Led by the tenant: what foreign keys refer to, and the index that every query of a tenant uses.',
    `create unique index if not exists ${quoted(joined(name, ...key, 'key'))} on ${table} (${key.map(quoted).join(', ')});`,
    `revoke all on ${table} from public;`,
    `revoke all on ${table} from ${quoted(appRole)};`,
    '-- Not truncate, references or trigger: no policy binds them.',
    `grant select, insert, update, delete on ${table} to ${quoted(appRole)};`,
  ]
}

// The sub-select is evaluated once for a statement, not for each row. A setting that was made in an earlier
// transaction of the connection is an empty text now, which is nobody's name.
function settingSql(setting: string, type: TenantType): string {
  const value = `nullif(current_setting('${setting}', true), '')`
  return `(select ${type === 'text' ? value : `${value}::${type}`})`
}

function todo({
  tables,
  tenantColumn,
  storeColumn,
  keyColumn,
  appRole,
}: MigrationSettings): readonly string[] {
  const scope = [tenantColumn, ...(storeColumn === undefined ? [] : [storeColumn])]
  return [
    `fill ${scope.join(' and ')} in every row first: the migration stops where one is null`,
    `let the application log in with a role of its own that owns nothing: create role api login noinherit; grant ${quoted(appRole)} to api; and pass role: '${appRole}' to withTenant`,
    `run every query through withTenant(db, principal, …) of @sallyport/store/tenancy: without a tenant no row is seen`,
    `begin keys and foreign keys with the tenant, such as primary key (${[...scope, keyColumn].join(', ')}) and foreign key (${scope.join(', ')}, order_id) references orders (${[...scope, keyColumn].join(', ')}): foreign keys and unique keys see every tenant's rows`,
    `look at the result: sallyport tenancy check DATABASE_URL --tenant-column ${tenantColumn}${storeColumn === undefined ? '' : ` --store-column ${storeColumn}`} --app-role ${appRole} (${tables.length} ${tables.length === 1 ? 'table' : 'tables'})`,
  ]
}
