// The control `cache`.

import type { Control } from '../../guard/control.ts'
import { compileCache } from './enforce.ts'
import { compareCache, describeCache, probeCache } from './faces.ts'
import { type CacheSetting, cacheContradictions, cacheDefaults, cacheSchema } from './setting.ts'

export const cache = {
  name: 'cache',
  id: 'SP-CACHE-01',
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
  schema: cacheSchema,
  defaults: cacheDefaults,
  contradictions: cacheContradictions,
  strict: () => ({ owner: 'policy' }),
  compile: compileCache,
  describe: describeCache,
  probe: probeCache,
  compare: compareCache,
} as const satisfies Control<CacheSetting>
