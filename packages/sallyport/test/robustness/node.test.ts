// The robustness suite on plain node:http.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Server } from 'node:http'
import { after, before, test } from 'node:test'
import { createServer } from '../../src/adapters/node/index.ts'
import { rawCases } from './cases.ts'
import { ROBUSTNESS_POLICY, type Subject } from './run.ts'
import { recorder, subjectOf } from './subject.ts'
import { robustnessSuite } from './suite.ts'

let server: Server
let subject: Subject

before(async () => {
  const { listener, taken } = recorder()
  server = createServer(ROBUSTNESS_POLICY, listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  subject = subjectOf(server, taken)
})

after(() => {
  server.closeAllConnections()
  server.close()
})

test('there are at least 150 cases, each with an id of its own', () => {
  assert.ok(rawCases.length >= 150, `${rawCases.length}`)
  assert.equal(new Set(rawCases.map(({ id }) => id)).size, rawCases.length)
})

robustnessSuite('node:http', () => subject)
