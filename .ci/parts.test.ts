// The suites whose part is missing here count as skipped, by name: Node's runner leaves skipped suites out of its count.

import assert from 'node:assert/strict'
import { it } from 'node:test'
import { parts } from './parts.ts'

for (const part of parts) {
  const skip = !part.present() && `${part.name} is missing: to run: ${part.install.join(' ')}`
  it(`needs ${part.name}: ${part.suites}`, { skip }, () => assert.ok(part.present()))
}
