// What the guard needs of `transport`: its setting, and how it enforces it.

import type { Rule } from '../../guard/control.ts'
import { compileTransport } from './enforce.ts'
import {
  type TransportSetting,
  transportContradictions,
  transportDefaults,
  transportSchema,
} from './setting.ts'

export const transportRule = {
  name: 'transport',
  id: 'SP-TLS-01',
  schema: transportSchema,
  wholePolicy: ['tls', 'minVersion'],
  defaults: transportDefaults,
  contradictions: transportContradictions,
  tells: 'transport.refused',
  compile: (setting, _cell, needs) => compileTransport(setting, needs),
} as const satisfies Rule<TransportSetting>
