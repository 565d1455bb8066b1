// Tells the refusal of a caller against whom too much is held: what is held against it only its server knows.

import type { Observation } from '../../guard/control.ts'
import { type AuditSetting, fullAudit } from './setting.ts'

/** The status by which the policy may have refused a suspected caller; `undefined` where it can't have. */
export function refusedBySuspicion(setting: AuditSetting, { status, body }: Observation): number | undefined {
  if (status !== 403 && status !== 429) return undefined
  const acts = Object.values(fullAudit(setting)?.acts ?? {}).flat()
  const isBlock = status === 403 && acts.includes('block') && body.includes('"forbidden"')
  const isLock = status === 429 && acts.includes('lock') && body.includes('"locked_out"')
  return isBlock || isLock ? status : undefined
}
