// `lockout`: its setting.

import { MODES } from '../../guard/control.ts'
import { type Infer, object, oneOf } from '../../policy/schema.ts'

export const lockoutSchema = object({ mode: oneOf(MODES, 'How the control acts.') }, 'Guessing protection.')

export type LockoutSetting = Infer<typeof lockoutSchema>

export const lockoutDefaults: LockoutSetting = {}
