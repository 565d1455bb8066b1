// What the guard needs of `errors`: its setting, and how it enforces it.

import { codeForStatus, type ErrorCode } from '../../errors/catalogue.ts'
import type { CellInfo } from '../../guard/cell.ts'
import type { EmitStage, Rule, Seen, Stage } from '../../guard/control.ts'
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

export const errorsRule = {
  name: 'errors',
  id: 'SP-ERRORS-01',
  schema: errorsSchema,
  defaults: errorsDefaults,
  compile,
} as const satisfies Rule<ErrorsSetting>
