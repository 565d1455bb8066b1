// The list of mutations is long, names each one once, and comes from the catalogue.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { findingKinds } from '../../src/posture/findings.ts'
import { groups, mutations } from './list.ts'

describe('the list of mutations', () => {
  it('has at least 150, each with a name of its own', () => {
    assert.ok(mutations.length >= 150, `${mutations.length}`)
    assert.equal(new Set(mutations.map(({ id }) => id)).size, mutations.length)
  })

  it('takes each from the catalogue', () => {
    for (const { id, from } of mutations) assert.ok(findingKinds.has(from), `${id}: ${from}`)
  })

  it('breaks something in each', () => {
    for (const { id, answer, accepts, listener, loses } of mutations)
      assert.ok(answer ?? accepts ?? listener ?? loses, id)
    for (const [name, list] of Object.entries(groups)) assert.ok(list.length >= 10, name)
  })
})
