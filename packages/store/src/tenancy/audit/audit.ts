// Audits an application's own database: whether its tables keep tenants apart, whatever the application asks.

import { createHash } from 'node:crypto'
import type { Catalogue } from './catalogue.ts'
import {
  type AuditSettings,
  estateOf,
  type Rule,
  reaches,
  type TenancyFinding,
  USUAL_COLUMNS,
  usualColumn,
} from './estate.ts'
import { type CatalogueClient, readCatalogue } from './read.ts'
import { functionRules, triggerRules, viewRules } from './rules/code.ts'
import { defaultRules, grantRules, publicationRules, sequenceRules } from './rules/grants.ts'
import { foreignKeyRules, keyRules } from './rules/keys.ts'
import { policyRules } from './rules/policies.ts'
import { roleRules, settingRules } from './rules/roles.ts'
import { collationRules, otherColumnRules, parentRules, tableRules, unscopedRules } from './rules/tables.ts'

export type { AuditSettings, TenancyFinding } from './estate.ts'

/** What an audit saw. */
export interface TenancyReport {
  readonly format: 'sallyport-tenancy/1'
  readonly database: string
  readonly tenantColumn: string
  /** The tables with the tenant column. */
  readonly tables: readonly string[]
  /** Those of them that the application can't reach, so that nothing was asked of them. */
  readonly unreached: readonly string[]
  readonly roles: readonly string[]
  /** Of all that was looked at: the same database has the same digest until its schema, roles or grants change. */
  readonly digest: string
  readonly findings: readonly TenancyFinding[]
}

/** What makes an audit impossible; the message says how to mend it. */
export class AuditImpossible extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'AuditImpossible'
  }
}

const RULES: readonly Rule[] = [
  roleRules,
  settingRules,
  tableRules,
  otherColumnRules,
  parentRules,
  unscopedRules,
  policyRules,
  collationRules,
  viewRules,
  functionRules,
  triggerRules,
  // Before the keys that they refer to.
  foreignKeyRules,
  keyRules,
  grantRules,
  defaultRules,
  sequenceRules,
  publicationRules,
]
const OLDEST = 150_000

/**
 * Audits a database.
 *
 * @throws AuditImpossible, or the database's own errors
 */
export async function auditTenancy(
  client: CatalogueClient,
  settings: AuditSettings = {},
): Promise<TenancyReport> {
  return judgeCatalogue(await readCatalogue(client), settings)
}

/** Judges what was read. @throws AuditImpossible */
export function judgeCatalogue(catalogue: Catalogue, settings: AuditSettings): TenancyReport {
  if (catalogue.version < OLDEST)
    throw new AuditImpossible(
      `the server is PostgreSQL ${Math.floor(catalogue.version / 10_000)}; views can’t be asked as their caller before 15, so upgrade first`,
    )
  const tenantColumn = settings.tenantColumn ?? usualColumn(catalogue)
  if (tenantColumn === undefined)
    throw new AuditImpossible(
      `no table has a column named ${USUAL_COLUMNS.join(', ')}; name the one that says whose row it is with --tenant-column`,
    )
  for (const name of settings.appRoles ?? [])
    if (!catalogue.roles.some((role) => role.name === name))
      throw new AuditImpossible(
        `there is no role ${JSON.stringify(name)}; name one of the server with --app-role`,
      )
  const estate = estateOf(catalogue, tenantColumn, settings)
  if (estate.tables.length === 0)
    throw new AuditImpossible(
      `no table${settings.schemas?.length ? ` of ${settings.schemas.join(', ')}` : ''} has a column ${JSON.stringify(tenantColumn)}; name another with --tenant-column`,
    )
  return {
    format: 'sallyport-tenancy/1',
    database: catalogue.database,
    tenantColumn,
    tables: estate.tables.map(({ id }) => id),
    unreached: estate.tables.filter((table) => !reaches(estate, table)).map(({ id }) => id),
    roles: estate.subjects,
    digest: `sha256:${createHash('sha256')
      .update(JSON.stringify({ ...catalogue, asked: settings }))
      .digest('hex')}`,
    findings: distinct(RULES.flatMap((rule) => rule(estate))),
  }
}

// One function may stand behind several triggers: what is wrong with it is said once.
function distinct(findings: readonly TenancyFinding[]): readonly TenancyFinding[] {
  return [...new Map(findings.map((each) => [`${each.id} ${each.object} ${each.detail}`, each])).values()]
}
