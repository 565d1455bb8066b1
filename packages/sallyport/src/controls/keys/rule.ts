// What the guard needs of `keys`: its setting, and how it enforces it.

import type { Rule } from '../../guard/control.ts'
import { keysContradictions } from './contradictions.ts'
import { compileKeys } from './enforce.ts'
import { leakRoutes } from './leak-route.ts'
import { fullSetting, type KeysSetting, keysDefaults, keysSchema, strictKeys } from './setting.ts'

export const keysRule = {
  name: 'keys',
  id: 'SP-KEYS-01',
  schema: keysSchema,
  wholePolicy: [
    'vendor',
    'environment',
    'header',
    'overlapSeconds',
    'expiresAfterDays',
    'failuresPerMinute',
    'leakReports',
  ],
  defaults: keysDefaults,
  contradictions: keysContradictions,
  strict: strictKeys,
  routes: (base): { readonly [pattern: string]: object } => leakRoutes(base),
  keptAs: 'keys',
  missing: (setting, cell, services) =>
    fullSetting(setting, cell) !== undefined && services.keys === undefined
      ? 'give the guard what knows the keys: services: { keys: createKeyRing(records) } of sallyport/keys'
      : undefined,
  compile: compileKeys,
} as const satisfies Rule<KeysSetting>
