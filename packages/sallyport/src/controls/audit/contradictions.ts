// What a policy must not say about the log: events that every request would be, or that nothing keeps.

import type { CellInfo } from '../../guard/cell.ts'
import type { PolicyProblem } from '../../policy/problem.ts'
import { problem } from '../../policy/schema.ts'
import type { AuditSetting } from './setting.ts'

/** Every contradiction of one setting. */
export function auditContradictions(setting: AuditSetting, cell: CellInfo): readonly PolicyProblem[] {
  const { event, mode } = setting
  if (event === undefined || mode === 'off') return []
  if (cell.origin === 'default')
    return [
      problem(
        'event',
        'contradiction',
        'stands at the top level, so every answer would be one',
        event,
        'write it in the route that it is of: routes: { "POST /v1/sign-out": { audit: { event: … } } }',
      ),
    ]
  if (event.action === undefined)
    return [
      problem(
        'event',
        'missing',
        'does not say what happened',
        event,
        'write event: { action: "session.ended" }',
      ),
    ]
  return setting.record === true
    ? []
    : [
        problem(
          'event',
          'contradiction',
          'is told to a log that is not kept',
          event,
          'write audit: { record: true } at the top level',
        ),
      ]
}
