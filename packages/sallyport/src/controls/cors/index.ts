// The control `cors`.

import type { Control } from '../../guard/control.ts'
import { compareCors } from './compare.ts'
import { describeCors } from './describe.ts'
import { probeCors } from './probe.ts'
import { corsRule } from './rule.ts'
import type { CorsSetting } from './setting.ts'

export const cors = {
  ...corsRule,
  title: 'Cross-origin requests',
  since: '0.1.0',
  standards: {
    asvs: ['3.4.2', '3.5.1', '3.5.2'],
    api: ['API8'],
    top10: ['A01', 'A02'],
    nist: ['AC-4'],
    soc2: ['CC6.6'],
    pci: ['6.2.4'],
  },
  describe: describeCors,
  probe: probeCors,
  compare: compareCors,
} as const satisfies Control<CorsSetting>
