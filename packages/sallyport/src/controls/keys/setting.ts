// `keys`: its setting.

import { MODES } from '../../guard/control.ts'
import { type Infer, object, oneOf } from '../../policy/schema.ts'

export const keysSchema = object({ mode: oneOf(MODES, 'How the control acts.') }, 'API keys.')

export type KeysSetting = Infer<typeof keysSchema>

export const keysDefaults: KeysSetting = {}
