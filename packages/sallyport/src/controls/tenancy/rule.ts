// What the guard needs of `tenancy`: its setting. It acts in the database, not on requests.

import type { Rule } from '../../guard/control.ts'
import { type TenancySetting, tenancyContradictions, tenancyDefaults, tenancySchema } from './setting.ts'

export const tenancyRule = {
  name: 'tenancy',
  id: 'SP-TENANCY-01',
  schema: tenancySchema,
  wholePolicy: ['mode', 'enforcedBy', 'by'],
  defaults: tenancyDefaults,
  contradictions: tenancyContradictions,
} as const satisfies Rule<TenancySetting>
