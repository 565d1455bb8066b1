import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { runs } from '../../../test/runs.ts'
import { formatAddress } from '../../policy/address.ts'
import { parseForwardedElement } from './forwarded.ts'
import { entriesFromRight, MAX_CHARACTERS, MAX_ENTRIES, parseHop } from './lists.ts'

const read = (text: string) => {
  const element = parseForwardedElement(text)
  return element && { ...element, address: element.address && formatAddress(element.address) }
}
const element = (address?: string, proto?: string, host?: string) => ({ address, proto, host })

describe('one Forwarded element', () => {
  const rows: readonly (readonly [text: string, expected: ReturnType<typeof element> | undefined])[] = [
    // RFC 7239, section 4.
    ['for="_gazonk"', element()],
    ['For="[2001:db8:cafe::17]:4711"', element('2001:db8:cafe::17')],
    ['for=192.0.2.60;proto=http;by=203.0.113.43', element('192.0.2.60', 'http')],
    ['for=192.0.2.43', element('192.0.2.43')],
    // Section 6 and 7.
    ['for="192.0.2.43:47011"', element('192.0.2.43')],
    ['for="[2001:db8:cafe::17]"', element('2001:db8:cafe::17')],
    ['for=_hidden', element()],
    ['for="_SEVKISEK:_port"', element()],
    ['for=unknown', element()],
    ['for="192.0.2.1:_sec"', element('192.0.2.1')],
    ['proto=https;host="api.example:8443"', element(undefined, 'https', 'api.example:8443')],
    [
      'for=198.51.100.17;by=203.0.113.60;proto=http;host=example.com',
      element('198.51.100.17', 'http', 'example.com'),
    ],
    ['for=192.0.2.1 ; proto=https', element('192.0.2.1', 'https')],
    [';;for=192.0.2.1;', element('192.0.2.1')],
    ['host="a\\"b"', element(undefined, undefined, 'a"b')],
    // Section 6: a colon or a bracket stands in quotation marks only.
    ['for=[2001:db8::1]', undefined],
    ['for=192.0.2.43:47011', undefined],
    ['for="2001:db8::1"', undefined],
    ['for="[192.0.2.1]"', undefined],
    // Section 4: a parameter stands once.
    ['for=192.0.2.1;for=198.51.100.1', undefined],
    ['for=192.0.2.1;FOR=198.51.100.1', undefined],
    ['for=', undefined],
    ['for', undefined],
    ['=192.0.2.1', undefined],
    ['for = 192.0.2.1', undefined],
    ['for="192.0.2.1', undefined],
    ['for=192.0.2.1"', undefined],
    ['for="192.0.2.1"x', undefined],
    ['for=010.0.0.1', undefined],
    ['for=""', undefined],
  ]
  for (const [text, expected] of rows)
    it(`${text} ${expected ? 'is read' : 'is not one'}`, () => assert.deepEqual(read(text), expected))

  it('reads any text without throwing', () => {
    fc.assert(fc.property(fc.string(), (text) => void parseForwardedElement(text)))
    fc.assert(
      fc.property(fc.stringMatching(/^[for=";\\_0-9. ]{0,60}$/), (text) => void parseForwardedElement(text)),
    )
  })
})

describe('lists from the right', () => {
  it('lines and their entries come in the order in which proxies appended them, the last first', () => {
    assert.deepEqual(entriesFromRight(['a, b', ' c ,\td'], false), ['d', 'c', 'b', 'a'])
    assert.deepEqual(entriesFromRight([', a,, ,b,'], false), ['b', 'a'])
    assert.deepEqual(entriesFromRight([], false), [])
    assert.deepEqual(entriesFromRight(['', ' '], false), [])
  })

  it('a comma in a quoted string does not separate', () => {
    assert.deepEqual(entriesFromRight(['a="1,2", b="\\",\\\\", c=3'], true), [
      'c=3',
      'b="\\",\\\\"',
      'a="1,2"',
    ])
  })

  it('a quotation mark that a caller opens swallows nothing that is appended', () => {
    assert.deepEqual(entriesFromRight(['for=", for=192.0.2.1'], true), ['for=192.0.2.1'])
    assert.deepEqual(entriesFromRight(['for="\\, for="[2001:db8::1]"'], true)[0], 'for="[2001:db8::1]"')
  })

  it('no more than the bounds is looked at, and no entry in part', () => {
    assert.equal(entriesFromRight([new Array(1000).fill('a').join(',')], false).length, MAX_ENTRIES)
    const long = `${'1'.repeat(MAX_CHARACTERS)}92.0.2.1`
    assert.deepEqual(entriesFromRight([`${long}, b`], false), ['b'])
    assert.deepEqual(entriesFromRight([`${' ,'.repeat(MAX_CHARACTERS)}b`], false), ['b'])
    assert.deepEqual(entriesFromRight([`a="${'x'.repeat(MAX_CHARACTERS)}", b`], true), ['b'])
  })

  it('what is appended is found again behind anything at all', () => {
    const entry = fc.stringMatching(/^[!#-+./-~-]{1,20}$/)
    const lines = fc.array(fc.string(), { maxLength: 4 })
    fc.assert(
      fc.property(
        lines,
        fc.array(entry, { minLength: 1, maxLength: 5 }),
        fc.boolean(),
        (before, own, quoted) => {
          const sent = [...before.slice(0, -1), `${before.at(-1) ?? ''},${own.join(', ')}`]
          assert.deepEqual(entriesFromRight(sent, quoted).slice(0, own.length), own.toReversed())
        },
      ),
      runs(2000),
    )
  })

  const hops: readonly (readonly [text: string, address: string | undefined])[] = [
    ['192.0.2.1', '192.0.2.1'],
    ['192.0.2.1:4711', '192.0.2.1'],
    ['2001:db8::1', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['[2001:db8::1]:4711', '2001:db8::1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['192.0.2.1:', undefined],
    ['192.0.2.1:123456', undefined],
    ['192.0.2.1:http', undefined],
    ['[192.0.2.1]', undefined],
    ['[2001:db8::1', undefined],
    ['[2001:db8::1]x', undefined],
    ['[]', undefined],
    ['[', undefined],
    ['"192.0.2.1"', undefined],
    ['unknown', undefined],
    ['fe80::1%lo', undefined],
    [':1', undefined],
    ['', undefined],
  ]
  for (const [text, expected] of hops)
    it(`the hop ${JSON.stringify(text)} is ${expected ?? 'unreadable'}`, () => {
      const hop = parseHop(text)
      assert.equal(hop && formatAddress(hop), expected)
    })
})
