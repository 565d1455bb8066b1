// Which addresses of the admin listener other machines can reach.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PolicyError } from 'sallyport/settings'
import { checkReach, isLocal } from './reach.ts'

const LOCAL = ['127.0.0.1', '127.8.9.10', '::1', '0:0:0:0:0:0:0:1', '0000:0000:0000:0000:0000:0000:0000:0001']
const REACHABLE = ['0.0.0.0', '::', '10.0.0.1', '192.168.1.2', '2001:db8::1', '::ffff:127.0.0.1', '1.127.0.0']
const NAMES = ['gateway.internal', '127.0.0.1.example.com', '0', '127.1', '::1.example', '1']

test('loopback, localhost and a socket are for this machine alone', () => {
  for (const host of [...LOCAL, 'localhost', 'LOCALHOST']) assert.ok(isLocal({ host, port: 1 }), host)
  assert.ok(isLocal({ path: 'run/admin.sock' }))
  assert.ok(isLocal({ port: 9901 }))
})

test('every other address, and every name, is refused until it is wished for', () => {
  for (const host of [...REACHABLE, ...NAMES]) {
    const admin = { host, port: 9901 }
    assert.throws(() => checkReach(admin), PolicyError, host)
    checkReach({ ...admin, allowNonLoopback: true })
  }
  checkReach(false)
  checkReach(undefined)
})
