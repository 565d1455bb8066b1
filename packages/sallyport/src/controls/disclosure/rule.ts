// What the guard needs of `disclosure`: its setting, and how it enforces it.

import type { Rule } from '../../guard/control.ts'
import { disclosureContradictions } from './contradictions.ts'
import { compileDisclosure } from './enforce.ts'
import { postureRoutes } from './posture-route.ts'
import { type DisclosureSetting, disclosureSchema } from './setting.ts'

export const disclosureRule = {
  name: 'disclosure',
  id: 'SP-DISCLOSURE-01',
  schema: disclosureSchema,
  wholePolicy: ['securityTxt', 'pgpKey', 'policyPage', 'posture'],
  defaults: {},
  contradictions: disclosureContradictions,
  routes: (base): { readonly [pattern: string]: object } => postureRoutes(base),
  compile: (setting) => compileDisclosure(setting),
} as const satisfies Rule<DisclosureSetting>
