// Tables whose rows are a tenant's, and that no policy guards: without row-level security, around it, or beside it.

import { quoted } from '../../names.ts'
import type { Relation } from '../catalogue.ts'
import { type Estate, type Rule, reaches, sqlName, type TenancyFinding } from '../estate.ts'

/** Row-level security that is off, or does not bind the owner; partitions, parents and foreign tables. */
export const tableRules: Rule = (estate) =>
  estate.tables
    .filter((table) => reaches(estate, table))
    .flatMap((table): readonly TenancyFinding[] => {
      const name = sqlName(table)
      if (table.kind === 'f')
        return [
          {
            id: 'tenancy.foreign-table',
            object: table.id,
            detail: 'a foreign table can have no policies, so it shows every tenant’s rows',
            mend: `revoke all on ${name} from ${whom(estate)}, public;`,
          },
        ]
      if (!table.rowSecurity)
        return [
          table.partition
            ? {
                id: 'tenancy.partition-open',
                object: table.id,
                detail: `it is a partition of ${table.parents.join(', ')} that may be asked directly, where the parent’s policies don’t hold`,
                mend: `revoke all on ${name} from ${whom(estate)}, public;`,
              }
            : {
                id: 'tenancy.rls-off',
                object: table.id,
                detail: 'row-level security is off, so every query sees every tenant’s rows',
                mend: `${enable(table)} ${policySql(estate, table)}`,
              },
        ]
      if (table.forced) return []
      const owned = estate.subjects.some((subject) => estate.become(subject).has(table.owner))
      return [
        {
          id: 'tenancy.rls-not-forced',
          ...(owned ? { severity: 'high' } : {}),
          object: table.id,
          detail: `its policies do not bind its owner ${table.owner}${owned ? ', whom the application is or may become' : ''}`,
          mend: `alter table ${name} force row level security;`,
        },
      ]
    })

// Names that mean a tenant wherever they stand; an account, a company or a team may be anything.
const OTHER_NAMES = ['tenant_id', 'organisation_id', 'organization_id', 'org_id', 'workspace_id']

/** Tables that name their tenant by another usual column, which no rule above looks at. */
export const otherColumnRules: Rule = (estate) =>
  estate.catalogue.relations.flatMap((table): readonly TenancyFinding[] => {
    if (!'rp'.includes(table.kind) || table.partition || table.rowSecurity) return []
    if (!estate.isAsked(table) || estate.isTenantTable(table.id) || !reaches(estate, table)) return []
    const column = table.columns.find(({ name }) => OTHER_NAMES.includes(name))
    if (column === undefined) return []
    const match = `${quoted(column.name)} = (select nullif(current_setting('${estate.tenantSetting}', true), '')${column.type === 'text' ? '' : `::${column.type}`})`
    return [
      {
        id: 'tenancy.rls-off',
        severity: 'low',
        object: table.id,
        detail: `row-level security is off, and its column ${column.name} looks like a tenant’s, beside ${estate.tenantColumn} of the others; where it is, every query sees every tenant’s rows`,
        mend: `${enable(table)} create policy ${quoted(`${table.name}_of_tenant`)} on ${sqlName(table)} using (${match}) with check (${match});`,
      },
    ]
  })

/** Tenants whose names the database takes for one another: no policy tells them apart. */
export const collationRules: Rule = (estate) =>
  estate.tables
    .filter((table) => table.rowSecurity && reaches(estate, table))
    .flatMap((table) =>
      table.columns
        .filter(({ name, folds }) => folds && (name === estate.tenantColumn || name === estate.storeColumn))
        .map(({ name, type }) => ({
          id: 'tenancy.policy-unbound',
          object: table.id,
          detail: `the collation of ${name} takes different names for the same, so a tenant sees the rows of another whose name differs in what it ignores`,
          mend: `drop the policies that read it; alter table ${sqlName(table)} alter column ${quoted(name)} type ${type} collate "C"; create them again: … ${policySql(estate, table)}`,
        })),
    )

