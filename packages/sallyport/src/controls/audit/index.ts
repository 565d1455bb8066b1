// The control `audit`: what happens is kept in a log that proves itself, and whoever does too much of it is stopped.

import type { Control } from '../../guard/control.ts'
import { compareAudit } from './compare.ts'
import { describeAudit } from './describe.ts'
import { auditRule } from './rule.ts'
import type { AuditSetting } from './setting.ts'

export const audit = {
  ...auditRule,
  title: 'Audit log',
  since: '0.2.0',
  standards: {
    asvs: ['16.2.1', '16.3.1', '16.3.2', '16.4.2'],
    api: ['API6'],
    top10: ['A09'],
    nist: ['AU-2', 'AU-3', 'AU-9', 'AU-10', 'SI-4'],
    soc2: ['CC7.2', 'CC7.3'],
    pci: ['10.2.1', '10.2.2', '10.3.2', '10.3.4', '10.5.1'],
  },
  describe: describeAudit,
  probe: { because: 'a log is inside: `sallyport audit verify` checks it against its signed checkpoints' },
  compare: compareAudit,
} as const satisfies Control<AuditSetting>
