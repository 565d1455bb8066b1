// Privileges that no policy binds, or that more people have than should.

import { quoted } from '../../names.ts'
import { type Estate, type Rule, reaches, sqlName, type TenancyFinding } from '../estate.ts'
import { whom } from './tables.ts'

const UNBOUND = [
  ['TRUNCATE', 'tenancy.grant-truncate', 'TRUNCATE empties the table of every tenant’s rows'],
  ['REFERENCES', 'tenancy.grant-references', 'REFERENCES lets a foreign key look at every tenant’s rows'],
  ['TRIGGER', 'tenancy.grant-trigger', 'TRIGGER lets a function run on every tenant’s writes'],
] as const

/** Grants on the tables themselves. */
export const grantRules: Rule = (estate) =>
  estate.tables.flatMap((table): readonly TenancyFinding[] => {
    if (!reaches(estate, table)) return []
    const open = table.grants.filter(({ to }) => to === 'public').map(({ privilege }) => privilege)
    const beside = table.grants.filter(({ to }) => to !== 'public')
    return [
      ...(open.length === 0
        ? []
        : [
            {
              id: 'tenancy.public-grant',
              object: table.id,
              detail: `everybody who can log in has ${open.sort().join(', ')}`,
              mend: `revoke all on ${sqlName(table)} from public;`,
            },
          ]),
      ...UNBOUND.filter(([privilege]) => estate.holds(beside, '', privilege)).map(
        ([privilege, id, detail]) => ({
          id,
          object: table.id,
          detail: `${detail}, and no policy binds it`,
          mend: `revoke ${privilege.toLowerCase()} on ${sqlName(table)} from ${whom(estate)};`,
        }),
      ),
    ]
  })

/** What tables get when they are made, and where the application may make objects. */
export const defaultRules: Rule = (estate) => {
  const schemas = new Set(estate.tables.map(({ schema }) => schema))
  const grants = Map.groupBy(
    estate.catalogue.defaultGrants.filter(
      ({ to, privilege, schema }) =>
        (schema === null || schemas.has(schema)) &&
        (to === 'public' || (privilege === 'TRUNCATE' && estate.holds([{ to, privilege }], '', 'TRUNCATE'))),
    ),
    ({ by, schema, to }) => JSON.stringify([by, schema, to]),
  )
  return [
    ...Array.from(grants.values(), ([first, ...more]) => ({
      id: 'tenancy.default-grant',
      object: first!.schema === null ? `tables of ${first!.by}` : `schema ${first!.schema}`,
      detail: `every new table of ${first!.by} gives ${[first!, ...more].map(({ privilege }) => privilege).join(', ')} to ${first!.to}`,
      mend: `alter default privileges for role ${quoted(first!.by)}${first!.schema === null ? '' : ` in schema ${quoted(first!.schema)}`} revoke ${first!.to === 'public' ? 'all' : 'truncate'} on tables from ${first!.to === 'public' ? 'public' : quoted(first!.to)};`,
    })),
    ...[...schemas].flatMap((schema) => schemaFindings(estate, schema)),
  ]
}

function schemaFindings(estate: Estate, schema: string): readonly TenancyFinding[] {
  const grants = estate.catalogue.schemaGrants.filter((grant) => grant.schema === schema)
  if (!estate.holds(grants, '', 'CREATE')) return []
  return [
    {
      id: 'tenancy.schema-create',
      object: `schema ${schema}`,
      detail:
        'the application may make objects beside the tables, such as functions that take the place of others',
      mend: `revoke create on schema ${quoted(schema)} from ${whom(estate)}, public;`,
    },
  ]
}

/** Counters that all tenants share. */
export const sequenceRules: Rule = (estate) =>
  estate.catalogue.relations.flatMap((sequence) => {
    const counted = sequence.kind === 'S' ? sequence.countsFor.filter(estate.isTenantTable) : []
    if (counted.length === 0) return []
    if (!estate.holds(sequence.grants, '', 'SELECT', 'UPDATE')) return []
    return [
      {
        id: 'tenancy.sequence-readable',
        object: sequence.id,
        detail: `it counts the rows that all tenants have made in ${counted.join(', ')}, and the application may read or set it`,
        mend: `revoke select, update on sequence ${sqlName(sequence)} from ${whom(estate)}, public;`,
      },
    ]
  })

/** Streams of changes, which no policy filters. */
export const publicationRules: Rule = (estate) => {
  const tables = Map.groupBy(
    estate.catalogue.publications.filter(({ table }) => estate.isTenantTable(table)),
    ({ name }) => name,
  )
  return Array.from(tables, ([name, published]) => ({
    id: 'tenancy.publication',
    object: `publication ${name}`,
    detail: `it sends every tenant’s changes of ${published.map(({ table }) => table).join(', ')} to whoever subscribes`,
    mend: `drop publication ${quoted(name)};`,
  }))
}
