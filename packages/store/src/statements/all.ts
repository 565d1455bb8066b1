// Every statement of the records: the list that a test prepares on both engines.

import type { Statement } from '../statement.ts'
import * as audit from './audit.ts'
import * as keys from './keys.ts'
import * as lockouts from './lockouts.ts'
import * as organisations from './organisations.ts'

/** By the name under which the package exports it. */
export const statements: Readonly<Record<string, Statement>> = {
  ...audit,
  ...organisations,
  ...keys,
  ...lockouts,
}
