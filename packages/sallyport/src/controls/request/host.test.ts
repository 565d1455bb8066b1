// Host values: the table, and the judgement of the URL standard as the independent reader.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { runs } from '../../../test/runs.ts'
import { asksForH2c, contentLength, fieldOf, isChunked, isConnection } from './fields.ts'
import { isHost } from './host.ts'

const GOOD = [
  'a',
  'api.example.com',
  'API.Example.COM:443',
  'api.example.com.',
  'api.example.com.:80',
  'my_service:8080',
  'xn--bcher-kva.example',
  'a-.example',
  '1a.example',
  '1.a',
  '0xg',
  'h:0',
  'h:65535',
  '127.0.0.1',
  '255.255.255.255:1',
  '[::]',
  '[::1]:1',
  '[1::]',
  '[1:2:3:4:5:6:7:8]',
  '[1:2:3:4:5:6:7::]',
  '[::ffff:192.0.2.1]',
  '[64:FF9B::192.0.2.1]',
  `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(61)}`,
]

const BAD = [
  '',
  '.',
  '..',
  'a..b',
  '.a',
  ':',
  ':80',
  'a:',
  'a:b',
  'a:65536',
  'a:000001',
  'a:1:1',
  'a b',
  'a\tb',
  'a,b',
  'a/b',
  'a?b',
  'a#b',
  'a@b',
  'a\\b',
  'a%41',
  'a"b',
  "a'b",
  'a*b',
  '<script>',
  '\u00e9',
  '\u212a',
  'a\u0000',
  '1',
  '1.2.3',
  '1.2.3.4.5',
  '1.2.3.256',
  '01.2.3.4',
  'a.1',
  '127.0.0.1.',
  'a.0x1',
  '0x',
  '0x7f.1',
  '0x1.',
  'a.0x1.:80',
  'a.0X7F',
  '[',
  '[]',
  '[:]',
  '[:::]',
  '[1]',
  '[1:2:3:4:5:6:7]',
  '[1:2:3:4:5:6:7:8:9]',
  '[1:2:3:4::5:6:7:8]',
  '[::1::]',
  '[::12345]',
  '[::g]',
  '[::1.2.3]',
  '[1.2.3.4::]',
  '[::1%25eth0]',
  '[v1.a]',
  '[::1]a',
  '[::1]:',
  '[::1]:65536',
  '::1',
  'a'.repeat(300),
]

describe('host', () => {
  for (const value of GOOD)
    test(`${value.slice(0, 60)} names a host`, () => assert.equal(isHost(value), true))
  for (const value of BAD)
    test(`${JSON.stringify(value.slice(0, 60))} names none`, () => assert.equal(isHost(value), false))

  test('what passes is a host to the URL standard too, and the same one', () => {
    const piece = fc.constantFrom(
      'a',
      'B',
      '1',
      '255',
      '256',
      '0x1',
      '.',
      '-',
      '_',
      ':',
      '80',
      '[',
      ']',
      '::',
      '@',
      '/',
      '%',
    )
    fc.assert(
      fc.property(
        fc.oneof(
          fc.array(piece, { maxLength: 9 }).map((parts) => parts.join('')),
          fc.domain(),
          fc.ipV4(),
          fc.ipV6().map((address) => `[${address}]`),
        ),
        (value) => {
          if (!isHost(value)) return
          const url = new URL(`http://${value}/`)
          assert.equal(url.username + url.password, '')
          assert.equal(url.pathname, '/')
          // Only IPv6 addresses have a shorter way to be written.
          if (!value.startsWith('[')) {
            const port = /:0*(\d+)$/.exec(value)?.[1]
            const name = value.toLowerCase().replace(/:\d+$/, '')
            const host = /^[\d.]+$/.test(name) ? name.replace(/\.$/, '') : name
            assert.equal(url.host, port === undefined || port === '80' ? host : `${host}:${port}`)
          }
        },
      ),
      runs(3000),
    )
  })

  test('usual hosts pass', () => {
    fc.assert(
      fc.property(
        fc.domain(),
        fc.nat(65_535),
        (domain, port) => isHost(domain) && isHost(`${domain}:${port}`),
      ),
    )
    fc.assert(fc.property(fc.ipV4(), (address) => isHost(address)))
    fc.assert(fc.property(fc.ipV6(), (address) => isHost(`[${address}]`)))
  })
})

describe('fields', () => {
  test('a field is known in any letter case, and in no other name of the same length', () => {
    const names = [
      'host',
      'cookie',
      'origin',
      'expect',
      'upgrade',
      'connection',
      'content-type',
      'authorization',
      'content-length',
      'sec-fetch-site',
      'http2-settings',
      'content-encoding',
      'transfer-encoding',
      'access-control-request-method',
    ]
    const bits = names.map((name) => {
      const capital = name.replace(/(^|-)./g, (letter) => letter.toUpperCase())
      assert.notEqual(fieldOf(name), 0, name)
      assert.deepEqual([fieldOf(capital), fieldOf(name.toUpperCase())], [fieldOf(name), fieldOf(name)], name)
      assert.equal(fieldOf(`${name.slice(0, -1)}~`), 0, name)
      assert.equal(fieldOf(`~${name.slice(1)}`), 0, name)
      return fieldOf(name) & ~1
    })
    assert.equal(new Set(bits).size, bits.length)
    fc.assert(fc.property(fc.string(), (name) => fieldOf(name) === 0 || names.includes(name.toLowerCase())))
  })

  test('a length is plain digits', () => {
    assert.deepEqual(['0', '7', '42', '999999999999999'].map(contentLength), [0, 7, 42, 999_999_999_999_999])
    for (const value of [
      '',
      '00',
      '01',
      '+1',
      '-1',
      ' 1',
      '1 ',
      '1,1',
      '1.0',
      '1e3',
      '0x1',
      '1_0',
      '1000000000000000',
      '\uff15',
    ])
      assert.equal(contentLength(value), -1, value)
    fc.assert(
      fc.property(fc.string(), (value) => contentLength(value) < 0 || String(contentLength(value)) === value),
    )
  })

  test('only chunked frames a body', () => {
    assert.deepEqual(['chunked', 'Chunked', 'CHUNKED'].map(isChunked), [true, true, true])
    for (const value of ['', 'chunke', 'chunkedx', 'xchunked', 'chun\u212aed', 'chunked,', 'gzip, chunked'])
      assert.equal(isChunked(value), false, value)
  })

  test('Connection names nothing but itself', () => {
    for (const value of ['close', 'Keep-Alive', 'keep-alive, Upgrade', 'TE, close', '', ',', ' close ,,'])
      assert.equal(isConnection(value), true, value)
    for (const value of [
      'host',
      'close, host',
      'close;x',
      'clo\u017fe',
      '\u212aeep-alive',
      'keep alive',
      'proxy-authorization',
    ])
      assert.equal(isConnection(value), false, value)
  })

  test('an upgrade to HTTP/2 in clear is seen in any list', () => {
    for (const value of ['h2c', 'H2C', 'websocket, h2c', 'h2', 'h2c/1'])
      assert.equal(asksForH2c(value), true, value)
    for (const value of ['websocket', 'TLS/1.0', 'h2cx', 'xh2c', ''])
      assert.equal(asksForH2c(value), false, value)
  })
})
