import assert from 'node:assert/strict'
import { BlockList } from 'node:net'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { runs } from '../../test/runs.ts'
import { formatAddress, parseAddress } from './address.ts'
import { type Cidr, cidrSet, formatCidr, networkOf, parseCidr } from './cidr.ts'

const setOf = (...texts: string[]) => cidrSet(texts.map((text) => parseCidr(text)!))
const has = (set: ReturnType<typeof cidrSet>, text: string) => set.has(parseAddress(text)!)

describe('ranges of addresses', () => {
  const rows: readonly (readonly [text: string, network: string | undefined])[] = [
    ['10.0.0.0/8', '10.0.0.0/8'],
    ['10.0.0.1/8', '10.0.0.0/8'],
    ['192.0.2.1', '192.0.2.1/32'],
    ['2001:db8::1', '2001:db8::1/128'],
    ['2001:DB8:ffff::/33', '2001:db8:8000::/33'],
    ['::ffff:10.0.0.1/104', '10.0.0.0/8'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['::/0', '::/0'],
    ['::ffff:10.0.0.1/95', undefined],
    ['10.0.0.0/33', undefined],
    ['10.0.0.0/08', undefined],
    ['10.0.0.0/', undefined],
    ['10.0.0.0/+8', undefined],
    ['10.0.0.0/8/8', undefined],
    ['10.0.0.0/255.0.0.0', undefined],
    ['::/129', undefined],
    ['/8', undefined],
  ]
  for (const [text, network] of rows)
    it(`${text} is ${network ?? 'no range'}`, () => {
      const range = parseCidr(text)
      assert.equal(range && formatCidr(networkOf(range)), network)
    })

  it('a set knows its edges', () => {
    const set = setOf('10.0.0.0/8', '192.0.2.128/25', '2001:db8::/32', '198.51.100.7')
    for (const inside of ['10.0.0.0', '10.255.255.255', '192.0.2.128', '198.51.100.7', '2001:db8:ffff::1'])
      assert.equal(has(set, inside), true, inside)
    for (const outside of [
      '9.255.255.255',
      '11.0.0.0',
      '192.0.2.127',
      '198.51.100.6',
      '2001:db9::',
      '::10.0.0.1',
    ])
      assert.equal(has(set, outside), false, outside)
    assert.equal(has(set, '::ffff:10.1.2.3'), true)
    assert.equal(cidrSet([]).isEmpty, true)
  })

  it('two halves cover the whole', () => {
    const whole = parseCidr('10.0.0.0/8')!
    assert.equal(setOf('10.0.0.0/9', '10.128.0.0/10', '10.192.0.0/10').covers(whole), true)
    assert.equal(setOf('10.0.0.0/9', '10.128.0.0/10').covers(whole), false)
    assert.equal(setOf('11.0.0.0/8', '12.0.0.0/8').covers(parseCidr('10.0.0.0/7')!), false)
  })

  const cidr = fc.oneof(
    fc.tuple(fc.ipV4(), fc.integer({ min: 1, max: 32 })),
    fc.tuple(fc.ipV6(), fc.integer({ min: 1, max: 128 })),
  )

  it('agrees with the block list of node:net', () => {
    fc.assert(
      fc.property(fc.array(cidr, { maxLength: 12 }), fc.oneof(fc.ipV4(), fc.ipV6()), (ranges, probe) => {
        // One model for each family: node:net counts an IPv4 address into IPv6 ranges as well.
        const model = { 4: new BlockList(), 6: new BlockList() }
        const parsed: Cidr[] = []
        for (const [text, prefix] of ranges) {
          const address = parseAddress(text)!
          // The model knows nothing of mapped addresses.
          if (address.version === 4 && text.includes(':')) continue
          model[address.version].addSubnet(text, prefix, address.version === 4 ? 'ipv4' : 'ipv6')
          parsed.push(networkOf({ address, prefix }))
        }
        const set = cidrSet(parsed)
        const probes = [probe, ...parsed.map(({ address }) => formatAddress(address))]
        for (const text of probes) {
          const address = parseAddress(text)!
          if (address.version === 4 && text.includes(':')) continue
          assert.equal(
            set.has(address),
            model[address.version].check(text, address.version === 4 ? 'ipv4' : 'ipv6'),
            text,
          )
        }
        for (const range of parsed) assert.equal(set.covers(range), true)
      }),
      runs(500),
    )
  })

  it('reads any text without throwing', () => {
    fc.assert(fc.property(fc.string(), (text) => void parseCidr(text)))
  })
})
