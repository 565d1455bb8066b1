// Keys that look at every tenant's rows: policies do not hold for unique and foreign keys (PostgreSQL 15, section 5.8),
// so a write tells whether somebody else's row is there.

import { qualified, quoted } from '../../names.ts'
import { type Estate, type Rule, reaches, sqlName } from '../estate.ts'

/** Primary keys, unique indexes and exclusions without the tenant. */
export const keyRules: Rule = (estate) =>
  estate.catalogue.keys.flatMap((key) => {
    const table = estate.relation(key.table)
    if (table === undefined || !estate.isTenantTable(table.id) || !reaches(estate, table)) return []
    if (key.columns.includes(estate.tenantColumn) || referred(estate, key.table, key.columns)) return []
    const columns = key.columns.map((name) => table.columns.find((each) => each.name === name))
    const unguessable = columns.every((column) => column?.type === 'uuid')
    const counted = columns.length === 1 && columns[0]?.generated === true
    const name = sqlName(table)
    const list = [estate.tenantColumn, ...key.columns.filter((each) => each !== '')].map(quoted).join(', ')
    const drop = key.constraint
      ? `alter table ${name} drop constraint ${quoted(key.name)};`
      : `drop index ${qualified(table.schema, key.name)};`
    const add =
      key.kind === 'exclusion'
        ? `alter table ${name} add exclude using gist (${quoted(estate.tenantColumn)} with =, …);`
        : key.columns.includes('')
          ? `create unique index on ${name} (${list}, …); -- … is the expression of ${key.name}`
          : `alter table ${name} add ${key.kind === 'primary' ? 'primary key' : 'unique'} (${list});`
    return [
      {
        id: 'tenancy.key-without-tenant',
        // Of a key that nobody can guess or choose, nothing is learnt.
        severity:
          unguessable || counted
            ? ('info' as const)
            : key.kind === 'primary'
              ? ('low' as const)
              : ('medium' as const),
        object: table.id,
        detail: `${key.kind} key ${key.name} lacks ${estate.tenantColumn}: a refused write tells that another tenant has the same value`,
        mend: `${drop} ${add}`,
      },
    ]
  })

// A key that a composite foreign key's own target needs is none that a tenant chooses: (organisation_id) of the root.
function referred(estate: Estate, table: string, columns: readonly string[]): boolean {
  return columns.length === 0 || (columns.length === 1 && columns[0] === estate.tenantColumn && table !== '')
}

/** Foreign keys from row to row that don't carry the tenant along. */
export const foreignKeyRules: Rule = (estate) =>
  estate.catalogue.foreignKeys.flatMap((key) => {
    const [table, target] = [estate.relation(key.table), estate.relation(key.target)]
    if (table === undefined || target === undefined) return []
    if (!estate.isTenantTable(table.id) || !estate.isTenantTable(target.id) || !reaches(estate, table))
      return []
    const at = key.columns.indexOf(estate.tenantColumn)
    if (at >= 0 && key.targetColumns[at] === estate.tenantColumn) return []
    const tenant = estate.tenantColumn
    // The tenant goes along with what the key compares already.
    const pairs = key.columns
      .map((column, index) => [column, key.targetColumns[index]!] as const)
      .filter(([column, against]) => column !== tenant && against !== tenant)
    const columns = [tenant, ...pairs.map(([column]) => column)]
    const targets = [tenant, ...pairs.map(([, against]) => against)]
    const isKey = estate.catalogue.keys.some(
      (each) =>
        each.table === target.id &&
        each.kind !== 'exclusion' &&
        each.columns.length === targets.length &&
        each.columns.every((column) => targets.includes(column)),
    )
    const list = (names: readonly string[]) => names.map(quoted).join(', ')
    const add = isKey ? '' : `alter table ${sqlName(target)} add unique (${list(targets)}); `
    return [
      {
        id: 'tenancy.foreign-key',
        object: table.id,
        detail: `foreign key ${key.name} lets a row refer to another tenant’s row of ${target.id}, and tells whether it is there`,
        mend: `${add}alter table ${sqlName(table)} drop constraint ${quoted(key.name)}, add foreign key (${list(columns)}) references ${sqlName(target)} (${list(targets)});`,
      },
    ]
  })
