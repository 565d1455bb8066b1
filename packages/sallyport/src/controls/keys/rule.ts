// What the guard needs of `keys`: its setting, and how it enforces it.

import type { Rule } from '../../guard/control.ts'
import { type KeysSetting, keysDefaults, keysSchema } from './setting.ts'

export const keysRule = {
  name: 'keys',
  id: 'SP-KEYS-01',
  schema: keysSchema,
  defaults: keysDefaults,
} as const satisfies Rule<KeysSetting>
