// `@sallyport/store/tenancy`: an application's own tables, isolated by the database, and an audit of whether they are.

export {
  AuditImpossible,
  type AuditSettings,
  auditTenancy,
  type TenancyFinding,
  type TenancyReport,
} from './audit/audit.ts'
export { auditDatabase } from './audit/connect.ts'
export type { CatalogueClient } from './audit/read.ts'
export { TenancyFault } from './fault.ts'
export {
  type MigrationSettings,
  TENANT_TYPES,
  type TenancyMigration,
  type TenantType,
  tenancyMigration,
} from './migration.ts'
export type { TenancyOptions, TenantPrincipal } from './tenant.ts'
export { type PgQuery, type PgResult, queryAsTenant, withTenant } from './with-tenant.ts'
