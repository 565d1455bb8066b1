// The control `cache`.

import type { Control } from '../../guard/control.ts'
import { compareCache, describeCache, probeCache } from './faces.ts'
import { cacheRule } from './rule.ts'
import type { CacheSetting } from './setting.ts'

export const cache = {
  ...cacheRule,
  title: 'Caching',
  since: '0.1.0',
  standards: {
    asvs: ['14.2.2', '14.2.5', '14.3.2', '14.3.1'],
    api: ['API8'],
    top10: ['A02'],
    nist: ['SC-4', 'SC-28'],
    soc2: ['CC6.1', 'CC6.7'],
    pci: [],
  },
  describe: describeCache,
  probe: probeCache,
  compare: compareCache,
} as const satisfies Control<CacheSetting>
