// The guard's list and the page's list name the same controls.

import assert from 'node:assert/strict'
import { it } from 'node:test'
import { rules } from '../guard/resolve.ts'
import { controls } from './register.ts'

it('every rule that the guard enforces has its faces on the page, in the same order', () => {
  assert.deepEqual(
    controls.map((control) => [control.name, control.id]),
    rules.map((rule) => [rule.name, rule.id]),
  )
})

it('no two controls share a name or an id', () => {
  assert.equal(new Set(controls.map((control) => control.name)).size, controls.length)
  assert.equal(new Set(controls.map((control) => control.id)).size, controls.length)
})
