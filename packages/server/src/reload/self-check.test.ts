// The trial of a policy before it takes over.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createGuard, type Guard, presets } from 'sallyport'
import { selfCheck } from './self-check.ts'

const guard = createGuard({ extends: 'api', routes: { 'POST /v1/users/:id': {} } }, 'gateway')

test('every preset runs', () => {
  for (const preset of Object.values(presets))
    assert.equal(selfCheck(createGuard(preset, 'gateway')), undefined)
  assert.equal(selfCheck(guard), undefined)
})

test('a control that fails for one cell, or for paths that are not canonical, is found', () => {
  for (const [path, cell] of [
    ['/v1/users/x', 'POST /v1/users/:id'],
    ['/.', ''],
  ] as const) {
    const broken: Guard = {
      ...guard,
      open(incoming) {
        if (incoming.target.startsWith(path)) throw new RangeError('hunter2')
        return guard.open(incoming)
      },
    }
    const fault = selfCheck(broken)
    assert.match(String(fault), /a control failed with RangeError in the cell "/)
    assert.ok(fault?.includes(JSON.stringify(cell).slice(1, -1)))
    assert.doesNotMatch(fault!, /hunter2/)
  }
})
