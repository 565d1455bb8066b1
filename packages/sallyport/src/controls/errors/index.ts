// The control `errors`: every refusal is a problem document whose type is a page, and an application's 5xx body never
// reaches a caller.

import { codeForStatus, type ErrorCode } from '../../errors/catalogue.ts'
import type { CellInfo } from '../../guard/cell.ts'
import type { Control, EmitStage, Seen, Stage } from '../../guard/control.ts'
import { compareErrors, describeErrors, probeErrors } from './faces.ts'
import { answerPage, mayHoldPages } from './pages.ts'
import { type ErrorsSetting, errorsDefaults, errorsSchema } from './setting.ts'

function compile(setting: ErrorsSetting, cell: CellInfo): Stage {
  const emit = REPLACING[setting.replaceBodies ?? 'none']
  return { ...(mayHoldPages(cell) ? { admit: answerPage } : {}), ...(emit ? { emit } : {}) }
}

const REPLACING: Readonly<Record<'none' | 'server' | 'unshaped', EmitStage | undefined>> = {
  none: undefined,
  server: { replaceBody: (status) => (status >= 500 ? codeForStatus(status) : undefined) },
  unshaped: { watches: ['content-type'], replaceBody: replacesUnshaped },
}

function replacesUnshaped(status: number, seen: Seen): ErrorCode | undefined {
  if (status < 400) return undefined
  if (status >= 500) return codeForStatus(status)
  const type = seen.get('content-type')?.toLowerCase() ?? ''
  return /^application\/(?:[\w.-]{1,100}\+)?json(?:$|[\s;])/.test(type) ? undefined : codeForStatus(status)
}

export const errors = {
  name: 'errors',
  id: 'SP-ERRORS-01',
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
  schema: errorsSchema,
  defaults: errorsDefaults,
  compile,
  describe: describeErrors,
  probe: probeErrors,
  compare: compareErrors,
} as const satisfies Control<ErrorsSetting>
