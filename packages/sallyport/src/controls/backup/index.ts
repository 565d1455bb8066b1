// The control `backup`.

import type { Control } from '../../guard/control.ts'
import { compareBackup, describeBackup } from './faces.ts'
import { backupRule } from './rule.ts'
import type { BackupSetting } from './setting.ts'

export const backup = {
  ...backupRule,
  title: 'Backups and encryption at rest',
  since: '0.2.0',
  standards: {
    asvs: ['14.2.4'],
    api: [],
    top10: ['A08'],
    nist: ['CP-9', 'CP-10', 'SC-28'],
    soc2: ['A1.2', 'A1.3'],
    pci: ['12.10.1'],
  },
  describe: describeBackup,
  probe: {
    because:
      'backups and disks are not to be seen from outside; a gateway proves each backup by restoring it, and sallyport backup check looks at a PostgreSQL server',
  },
  compare: compareBackup,
} as const satisfies Control<BackupSetting>
