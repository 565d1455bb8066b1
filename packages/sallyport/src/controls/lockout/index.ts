// The control `lockout`.

import type { Control } from '../../guard/control.ts'
import { compareLockout } from './compare.ts'
import { describeLockout } from './describe.ts'
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
  describe: describeLockout,
  probe: {
    because:
      'it shows only after several wrong guesses, which would count for an account and for the address that verifies',
  },
  compare: compareLockout,
} as const satisfies Control<LockoutSetting>
