// The part of @sallyport/store that keeps tenants apart, loaded when it is needed.

import { Failure } from '../failure.ts'

/** One thing that an audit found. */
export interface AuditFinding {
  readonly id: string
  readonly severity?: 'info' | 'low' | 'medium' | 'high' | 'critical'
  readonly object: string
  readonly detail: string
  readonly mend: string
}

/** What an audit saw. */
export interface AuditReport {
  readonly database: string
  readonly tenantColumn: string
  readonly tables: readonly string[]
  readonly unreached: readonly string[]
  readonly roles: readonly string[]
  readonly digest: string
  readonly findings: readonly AuditFinding[]
}

/** What to look for. */
export interface AuditSettings {
  readonly tenantColumn?: string
  readonly storeColumn?: string
  readonly tenantSetting?: string
  readonly schemas?: readonly string[]
  readonly appRoles?: readonly string[]
}

/** What the migration is about. */
interface MigrationSettings {
  readonly tables: readonly string[]
  readonly tenantColumn: string
  readonly tenantType: string
  readonly storeColumn?: string
  readonly keyColumn: string
  readonly appRole: string
}

/** What the command uses of the package. */
interface TenancyPackage {
  readonly TENANT_TYPES: readonly string[]
  tenancyMigration(settings: MigrationSettings): { readonly sql: string; readonly todo: readonly string[] }
  auditDatabase(url: string, settings: AuditSettings): Promise<AuditReport>
}

const PACKAGE: string = '@sallyport/store'

/**
 * Loads it.
 *
 * @throws Failure where it is not installed
 */
export async function loadTenancy(): Promise<TenancyPackage> {
  try {
    return (await import(`${PACKAGE}/tenancy`)) as TenancyPackage
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ERR_MODULE_NOT_FOUND' && message.includes(PACKAGE))
      throw new Failure(`tenancy is a part of a package of its own; install it: npm install ${PACKAGE}`, {
        cause: error,
      })
    throw error
  }
}
