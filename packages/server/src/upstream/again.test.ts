// The table of what may be sent again.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Failed, maySendAgain } from './again.ts'

const LOST: Failed = {
  method: 'GET',
  reason: 'UND_ERR_SOCKET',
  isSent: true,
  wasKept: true,
  isAnswered: false,
  isWhole: true,
  hasOthers: false,
}
const NEVER_SENT: Failed = {
  ...LOST,
  method: 'POST',
  reason: 'ECONNREFUSED',
  isSent: false,
  wasKept: false,
  hasOthers: true,
}

const CASES: readonly (readonly [name: string, failed: Failed, expected: boolean])[] = [
  ['a GET on a connection that was kept', LOST, true],
  ['a PUT whose body is here', { ...LOST, method: 'PUT' }, true],
  ['a reset', { ...LOST, reason: 'ERR_UPSTREAM_RESET' }, true],
  ['a POST', { ...LOST, method: 'POST' }, false],
  ['a PATCH', { ...LOST, method: 'PATCH' }, false],
  ['a method of somebody else', { ...LOST, method: 'PROPPATCH' }, false],
  ['a fresh connection', { ...LOST, wasKept: false }, false],
  ['a byte of an answer', { ...LOST, isAnswered: true }, false],
  ['a body that is gone', { ...LOST, isWhole: false }, false],
  ['silence', { ...LOST, reason: 'UND_ERR_HEADERS_TIMEOUT' }, false],
  ['an answer that could not be read', { ...LOST, reason: 'HPE_INVALID_CONSTANT' }, false],
  ['a POST that no connection carried', NEVER_SENT, true],
  ['the same without another address', { ...NEVER_SENT, hasOthers: false }, false],
  ['the same with a body that is gone', { ...NEVER_SENT, isWhole: false }, false],
]

for (const [name, failed, expected] of CASES)
  test(`${name}: ${expected ? 'sent again' : 'not sent again'}`, () => {
    assert.equal(maySendAgain(failed), expected)
  })
