// The control `headers`.

import type { Control } from '../../guard/control.ts'
import { compareHeaders } from './compare.ts'
import { describeHeaders } from './describe.ts'
import { probeHeaders } from './probe.ts'
import { headersRule } from './rule.ts'
import type { HeadersSetting } from './setting.ts'

export const headers = {
  ...headersRule,
  title: 'Security headers',
  since: '0.1.0',
  standards: {
    asvs: ['3.4.3', '3.4.4', '3.4.5', '3.4.6', '3.4.7', '3.4.8', '3.5.8', '4.1.1', '3.2.1'],
    api: ['API8'],
    top10: ['A02', 'A05'],
    nist: ['SC-18', 'AC-4', 'CM-6', 'SI-10'],
    soc2: ['CC6.6'],
    pci: ['6.2.4', '6.4.3'],
  },
  describe: describeHeaders,
  probe: probeHeaders,
  compare: compareHeaders,
} as const satisfies Control<HeadersSetting>
