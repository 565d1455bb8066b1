// What the guard needs of `headers`: its setting, and how it enforces it.

import type { Rule } from '../../guard/control.ts'
import { headersContradictions } from './contradictions.ts'
import { emitHeaders } from './enforce.ts'
import { type HeadersSetting, headersDefaults, headersSchema } from './setting.ts'

export const headersRule = {
  name: 'headers',
  id: 'SP-HEADERS-01',
  schema: headersSchema,
  defaults: headersDefaults,
  contradictions: headersContradictions,
  compile: (setting) => ({ emit: emitHeaders(setting) }),
} as const satisfies Rule<HeadersSetting>
