// The control `transport`.

import type { Control } from '../../guard/control.ts'
import { compareTransport } from './compare.ts'
import { describeTransport, probeTransport } from './faces.ts'
import { transportRule } from './rule.ts'
import type { TransportSetting } from './setting.ts'

export const transport = {
  ...transportRule,
  title: 'Transport',
  since: '0.1.0',
  standards: {
    asvs: ['12.1.1', '12.2.1', '12.2.2', '3.4.1', '3.7.4', '4.1.2'],
    api: ['API8'],
    top10: ['A04', 'A02'],
    nist: ['SC-8', 'SC-8(1)', 'SC-13', 'SC-23'],
    soc2: ['CC6.7'],
    pci: ['4.2.1'],
  },
  describe: describeTransport,
  probe: probeTransport,
  compare: compareTransport,
} as const satisfies Control<TransportSetting>
