// The vocabulary is whole, and the controls speak no other words.

import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { findingKind, findingKinds, SEVERITIES } from './findings.ts'

const source = fileURLToPath(new URL('..', import.meta.url))

test('every kind has a severity, a meaning and a requirement', () => {
  assert.ok(findingKinds.size >= 108)
  for (const kind of findingKinds.values()) {
    assert.match(kind.id, /^[a-z]+\.[a-z0-9-]+$/)
    assert.ok(SEVERITIES.includes(kind.severity), kind.id)
    assert.ok(kind.meaning.length > 10 && kind.standards.every((id) => id !== ''), kind.id)
  }
})

test('an id that nobody declared is shown as it is', () => {
  assert.equal(findingKind('nobody.declared').meaning, 'nobody.declared')
})

test('every id in the faces of the controls is in the vocabulary', () => {
  const families = new Set([...findingKinds.keys()].map((id) => id.split('.')[0]))
  const used = new Set<string>()
  for (const file of globSync(['controls/*/{probe,faces}.ts', 'posture/verify/*.ts'], { cwd: source })) {
    if (file.endsWith('.test.ts')) continue
    for (const [, id] of readFileSync(`${source}/${file}`, 'utf8').matchAll(/'([a-z]+\.[a-z0-9-]+)'/g))
      if (families.has(id!.split('.')[0]) && !/\.(?:txt|ts|json)$/.test(id!)) used.add(id!)
  }
  assert.ok(used.size > 40)
  assert.deepEqual(
    [...used].filter((id) => !findingKinds.has(id)),
    [],
  )
})
