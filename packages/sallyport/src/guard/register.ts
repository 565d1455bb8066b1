// The register of the controls' rules, and THE order in which they act. A new control is one new folder and one line
// here; its line in posture/register.ts puts it on the page, in `verify` and in `diff`.

import { accessRule } from '../controls/access/rule.ts'
import { auditRule } from '../controls/audit/rule.ts'
import { backupRule } from '../controls/backup/rule.ts'
import { cacheRule } from '../controls/cache/rule.ts'
import { clientRule } from '../controls/client/rule.ts'
import { corsRule } from '../controls/cors/rule.ts'
import { disclosureRule } from '../controls/disclosure/rule.ts'
import { errorsRule } from '../controls/errors/rule.ts'
import { headersRule } from '../controls/headers/rule.ts'
import { keysRule } from '../controls/keys/rule.ts'
import { limitsRule } from '../controls/limits/rule.ts'
import { lockoutRule } from '../controls/lockout/rule.ts'
import { requestRule } from '../controls/request/rule.ts'
import { tenancyRule } from '../controls/tenancy/rule.ts'
import { transportRule } from '../controls/transport/rule.ts'

/** Every rule, in the order of the posture page. */
export const register = [
  transportRule,
  headersRule,
  cacheRule,
  corsRule,
  clientRule,
  requestRule,
  limitsRule,
  keysRule,
  accessRule,
  lockoutRule,
  tenancyRule,
  auditRule,
  backupRule,
  errorsRule,
  disclosureRule,
] as const

/**
 * The way in: who judges first. `early` is what a control judges before it is known who calls, `answer` what it serves
 * when all have judged.
 */
export const admitOrder = [
  ['client', 'admit'],
  ['request', 'admit'],
  ['transport', 'admit'],
  ['cors', 'admit'],
  ['disclosure', 'admit'],
  ['errors', 'admit'],
  ['limits', 'early'],
  ['keys', 'admit'],
  ['access', 'admit'],
  ['audit', 'admit'],
  ['lockout', 'admit'],
  ['limits', 'admit'],
  ['access', 'answer'],
  ['keys', 'answer'],
] as const

/** The way out, for every answer, denials and crashes included. */
export const emitOrder = [
  'errors',
  'cache',
  'headers',
  'transport',
  'cors',
  'client',
  'limits',
  'keys',
  'access',
  'lockout',
  'audit',
] as const
