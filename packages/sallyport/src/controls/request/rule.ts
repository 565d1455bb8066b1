// What the guard needs of `request`: its setting, and how it enforces it.

import type { Rule } from '../../guard/control.ts'
import { compileRequest } from './enforce.ts'
import {
  type RequestSetting,
  requestContradictions,
  requestDefaults,
  requestSchema,
  strictRequest,
} from './setting.ts'

export const requestRule = {
  name: 'request',
  id: 'SP-REQUEST-01',
  schema: requestSchema,
  wholePolicy: ['nonCanonical'],
  defaults: requestDefaults,
  contradictions: requestContradictions,
  strict: strictRequest,
  tells: 'request.refused',
  compile: compileRequest,
} as const satisfies Rule<RequestSetting>
