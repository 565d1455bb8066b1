import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isOwnAddress } from './own-address.ts'

const OWN = ['127.0.0.1', '::1', '192.0.2.7', '2001:db8::7']

const cases: readonly (readonly [upstream: string, host: string, port: number, expected: boolean])[] = [
  ['http://127.0.0.1:8443', '127.0.0.1', 8443, true],
  ['https://127.0.0.1:8443', '127.0.0.1', 8443, true],
  ['http://127.0.0.1:8444', '127.0.0.1', 8443, false],
  ['http://localhost:8443', '127.0.0.1', 8443, true],
  ['http://sallyport.localhost:8443', '127.0.0.1', 8443, true],
  ['http://127.0.0.1:8443', 'localhost', 8443, true],
  ['http://[::1]:8443', '::1', 8443, true],
  ['http://[::1]:8443', '127.0.0.1', 8443, false],
  ['http://0.0.0.0:8443', '127.0.0.1', 8443, true],
  ['http://192.0.2.7:8443', '127.0.0.1', 8443, false],
  ['http://192.0.2.7:8443', '0.0.0.0', 8443, true],
  ['http://127.0.0.2:8443', '0.0.0.0', 8443, true],
  ['http://192.0.2.8:8443', '0.0.0.0', 8443, false],
  ['http://[2001:db8::7]:8443', '0.0.0.0', 8443, false],
  ['http://[2001:db8::7]:8443', '::', 8443, true],
  ['http://192.0.2.7:8443', '::', 8443, true],
  ['http://[::1]:8443', '::', 8443, true],
  ['http://api.example', 'api.example', 80, true],
  ['http://api.example', 'API.example', 80, true],
  ['https://api.example', '0.0.0.0', 443, false],
  ['https://localhost', '127.0.0.1', 443, true],
  ['http://127.0.0.1:9000', '127.0.0.1', 0, false],
  ['http://127.0.0.1:9000', 'not a host', 9000, false],
]

for (const [upstream, host, port, expected] of cases)
  test(`${upstream} is ${expected ? '' : 'not '}what a listener on ${host} port ${port} is`, () => {
    assert.equal(isOwnAddress(upstream, { host, port }, OWN), expected)
  })
