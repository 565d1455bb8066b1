import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nameTable } from './names.ts'

const table = nameTable([
  [['api.example.com', '*.example.com'], 'first'],
  [['api.example.com', 'pay.example.com', '*.pay.example.com'], 'second'],
])

const FOUND: readonly (readonly [name: string, value: string | undefined])[] = [
  ['api.example.com', 'first'],
  ['API.Example.COM', 'first'],
  ['pay.example.com', 'second'],
  ['x.example.com', 'first'],
  ['x.pay.example.com', 'second'],
  // One label, no more and no less (RFC 9525, section 6.3).
  ['x.y.example.com', undefined],
  ['example.com', undefined],
  ['.example.com', undefined],
  ['*.example.com', 'first'],
  ['api.example.com.', undefined],
  ['__proto__', undefined],
  ['', undefined],
]

for (const [name, value] of FOUND)
  test(`${JSON.stringify(name)} has ${value ? `the ${value} certificate` : 'none'}`, () => {
    assert.equal(table.find(name), value)
  })
