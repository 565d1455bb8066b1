// What the guard needs of `audit`: its setting, and how it enforces it.

import type { Rule } from '../../guard/control.ts'
import { auditContradictions } from './contradictions.ts'
import { compileAudit } from './enforce.ts'
import { type AuditSetting, auditDefaults, auditSchema, fullAudit } from './setting.ts'

export const auditRule = {
  name: 'audit',
  id: 'SP-AUDIT-01',
  schema: auditSchema,
  wholePolicy: ['record', 'retentionDays', 'risk'],
  defaults: auditDefaults,
  keptAs: 'audit',
  contradictions: auditContradictions,
  missing(setting, _cell, services) {
    const full = fullAudit(setting)
    if (full?.record === true && services.audit === undefined)
      return 'give the guard a log: services: { audit: await openAuditLog({ database, … }) } of @sallyport/store/audit; a gateway has one where its configuration names a store'
    return full !== undefined && services.risk === undefined
      ? 'give the guard what remembers risks: services: { risk: createRiskBook() } of sallyport/audit, the same that the log has'
      : undefined
  },
  tells: { forbidden: 'risk.refused', locked_out: 'risk.refused', step_up_required: 'risk.refused' },
  compile: compileAudit,
} as const satisfies Rule<AuditSetting>
