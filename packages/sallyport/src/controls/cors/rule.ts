// What the guard needs of `cors`: its setting, and how it enforces it.

import type { Rule } from '../../guard/control.ts'
import { corsContradictions } from './contradictions.ts'
import { compileCors } from './enforce.ts'
import { type CorsSetting, corsSchema, strictCors } from './setting.ts'

export const corsRule = {
  name: 'cors',
  id: 'SP-CORS-01',
  schema: corsSchema,
  defaults: {},
  contradictions: corsContradictions,
  strict: strictCors,
  tells: 'cors.denied',
  compile: (setting, cell) => compileCors(setting, cell),
} as const satisfies Rule<CorsSetting>
