// The control `access`: who may call what, decided before the application is asked.

import type { Control } from '../../guard/control.ts'
import { compareAccess } from './compare.ts'
import { describeAccess } from './describe.ts'
import { probeAccess } from './probe.ts'
import { accessRule } from './rule.ts'
import type { AccessSetting } from './setting.ts'

export const access = {
  ...accessRule,
  title: 'Access',
  since: '0.2.0',
  standards: {
    asvs: ['8.2.1', '8.3.1', '10.3.1'],
    api: ['API1', 'API2', 'API5'],
    top10: ['A01'],
    nist: ['AC-3', 'AC-6', 'IA-2'],
    soc2: ['CC6.1', 'CC6.3'],
    pci: ['7.2.1', '7.2.2', '7.3.3'],
  },
  describe: describeAccess,
  probe: probeAccess,
  compare: compareAccess,
} as const satisfies Control<AccessSetting>
