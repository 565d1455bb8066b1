// The control `client`.

import type { Control } from '../../guard/control.ts'
import { compareClient, describeClient, probeClient } from './faces.ts'
import { clientRule } from './rule.ts'
import type { ClientSetting } from './setting.ts'

export const client = {
  ...clientRule,
  title: 'Client address and request identity',
  since: '0.1.0',
  standards: {
    asvs: ['4.1.3', '15.3.4', '16.2.1'],
    api: ['API8'],
    top10: ['A02', 'A09'],
    nist: ['AU-3', 'SC-7'],
    soc2: ['CC6.6', 'CC7.2'],
    pci: ['10.2.2'],
  },
  describe: describeClient,
  probe: probeClient,
  compare: compareClient,
} as const satisfies Control<ClientSetting>
