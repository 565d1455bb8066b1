// `access`: its setting.

import { MODES } from '../../guard/control.ts'
import { type Infer, object, oneOf } from '../../policy/schema.ts'

export const accessSchema = object({ mode: oneOf(MODES, 'How the control acts.') }, 'Access.')

export type AccessSetting = Infer<typeof accessSchema>

export const accessDefaults: AccessSetting = {}
