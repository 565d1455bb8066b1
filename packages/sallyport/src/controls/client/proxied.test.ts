import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { runs } from '../../../test/runs.ts'
import type { Client, Incoming } from '../../guard/exchange.ts'
import { createGuard } from '../../guard/guard.ts'
import type { ClientSetting } from './setting.ts'

type Headers = readonly (readonly [string, string])[]

function incoming(peer: string | undefined, headers: Headers, encrypted = false): Incoming {
  const rawHeaders = headers.flat()
  return {
    method: 'GET',
    target: '/',
    httpVersion: '1.1',
    rawHeaders,
    header: (name) => headers.find(([key]) => key.toLowerCase() === name)?.[1],
    peer,
    encrypted,
  }
}

/** Who the caller is, under a setting. */
function seen(
  setting: ClientSetting,
  peer: string | undefined,
  headers: Headers = [],
  encrypted = false,
): Client {
  return createGuard({ client: setting }, 'node').open(incoming(peer, headers, encrypted)).client
}

const INBOUND = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'

const BEHIND: ClientSetting = { trustedProxies: ['10.0.0.0/8', '2001:db8:1::/48'] }
const xff = (...lines: string[]): Headers => lines.map((line) => ['X-Forwarded-For', line] as const)

describe('the client address', () => {
  const rows: readonly (readonly [why: string, peer: string, headers: Headers, address: string])[] = [
    [
      'H4 a caller that is no proxy is known by its peer, whatever it sends',
      '203.0.113.9',
      xff('1.1.1.1'),
      '203.0.113.9',
    ],
    ['H4 a proxy names the caller', '10.0.0.1', xff('203.0.113.9'), '203.0.113.9'],
    [
      'H4 what the caller itself sent stands left of it and does not count',
      '10.0.0.1',
      xff('1.1.1.1, 203.0.113.9'),
      '203.0.113.9',
    ],
    [
      'every declared proxy on the way is passed',
      '10.0.0.1',
      xff('1.1.1.1, 203.0.113.9, 10.2.3.4, 10.9.9.9'),
      '203.0.113.9',
    ],
    ['lines are one list', '10.0.0.1', xff('1.1.1.1', '203.0.113.9', '10.2.3.4'), '203.0.113.9'],
    [
      'what cannot be read ends the chain: the last trusted hop counts',
      '10.0.0.1',
      xff('203.0.113.9, garbage, 10.2.3.4'),
      '10.2.3.4',
    ],
    ['garbage from the proxy itself leaves the proxy', '10.0.0.1', xff('unknown'), '10.0.0.1'],
    ['a proxy that says nothing is the caller', '10.0.0.1', [], '10.0.0.1'],
    ['where all are declared, the leftmost counts', '10.0.0.1', xff('10.5.5.5, 10.2.3.4'), '10.5.5.5'],
    ['a port is dropped', '10.0.0.1', xff('203.0.113.9:61000'), '203.0.113.9'],
    ['IPv6 in brackets', '10.0.0.1', xff('[2001:DB8:2::0001]:443'), '2001:db8:2::1'],
    ['an IPv4-mapped peer is the IPv4 proxy', '::ffff:10.0.0.1', xff('203.0.113.9'), '203.0.113.9'],
    [
      'an IPv4-mapped entry is the IPv4 proxy',
      '10.0.0.1',
      xff('203.0.113.9, ::ffff:10.7.7.7'),
      '203.0.113.9',
    ],
    ['an IPv6 proxy', '2001:db8:1::5', xff('2001:db8:2::9'), '2001:db8:2::9'],
    ['octal digits are no address', '10.0.0.1', xff('1.1.1.1, 012.0.0.1'), '10.0.0.1'],
  ]
  for (const [why, peer, headers, address] of rows)
    it(why, () => assert.equal(seen(BEHIND, peer, headers).address, address))

  it('the default trusts nobody', () => {
    assert.equal(seen({}, '127.0.0.1', xff('203.0.113.9')).address, '127.0.0.1')
    assert.equal(seen({}, '10.0.0.1', [['Forwarded', 'for=203.0.113.9']]).viaProxy, false)
  })

  it('an IPv4-mapped peer has one name', () => {
    assert.equal(seen({}, '::ffff:203.0.113.9').address, '203.0.113.9')
    assert.equal(seen({}, 'fe80::1%eth0').address, 'fe80::1')
    assert.equal(seen({}, undefined).address, undefined)
  })

  it('the words loopback and private mean their ranges', () => {
    const loopback: ClientSetting = { trustedProxies: ['loopback'] }
    const lan: ClientSetting = { trustedProxies: ['private'] }
    for (const peer of ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1'])
      assert.equal(seen(loopback, peer, xff('203.0.113.9')).address, '203.0.113.9', peer)
    for (const peer of ['10.1.1.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', 'fd00::1'])
      assert.equal(seen(lan, peer, xff('203.0.113.9')).address, '203.0.113.9', peer)
    for (const peer of ['127.0.0.1', '172.32.0.1', '169.254.169.254', '100.64.0.1', 'fe80::1'])
      assert.equal(seen(lan, peer, xff('203.0.113.9')).viaProxy, false, peer)
  })

  it('a list longer than the bound ends at the bound, with a trusted hop', () => {
    const client = seen(BEHIND, '10.0.0.1', xff(`203.0.113.9, ${new Array(100).fill('10.2.3.4').join(', ')}`))
    assert.equal(client.address, '10.2.3.4')
  })

  it('where a Fetch host joins the lines, they are read all the same', () => {
    const guard = createGuard({ client: BEHIND }, 'fetch')
    const request: Incoming = {
      ...incoming('10.0.0.1', []),
      header: (name) => (name === 'x-forwarded-for' ? '1.1.1.1, 203.0.113.9' : undefined),
    }
    assert.equal(guard.open(request).client.address, '203.0.113.9')
  })

  it('the Forwarded header is walked in the same way', () => {
    const setting: ClientSetting = { ...BEHIND, forwarded: 'forwarded' }
    const by = (...lines: string[]) =>
      seen(
        setting,
        '10.0.0.1',
        lines.map((line) => ['Forwarded', line] as const),
      ).address
    assert.equal(by('for=1.1.1.1, for=203.0.113.9;proto=https'), '203.0.113.9')
    assert.equal(by('for=1.1.1.1', 'for="[2001:db8:2::9]:99", for=10.1.1.1'), '2001:db8:2::9')
    assert.equal(by('for=1.1.1.1, for=unknown, for=10.1.1.1'), '10.1.1.1')
    assert.equal(by('for=1.1.1.1, for=_hidden'), '10.0.0.1')
    assert.equal(by('for=", for=203.0.113.9'), '203.0.113.9')
    assert.equal(by('for=1.1.1.1", for=203.0.113.9'), '203.0.113.9')
    assert.equal(seen(setting, '10.0.0.1', xff('203.0.113.9')).address, '10.0.0.1')
  })

  it('H4 an edge header of one value counts only from the edge, and only once', () => {
    const setting: ClientSetting = { ...BEHIND, forwarded: { header: 'CF-Connecting-IP' } }
    const from = (peer: string, ...values: string[]) =>
      seen(
        setting,
        peer,
        values.map((value) => ['cf-connecting-ip', value] as const),
      ).address
    assert.equal(from('10.0.0.1', '203.0.113.9'), '203.0.113.9')
    assert.equal(from('203.0.113.50', '1.1.1.1'), '203.0.113.50')
    assert.equal(from('10.0.0.1', '1.1.1.1', '203.0.113.9'), '10.0.0.1')
    assert.equal(from('10.0.0.1', '1.1.1.1, 203.0.113.9'), '10.0.0.1')
    assert.equal(from('10.0.0.1'), '10.0.0.1')
  })

  it('H4 whatever a caller sends first never changes the address found', () => {
    const text = fc.oneof(
      fc.string(),
      fc.ipV4(),
      fc.ipV6(),
      fc.constantFrom('for="', '"', '\\', '10.0.0.1', 'for=10.0.0.1'),
    )
    const chains: readonly (readonly [ClientSetting, string, string])[] = [
      [BEHIND, 'X-Forwarded-For', '203.0.113.9, 10.4.4.4'],
      [{ ...BEHIND, forwarded: 'forwarded' }, 'Forwarded', 'for="203.0.113.9:1", for=10.4.4.4'],
    ]
    for (const [setting, name, chain] of chains) {
      const guard = createGuard({ client: setting }, 'node')
      fc.assert(
        fc.property(
          fc.array(text, { maxLength: 5 }),
          fc.array(text, { maxLength: 3 }),
          fc.boolean(),
          (lines, head, own) => {
            const prefix = head.join(', ')
            const sent: Headers = [
              ...lines.map((line) => [name, line] as const),
              ...(own
                ? [[name, prefix] as const, [name, chain] as const]
                : [[name, `${prefix}, ${chain}`] as const]),
            ]
            assert.equal(guard.open(incoming('10.0.0.1', sent)).client.address, '203.0.113.9')
          },
        ),
        runs(1000),
      )
    }
  })

  it('H4 a caller that is no proxy never changes anything by what it sends', () => {
    const guard = createGuard(
      {
        client: {
          ...BEHIND,
          forwardedHost: true,
          requestId: { accept: 'trusted-proxies' },
          traceContext: true,
        },
      },
      'node',
    )
    const name = fc.constantFrom(
      'X-Forwarded-For',
      'Forwarded',
      'X-Forwarded-Proto',
      'X-Forwarded-Host',
      'X-Request-Id',
      'traceparent',
      'X-Real-IP',
    )
    const value = fc.oneof(
      fc.ipV4(),
      fc.string(),
      fc.constantFrom(INBOUND, 'https', 'chosen-by-caller', 'for=1.1.1.1;proto=https;host=evil'),
    )
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value), { maxLength: 6 }), (headers) => {
        const exchange = guard.open(incoming('203.0.113.9', [['Host', 'api.example'], ...headers]))
        const { address, scheme, host, viaProxy } = exchange.client
        assert.deepEqual([address, scheme, host, viaProxy], ['203.0.113.9', 'unknown', 'api.example', false])
        assert.match(exchange.requestId, /^[0-9a-f]{32}$/)
        assert.match(exchange.traceparent!, /-03$/)
      }),
      { examples: [[[['traceparent', INBOUND]]], [[['X-Request-Id', 'chosen-by-caller']]]] },
    )
  })
})

