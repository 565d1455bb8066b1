// Audits the database behind a URL.

import { patientClient } from '../../server/settings.ts'
import { AuditImpossible, type AuditSettings, auditTenancy, type TenancyReport } from './audit.ts'

/**
 * Connects, looks, and goes. Any role may look: nothing but the catalogues is read, in a transaction that only reads.
 *
 * @throws AuditImpossible; the URL stands in no message, since it may hold a password
 */
export async function auditDatabase(url: string, settings: AuditSettings = {}): Promise<TenancyReport> {
  const client = patientClient(url)
  client.on('error', () => {})
  try {
    await client.connect()
  } catch (error) {
    throw new AuditImpossible(unreachable(error as { readonly code?: string }))
  }
  try {
    return await auditTenancy(client, settings)
  } finally {
    await client.end().catch(() => {})
  }
}

// Class 28 is the login, 3D000 the database (PostgreSQL 15, appendix A).
function unreachable({ code = 'no answer' }: { readonly code?: string }): string {
  if (code.startsWith('28'))
    return `the server does not let this role in (${code}); check its name and password`
  if (code === '3D000') return 'the server has no such database (3D000); check its name'
  return `the server can’t be reached (${code}); check host and port`
}
