import assert from 'node:assert/strict'
import { isIPv4, isIPv6 } from 'node:net'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { runs } from '../../test/runs.ts'
import { formatAddress, parseAddress, peerAddress, peerText } from './address.ts'

const canonical = (text: string) => {
  const address = parseAddress(text)
  return address && formatAddress(address)
}

describe('addresses', () => {
  const rows: readonly (readonly [text: string, canonical: string | undefined])[] = [
    ['0.0.0.0', '0.0.0.0'],
    ['255.255.255.255', '255.255.255.255'],
    ['192.0.2.1', '192.0.2.1'],
    // One address to every program, or none.
    ['010.0.0.1', undefined],
    ['10.0.0.01', undefined],
    ['10.1', undefined],
    ['167772161', undefined],
    ['0x0a.0.0.1', undefined],
    ['10.0.0.256', undefined],
    ['10.0.0.1.', undefined],
    ['.10.0.0.1', undefined],
    ['10..0.1', undefined],
    ['1.2.3.4.5', undefined],
    [' 10.0.0.1', undefined],
    ['10.0.0.1\n', undefined],
    ['１０.0.0.1', undefined],
    ['', undefined],
    // RFC 5952, sections 1 and 2: one address in many spellings.
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:0db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8::1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8::0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:0db8::1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8:0:0:1::1', '2001:db8::1:0:0:1'],
    ['2001:db8:0000:0:1::1', '2001:db8::1:0:0:1'],
    ['2001:DB8:0:0:1::1', '2001:db8::1:0:0:1'],
    // Section 4.2.2: "::" never shortens one group.
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:db8::1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    // Section 4.2.3: the longest run, of equal ones the first.
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8:aaaa:bbbb:cccc:dddd:0:0001', '2001:db8:aaaa:bbbb:cccc:dddd:0:1'],
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['0:0:0:0:0:0:0:0', '::'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
    // RFC 4291, section 2.5.5.2.
    ['::ffff:192.0.2.128', '192.0.2.128'],
    ['::FFFF:c000:0280', '192.0.2.128'],
    ['0:0:0:0:0:ffff:127.0.0.1', '127.0.0.1'],
    ['::192.0.2.1', '::c000:201'],
    ['fe80::1%eth0', undefined],
    ['[::1]', undefined],
    [':::', undefined],
    ['1::2::3', undefined],
    [':1::', undefined],
    ['1:2:3:4:5:6:7:8::', undefined],
    ['1:2:3:4:5:6:7:8:9', undefined],
    ['1:2:3:4:5:6:7', undefined],
    ['1::2:3:4:5:6:7:8', undefined],
    ['12345::', undefined],
    ['::ffff:010.0.0.1', undefined],
    ['::1.2.3.4:5', undefined],
    ['1.2.3.4::', undefined],
    ['g::', undefined],
  ]
  for (const [text, expected] of rows)
    it(`${JSON.stringify(text)} is ${expected ?? 'no address'}`, () =>
      assert.equal(canonical(text), expected))

  it('agrees with node:net on random text, up to its zones', () => {
    const text = fc.oneof(
      fc.ipV4(),
      fc.ipV6(),
      fc.stringMatching(/^[0-9a-f:.]{0,40}$/),
      fc.stringMatching(/^(?:[0-9]{1,3}\.){3}[0-9]{1,3}$/),
      fc.string(),
    )
    fc.assert(
      fc.property(text, (candidate) => {
        assert.equal(parseAddress(candidate) !== undefined, isIPv4(candidate) || isIPv6(candidate))
      }),
      runs(3000),
    )
  })

  it('the canonical text reads as the same address, and is its own canonical text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
        const address = parseAddress(text)!
        const once = formatAddress(address)
        assert.deepEqual(parseAddress(once), address)
        assert.equal(canonical(once), once)
      }),
      runs(2000),
    )
  })

  it('the canonical text is the one that a URL has', () => {
    fc.assert(
      fc.property(fc.ipV6(), (text) => {
        const address = parseAddress(text)!
        if (address.version === 6)
          assert.equal(`[${formatAddress(address)}]`, new URL(`http://[${text}]`).hostname)
      }),
    )
  })

  it('the peer of a link-local connection is read without its zone', () => {
    assert.deepEqual(peerAddress('fe80::1%eth0'), parseAddress('fe80::1'))
    assert.equal(peerAddress(undefined), undefined)
  })

  it('a peer’s text is the canonical one, whatever its spelling', () => {
    for (const [peer, text] of [
      ['192.0.2.7', '192.0.2.7'],
      ['192.0.2.7%eth0', '192.0.2.7'],
      ['::ffff:192.0.2.7', '192.0.2.7'],
      ['::FFFF:C000:207', '192.0.2.7'],
      ['FE80:0:0::1%eth0', 'fe80::1'],
      ['192.0.2.07', undefined],
      ['192.0.2', undefined],
      ['a.example', undefined],
      ['', undefined],
      [undefined, undefined],
    ])
      assert.equal(peerText(peer), text)
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), fc.string()), (peer) => {
        const address = peerAddress(peer)
        assert.equal(peerText(peer), address && formatAddress(address))
      }),
    )
  })
})
