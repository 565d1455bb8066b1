// What the guard needs of `keys`: its setting, and how it enforces it.

import type { Rule } from '../../guard/control.ts'
import { keysContradictions } from './contradictions.ts'
import { compileKeys } from './enforce.ts'
import { leakRoutes } from './leak-route.ts'
import { selfServiceRoutes } from './self-service/route.ts'
import {
  fullSelfService,
  fullSetting,
  type KeysSetting,
  keysDefaults,
  keysSchema,
  strictKeys,
} from './setting.ts'

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
    'selfService',
  ],
  defaults: keysDefaults,
  contradictions: keysContradictions,
  strict: strictKeys,
  routes: (base): { readonly [pattern: string]: object } => ({
    ...leakRoutes(base),
    ...selfServiceRoutes(base),
  }),
  keptAs: 'keys',
  missing(setting, cell, services) {
    if (fullSetting(setting, cell) !== undefined && services.keys === undefined)
      return 'give the guard what knows the keys: services: { keys: createKeyRing(records) } of sallyport/keys'
    return fullSelfService(setting) !== undefined && services.keyAdministrator === undefined
      ? 'give the guard who works on keys: services: { keyAdministrator: keyAdministrator(store, …) } of @sallyport/store (keys.selfService)'
      : undefined
  },
  // What is wrong with a key, and work on keys that is refused, it tells itself.
  tells: {
    ambiguous_credentials: 'access.denied',
    duplicate_header: 'access.denied',
    too_many_failures: 'limit.exceeded',
  },
  compile: compileKeys,
} as const satisfies Rule<KeysSetting>
