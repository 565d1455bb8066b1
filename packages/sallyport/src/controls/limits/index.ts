// The control `limits`.

import type { Control } from '../../guard/control.ts'
import { compareLimits } from './compare.ts'
import { describeLimits } from './describe.ts'
import { probeLimits } from './probe.ts'
import { limitsRule } from './rule.ts'
import type { LimitsSetting } from './setting.ts'

export const limits = {
  ...limitsRule,
  title: 'Rate limits',
  since: '0.2.0',
  standards: {
    asvs: ['2.4.1', '15.3.4'],
    api: ['API4'],
    top10: ['A06'],
    nist: ['SC-5', 'SC-6'],
    soc2: ['A1.1', 'CC6.6'],
    pci: ['6.2.4'],
  },
  describe: describeLimits,
  probe: probeLimits,
  compare: compareLimits,
} as const satisfies Control<LimitsSetting>
