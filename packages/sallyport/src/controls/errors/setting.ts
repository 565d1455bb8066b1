// `errors`: which error bodies of the application are replaced.

import { MODES } from '../../guard/control.ts'
import { type Infer, object, oneOf } from '../../policy/schema.ts'

export const errorsSchema = object(
  {
    mode: oneOf(MODES, 'How the control acts.'),
    replaceBodies: oneOf(
      ['none', 'server', 'unshaped'],
      'Which error bodies of the application are replaced by a problem document: none; those of 5xx; those of 5xx and every other error body that is not JSON.',
    ),
  },
  'Errors as RFC 9457 problem documents.',
)

export type ErrorsSetting = Infer<typeof errorsSchema>

export const errorsDefaults: ErrorsSetting = { replaceBodies: 'server' }
