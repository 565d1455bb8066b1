// The control `lockout`.

import type { Control } from '../../guard/control.ts'
import { compareModes } from '../faces.ts'
import { lockoutRule } from './rule.ts'
import type { LockoutSetting } from './setting.ts'

export const lockout = {
  ...lockoutRule,
  title: 'Guessing protection',
  since: '0.2.0',
  standards: {
    asvs: ['6.1.1', '6.3.1', '6.3.8'],
    api: ['API2'],
    top10: ['A07'],
    nist: ['AC-7', 'IA-5'],
    soc2: ['CC6.1'],
    pci: ['8.3.4'],
  },
  describe: () => ({
    control: 'lockout',
    id: lockoutRule.id,
    title: 'Guessing protection',
    entries: [],
    limits: [],
  }),
  probe: { because: 'nothing is set' },
  compare: compareModes,
} as const satisfies Control<LockoutSetting>
