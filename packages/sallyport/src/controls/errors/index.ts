// The control `errors`: every refusal is a problem document whose type is a page, and an application's 5xx body never
// reaches a caller.

import type { Control } from '../../guard/control.ts'
import { compareErrors, describeErrors, probeErrors } from './faces.ts'
import { errorsRule } from './rule.ts'
import type { ErrorsSetting } from './setting.ts'

export const errors = {
  ...errorsRule,
  title: 'Errors',
  since: '0.1.0',
  standards: {
    asvs: ['16.5.1', '16.5.3', '16.5.4', '13.4.2'],
    api: ['API8'],
    top10: ['A10'],
    nist: ['SI-11'],
    soc2: ['CC7.2'],
    pci: ['6.2.4'],
  },
  describe: describeErrors,
  probe: probeErrors,
  compare: compareErrors,
} as const satisfies Control<ErrorsSetting>
