// What the guard needs of `access`: its setting, and how it enforces it.

import type { Rule } from '../../guard/control.ts'
import { type AccessSetting, accessDefaults, accessSchema } from './setting.ts'

export const accessRule = {
  name: 'access',
  id: 'SP-ACCESS-01',
  schema: accessSchema,
  defaults: accessDefaults,
} as const satisfies Rule<AccessSetting>
