// What the guard needs of `limits`: its setting, and how it enforces it.

import type { CellInfo } from '../../guard/cell.ts'
import type { Rule } from '../../guard/control.ts'
import type { Services } from '../../ports/services.ts'
import { limitsContradictions } from './contradictions.ts'
import { compileLimits } from './enforce.ts'
import { strictLimits } from './order.ts'
import { type LimitsSetting, limitsDefaults, limitsSchema } from './setting.ts'

function missing({ shed }: LimitsSetting, _cell: CellInfo, { load }: Services): string | undefined {
  return shed && load === undefined
    ? 'give services.load, how late the process runs in milliseconds (eventLoopDelay of sallyport/counters), or remove limits.shed'
    : undefined
}

export const limitsRule = {
  name: 'limits',
  id: 'SP-LIMITS-01',
  schema: limitsSchema,
  defaults: limitsDefaults,
  contradictions: limitsContradictions,
  strict: strictLimits,
  missing,
  compile: (setting, _cell, needs) => compileLimits(setting, needs),
} as const satisfies Rule<LimitsSetting>
