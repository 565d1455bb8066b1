// What the guard needs of `lockout`: its setting, and how it enforces it.

import type { Rule } from '../../guard/control.ts'
import { type LockoutSetting, lockoutDefaults, lockoutSchema } from './setting.ts'

export const lockoutRule = {
  name: 'lockout',
  id: 'SP-LOCKOUT-01',
  schema: lockoutSchema,
  defaults: lockoutDefaults,
} as const satisfies Rule<LockoutSetting>
