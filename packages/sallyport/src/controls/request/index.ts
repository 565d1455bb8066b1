// The control `request`.

import type { Control } from '../../guard/control.ts'
import { compareRequest } from './compare.ts'
import { describeRequest } from './faces.ts'
import { probeRequest } from './probe.ts'
import { requestRule } from './rule.ts'
import type { RequestSetting } from './setting.ts'

export const request = {
  ...requestRule,
  title: 'Request form',
  since: '0.1.0',
  standards: {
    asvs: ['1.1.1', '2.2.1', '4.1.4', '4.2.1', '4.2.3', '13.4.4'],
    api: ['API4', 'API8'],
    top10: ['A02', 'A05'],
    nist: ['SI-10', 'SC-5'],
    soc2: ['CC6.6', 'PI1.2'],
    pci: ['6.2.4'],
  },
  describe: describeRequest,
  probe: probeRequest,
  compare: compareRequest,
} as const satisfies Control<RequestSetting>
