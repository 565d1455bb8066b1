// What the guard needs of `client`: its setting, and how it enforces it.

import type { Rule } from '../../guard/control.ts'
import { compileClient } from './enforce.ts'
import { type ClientSetting, clientContradictions, clientDefaults, clientSchema } from './setting.ts'

export const clientRule = {
  name: 'client',
  id: 'SP-CLIENT-01',
  schema: clientSchema,
  wholePolicy: ['trustedProxies', 'forwarded', 'forwardedHost'],
  defaults: clientDefaults,
  contradictions: clientContradictions,
  compile: (setting, _cell, needs) => compileClient(setting, needs),
} as const satisfies Rule<ClientSetting>
