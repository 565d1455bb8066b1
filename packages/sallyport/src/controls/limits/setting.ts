// `limits`: its setting.

import { MODES } from '../../guard/control.ts'
import { type Infer, object, oneOf } from '../../policy/schema.ts'

export const limitsSchema = object({ mode: oneOf(MODES, 'How the control acts.') }, 'Rate limits.')

export type LimitsSetting = Infer<typeof limitsSchema>

export const limitsDefaults: LimitsSetting = {}
