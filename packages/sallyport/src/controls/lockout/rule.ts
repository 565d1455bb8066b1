// What the guard needs of `lockout`: its setting, and how it enforces it.

import type { Rule } from '../../guard/control.ts'
import { lockoutContradictions } from './contradictions.ts'
import { compileLockout, missingForLockout } from './enforce.ts'
import { type LockoutSetting, lockoutDefaults, lockoutSchema, strictLockout } from './setting.ts'

export const lockoutRule = {
  name: 'lockout',
  id: 'SP-LOCKOUT-01',
  schema: lockoutSchema,
  // What surges is the site: two numbers for it would be two sites.
  wholePolicy: ['surge'],
  defaults: lockoutDefaults,
  contradictions: lockoutContradictions,
  strict: strictLockout,
  keptAs: 'lockouts',
  missing: missingForLockout,
  compile: (setting, _cell, needs) => compileLockout(setting, needs),
} as const satisfies Rule<LockoutSetting>
