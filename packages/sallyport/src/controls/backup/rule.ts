// What the guard needs of `backup`: its setting. It acts on the records, not on requests.

import type { Rule } from '../../guard/control.ts'
import { type BackupSetting, backupContradictions, backupDefaults, backupSchema } from './setting.ts'

export const backupRule = {
  name: 'backup',
  id: 'SP-BACKUP-01',
  schema: backupSchema,
  wholePolicy: ['mode', 'everySeconds', 'keep', 'encryptionAtRest', 'pointInTime'],
  defaults: backupDefaults,
  contradictions: backupContradictions,
} as const satisfies Rule<BackupSetting>
