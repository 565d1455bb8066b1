// What the guard needs of `cache`: its setting, and how it enforces it.

import type { Rule } from '../../guard/control.ts'
import { compileCache } from './enforce.ts'
import { type CacheSetting, cacheContradictions, cacheDefaults, cacheSchema } from './setting.ts'

export const cacheRule = {
  name: 'cache',
  id: 'SP-CACHE-01',
  schema: cacheSchema,
  defaults: cacheDefaults,
  contradictions: cacheContradictions,
  strict: () => ({ owner: 'policy' }),
  compile: compileCache,
} as const satisfies Rule<CacheSetting>
