import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { PolicyDocument } from '../../guard/policy.ts'
import { resolvedFor, resolvePolicy } from '../../guard/resolve.ts'
import { headers } from './index.ts'
import { STRIPPED } from './stripped.ts'

function page(policy: PolicyDocument, place: 'node' | 'gateway' | 'fetch' = 'node') {
  return headers.describe(resolvedFor(resolvePolicy(policy), headers), place)
}

describe('the page on headers', () => {
  it('D19 lists every header that is left out on purpose, each with its reason', () => {
    const { entries } = page({ extends: 'api' })
    for (const name of Object.keys(STRIPPED)) {
      const entry = entries.find((one) => one.name.toLowerCase() === name && one.value === 'never sent')
      assert.equal(entry?.why, STRIPPED[name])
    }
    const coep = entries.find(({ name }) => name === 'Cross-Origin-Embedder-Policy')
    assert.equal(coep?.value, 'never sent')
    assert.match(coep.why, /embed/)
  })

  it('D21 has one sentence of reason for each value', () => {
    for (const preset of ['api', 'payments', 'commerce', 'recommended'] as const)
      for (const { name, why, value } of page({ extends: preset }).entries) {
        assert.match(why, /^[A-Z].{15,}\.$/, name)
        assert.notEqual(value, '')
      }
  })

  it('D21 names the cells where a value differs', () => {
    const { entries } = page({
      headers: { frameOptions: 'DENY' },
      routes: { '/embed/*': { headers: { frameOptions: 'SAMEORIGIN' } } },
    })
    const framing = entries.filter(({ name }) => name === 'X-Frame-Options')
    assert.deepEqual(
      framing.map(({ value, cells }) => [value, cells]),
      [
        ['SAMEORIGIN', ['/embed/*']],
        ['DENY', ['*', '!']],
      ],
    )
  })

  it('says which answers carry the headers, and what a place cannot reach', () => {
    assert.match(page({}, 'node').entries[0]!.value, /400, 408, 413, 417, 431/)
    assert.match(page({}, 'fetch').entries[0]!.value, /not what the host answers/)
    assert.ok(page({}, 'fetch').limits.some((limit) => /answered by the host/.test(limit)))
    assert.ok(page({}, 'node').limits.every((limit) => !/answered by the host/.test(limit)))
  })

  it('says what is left to the application', () => {
    const { limits } = page({ extends: 'api' })
    assert.ok(limits.some((limit) => /application’s own: Content-Security-Policy,/.test(limit)))
    assert.ok(limits.some((limit) => /frame-ancestors of its own would decide/.test(limit)))
    assert.ok(page({ headers: { mode: 'off' } }).limits.some((limit) => /off/.test(limit)))
  })
})
