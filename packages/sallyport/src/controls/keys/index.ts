// The control `keys`.

import type { Control } from '../../guard/control.ts'
import { compareKeys } from './compare.ts'
import { describeKeys } from './describe.ts'
import { probeKeys } from './probe.ts'
import { keysRule } from './rule.ts'
import type { KeysSetting } from './setting.ts'

export const keys = {
  ...keysRule,
  title: 'API keys',
  since: '0.2.0',
  standards: {
    asvs: ['6.5.2', '14.2.1', '11.4.1'],
    api: ['API2'],
    top10: ['A07'],
    nist: ['IA-5', 'IA-9'],
    soc2: ['CC6.1'],
    pci: ['8.3.2', '8.6.3'],
  },
  describe: describeKeys,
  probe: probeKeys,
  compare: compareKeys,
} as const satisfies Control<KeysSetting>
