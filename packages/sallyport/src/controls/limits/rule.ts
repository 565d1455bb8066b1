// What the guard needs of `limits`: its setting, and how it enforces it.

import type { Rule } from '../../guard/control.ts'
import { type LimitsSetting, limitsDefaults, limitsSchema } from './setting.ts'

export const limitsRule = {
  name: 'limits',
  id: 'SP-LIMITS-01',
  schema: limitsSchema,
  defaults: limitsDefaults,
} as const satisfies Rule<LimitsSetting>
