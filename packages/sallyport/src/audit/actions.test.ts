// The table of actions in docs/audit.md is what the log writes.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { AUDIT_ACTIONS } from '../ports/audit.ts'
import { ACTIONS } from './actions.ts'
import { DEFAULT_SIGNALS, SIGNAL_NAMES } from './signals.ts'

const docs = readFileSync(new URL('../../../../docs/audit.md', import.meta.url), 'utf8')

test('H19 every action stands in the docs with its class, severity and who tells of it', () => {
  const rows = [
    ...docs.matchAll(/^\| `([\w.]+)` \| ([^|]+) \| (\d+)\/(\d+) \| (\d) \| (\w+) \| ([^|]+) \|$/gm),
  ]
  assert.deepEqual(
    rows.map(([, action]) => action),
    [...AUDIT_ACTIONS],
  )
  for (const [, action, title, classUid, activityId, severityId, owasp] of rows)
    assert.deepEqual(
      {
        title,
        classUid: Number(classUid),
        activityId: Number(activityId),
        severityId: Number(severityId),
        owasp,
      },
      ACTIONS[action as keyof typeof ACTIONS],
    )
})

test('every signal stands in the docs with its weight', () => {
  const table = docs.slice(docs.indexOf('| signal |'), docs.indexOf('Worked:'))
  const found = [...table.matchAll(/^\| ([^|]+) \| ([^|]+) \|/gm)].flatMap(([, names, points]) =>
    [...names!.matchAll(/`([\w.]+)`/g)].map(([, name], index) => {
      const each = points!.split(', ')
      return [name, Number(each[index] ?? each[0])] as const
    }),
  )
  const wanted = SIGNAL_NAMES.flatMap((name) => {
    const signal = DEFAULT_SIGNALS[name]
    return signal ? [[name, signal.weight] as const] : []
  })
  assert.deepEqual(new Map([...found].sort()), new Map([...wanted].sort()))
})