describe('scheme and host', () => {
  const HOST = ['Host', 'api.example'] as const
  const proto = (value: string, chain = '203.0.113.9') =>
    seen(BEHIND, '10.0.0.1', [...xff(chain), ['X-Forwarded-Proto', value]]).scheme

  it('the connection tells where no proxy is between', () => {
    assert.equal(seen(BEHIND, '203.0.113.9', [['X-Forwarded-Proto', 'https']]).scheme, 'unknown')
    assert.equal(seen(BEHIND, '203.0.113.9', [['X-Forwarded-Proto', 'http']], true).scheme, 'https')
  })

  it('a proxy tells how the caller came to it, also over an encrypted hop', () => {
    assert.equal(proto('https'), 'https')
    assert.equal(proto('HTTP'), 'http')
    assert.equal(proto('ftp'), 'unknown')
    assert.equal(seen(BEHIND, '10.0.0.1', xff('203.0.113.9'), true).scheme, 'unknown')
    assert.equal(
      seen(BEHIND, '10.0.0.1', [...xff('203.0.113.9'), ['X-Forwarded-Proto', 'http']], true).scheme,
      'http',
    )
  })

  it('the value of the hop that met the caller counts where all appended, else the rightmost', () => {
    assert.equal(proto('https, http', '203.0.113.9, 10.2.2.2'), 'https')
    assert.equal(proto('http, https, http', '1.1.1.1, 203.0.113.9, 10.2.2.2'), 'https')
    assert.equal(proto('http, https', '203.0.113.9'), 'https')
  })

  it('Forwarded carries all of one hop together', () => {
    const setting: ClientSetting = { ...BEHIND, forwarded: 'forwarded', forwardedHost: true }
    const client = seen(setting, '10.0.0.1', [
      HOST,
      [
        'Forwarded',
        'for=1.1.1.1;proto=http;host=evil.example, for=203.0.113.9;proto=https;host=shop.example, for=10.1.1.1;proto=http',
      ],
    ])
    assert.deepEqual([client.address, client.scheme, client.host], ['203.0.113.9', 'https', 'shop.example'])
    const hidden = seen(setting, '10.0.0.1', [HOST, ['Forwarded', 'for=_x;proto=https']])
    assert.deepEqual([hidden.address, hidden.scheme, hidden.host], ['10.0.0.1', 'https', 'api.example'])
  })

  it('the host is the request’s own unless the policy takes the proxy’s', () => {
    const headers: Headers = [HOST, ...xff('203.0.113.9'), ['X-Forwarded-Host', 'shop.example:8443']]
    assert.equal(seen(BEHIND, '10.0.0.1', headers).host, 'api.example')
    assert.equal(seen({ ...BEHIND, forwardedHost: true }, '10.0.0.1', headers).host, 'shop.example:8443')
  })

  it('a forwarded host that is none is left alone', () => {
    for (const value of ['evil.example/path', 'user@evil.example', 'a b', '', '[::1', 'x:123456'])
      assert.equal(
        seen({ ...BEHIND, forwardedHost: true }, '10.0.0.1', [HOST, ['X-Forwarded-Host', value]]).host,
        'api.example',
        value,
      )
  })
})