/** Parents of tenant tables: whoever asks a parent sees the children's rows by the parent's policies. */
export const parentRules: Rule = (estate) => {
  const parents = new Set(estate.tables.flatMap((table) => table.parents))
  return [...parents].flatMap((id) => {
    const parent = estate.relation(id)
    if (parent === undefined || estate.isTenantTable(id) || !reaches(estate, parent)) return []
    return [
      {
        id: 'tenancy.inheritance',
        object: id,
        detail: 'tenant tables inherit from it, and through it their rows are seen without their policies',
        mend: `revoke all on ${sqlName(parent)} from ${whom(estate)}, public;`,
      },
    ]
  })
}

/** Tables that hang on a tenant's row and don't say whose they are. */
export const unscopedRules: Rule = (estate) => {
  const { catalogue, tenantColumn } = estate
  // What the tenant column itself refers to lists the tenants; it is no tenant's.
  const roots = new Set(
    catalogue.foreignKeys.filter(({ columns }) => columns.includes(tenantColumn)).map(({ target }) => target),
  )
  const found = new Map<string, string>()
  for (let before = -1; before !== found.size; ) {
    before = found.size
    for (const { table, target } of catalogue.foreignKeys)
      if (
        !estate.isTenantTable(table) &&
        !roots.has(table) &&
        (estate.isTenantTable(target) || found.has(target))
      )
        if (!found.has(table)) found.set(table, target)
  }
  return [...found].flatMap(([id, target]) => {
    const table = estate.relation(id)
    if (table === undefined || !reaches(estate, table)) return []
    // Through its parent, which the rule of policies judges.
    const guarded =
      estate.isTenantTable(target) &&
      table.rowSecurity &&
      table.forced &&
      catalogue.policies.some((policy) => policy.table === id && /\bEXISTS\b/.test(policy.using ?? ''))
    if (guarded) return []
    return [
      {
        id: 'tenancy.table-unscoped',
        object: id,
        detail: `its rows belong to rows of ${target}, and it has no column ${tenantColumn} that a policy could compare`,
        mend: `alter table ${sqlName(table)} add column ${quoted(tenantColumn)} ${typeOf(estate, target)}; -- fill it, then: ${enable(table)} ${policySql(estate, table)}`,
      },
    ]
  })
}

/** Whom privileges are taken from. */
export function whom(estate: Estate): string {
  return estate.subjects.map(quoted).join(', ') || 'the role of the application'
}

function enable(table: Relation): string {
  return `alter table ${sqlName(table)} enable row level security; alter table ${sqlName(table)} force row level security;`
}

/** The policy that a table should have. */
function policySql(estate: Estate, table: Relation, name = `${table.name}_of_tenant`): string {
  const match = matchSql(estate, table)
  return `create policy ${quoted(name)} on ${sqlName(table)} using (${match}) with check (${match});`
}

/** The comparison of a table's rows with the transaction's tenant. */
export function matchSql(estate: Estate, table: Relation): string {
  const { tenantColumn, tenantSetting, storeColumn } = estate
  const part = (column: string, setting: string) => {
    const bare = table.columns.find(({ name }) => name === column)?.type ?? 'text'
    // `character` without a length is one character.
    const type = bare === 'character' ? 'bpchar' : bare
    return `${quoted(column)} = (select nullif(current_setting('${setting}', true), '')${type === 'text' ? '' : `::${type}`})`
  }
  if (!estate.isTenantTable(table.id)) return throughParentSql(estate, table)
  return [
    part(tenantColumn, tenantSetting),
    ...(storeColumn !== undefined && table.columns.some(({ name }) => name === storeColumn)
      ? [part(storeColumn, 'app.store')]
      : []),
  ].join(' and ')
}

// Of a row that hangs on a tenant's row: that its parent is seen, whose own policies hold.
function throughParentSql(estate: Estate, table: Relation): string {
  const key = estate.catalogue.foreignKeys.find(
    (each) => each.table === table.id && estate.isTenantTable(each.target),
  )
  const parent = key && estate.relation(key.target)
  if (key === undefined || parent === undefined) return 'false'
  const pairs = key.columns.map(
    (column, index) =>
      `parent.${quoted(key.targetColumns[index]!)} = ${quoted(table.name)}.${quoted(column)}`,
  )
  return `exists (select from ${sqlName(parent)} parent where ${pairs.join(' and ')})`
}

function typeOf(estate: Estate, target: string): string {
  const columns = estate.relation(target)?.columns ?? []
  return columns.find(({ name }) => name === estate.tenantColumn)?.type ?? 'text'
}
