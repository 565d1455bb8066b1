// All cases, for every front end: adapters, frameworks, the gateway.

import type { RawCase } from './case.ts'
import { chunks } from './cases/chunks.ts'
import { fields } from './cases/fields.ts'
import { framing } from './cases/framing.ts'
import { host11 } from './cases/host.ts'
import { requestLine } from './cases/request-line.ts'
import { target } from './cases/target.ts'

export const rawCases: readonly RawCase[] = [
  ...requestLine,
  ...target,
  ...host11,
  ...fields,
  ...framing,
  ...chunks,
]
