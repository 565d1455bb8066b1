// `@sallyport/store/tenancy`: an application's own tables, isolated by the database.

export { TenancyFault } from './fault.ts'
export type { TenancyOptions, TenantPrincipal } from './tenant.ts'
export { queryAsTenant, withTenant } from './with-tenant.ts'
