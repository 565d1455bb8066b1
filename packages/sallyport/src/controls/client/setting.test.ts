import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { PolicyDocument } from '../../guard/policy.ts'
import { resolvePolicy } from '../../guard/resolve.ts'
import { PolicyError } from '../../policy/problem.ts'

/** Why a setting is refused; empty where it is not. */
function refusal(setting: unknown): string {
  try {
    resolvePolicy({ client: setting } as PolicyDocument)
    return ''
  } catch (error) {
    assert.ok(error instanceof PolicyError)
    return error.message
  }
}

const TRUST_ALL = 'trusts every address: any caller could choose the address it is known by'
const OWN = 'list the ranges of your own proxies or of your edge network'
const EXAMPLES = 'write an address, a range such as "10.0.0.0/8", "loopback" or "private"'

describe('settings of client that are refused', () => {
  const rows: readonly (readonly [setting: unknown, message: string])[] = [
    [
      { trustedProxies: ['0.0.0.0/0'] },
      `client.trustedProxies[0]: ${TRUST_ALL}, received "0.0.0.0/0"; ${OWN}`,
    ],
    [
      { trustedProxies: ['loopback', '::/0'] },
      `client.trustedProxies[1]: ${TRUST_ALL}, received "::/0"; ${OWN}`,
    ],
    [
      { trustedProxies: ['::ffff:0.0.0.0/96'] },
      `client.trustedProxies[0]: ${TRUST_ALL}, received "::ffff:0.0.0.0/96"; ${OWN}`,
    ],
    [
      { trustedProxies: ['0.0.0.0/1', '128.0.0.0/1'] },
      ['0.0.0.0/1', '128.0.0.0/1']
        .map(
          (range, at) =>
            `client.trustedProxies[${at}]: is wider than /8, so strangers in it could choose the address they are known by, received "${range}"; ${OWN}`,
        )
        .join('\n'),
    ],
    [
      { trustedProxies: ['2000::/3'] },
      `client.trustedProxies[0]: is wider than /16, so strangers in it could choose the address they are known by, received "2000::/3"; ${OWN}`,
    ],
    [
      { trustedProxies: ['10.0.0.1/8'] },
      'client.trustedProxies[0]: has bits set behind its prefix, received "10.0.0.1/8"; write "10.0.0.0/8"',
    ],
    [
      { trustedProxies: ['::ffff:10.0.0.0/104'] },
      'client.trustedProxies[0]: is an IPv4 range in IPv6 form, received "::ffff:10.0.0.0/104"; write "10.0.0.0/8"',
    ],
    [
      { trustedProxies: ['fe80::1%eth0/64'] },
      `client.trustedProxies[0]: a zone has no place in a range, received "fe80::1%eth0/64"; ${EXAMPLES}`,
    ],
    [
      { trustedProxies: ['10.0.0.0/33'] },
      `client.trustedProxies[0]: is not an address range, received "10.0.0.0/33"; ${EXAMPLES}`,
    ],
    [
      { trustedProxies: ['proxy.internal'] },
      `client.trustedProxies[0]: is not an address range, received "proxy.internal"; ${EXAMPLES}`,
    ],
    [
      { trustedProxies: ['toString'] },
      `client.trustedProxies[0]: is not an address range, received "toString"; ${EXAMPLES}`,
    ],
    [
      { forwarded: 'x-forwarded-for' },
      'client.forwarded: no proxy is declared, so no forwarding header is believed, received "x-forwarded-for"; add trustedProxies, or leave forwarded out',
    ],
    [
      { forwardedHost: true },
      'client.forwardedHost: no forwarding header is believed, so no host is taken from one, received true; add trustedProxies and forwarded, or leave forwardedHost out',
    ],
    [
      { trustedProxies: ['loopback'], forwarded: { header: 'cf connecting ip' } },
      'client.forwarded.header: is not a header name, received "cf connecting ip"; write { header: "cf-connecting-ip" }',
    ],
    [
      { trustedProxies: ['loopback'], forwarded: {} },
      'client.forwarded: header is missing, received {}; write { header: "cf-connecting-ip" }',
    ],
    [
      { trustedProxies: ['loopback'], forwarded: { header: 'X-Forwarded-For' } },
      'client.forwarded.header: is a list that every proxy appends to, received "X-Forwarded-For"; write forwarded: "x-forwarded-for"',
    ],
    [
      { trustedProxies: ['loopback'], forwarded: { header: 'CloudFront-Viewer-Address' } },
      'client.forwarded.header: writes IPv6 addresses with a port but without brackets, which can be read in two ways, received "CloudFront-Viewer-Address"; write forwarded: "x-forwarded-for"',
    ],
    [
      { requestId: { header: 'X-Request-Id\r\nX-Evil' } },
      'client.requestId.header: expected the name of a header that ends in "Id", received "X-Request-Id\\r\\nX-Evil"; write "X-Request-Id"',
    ],
    [
      { requestId: { header: 'Set-Cookie' } },
      'client.requestId.header: expected the name of a header that ends in "Id", received "Set-Cookie"; write "X-Request-Id"',
    ],
    [
      { requestId: { accept: 'always' } },
      'client.requestId.accept: expected one of "trusted-proxies", "never", received "always"; write one of them',
    ],
  ]
  for (const [setting, message] of rows)
    it(JSON.stringify(setting), () => assert.equal(refusal(setting), message))

  const accepted: readonly unknown[] = [
    {},
    { trustedProxies: [] },
    { trustedProxies: ['loopback', 'private', '192.0.2.1', '2001:db8::/32', '10.0.0.0/8', '2400:CB00::/32'] },
    { trustedProxies: ['private'], forwarded: 'none' },
    { trustedProxies: ['192.0.2.0/24'], forwarded: { header: 'CF-Connecting-IP' }, forwardedHost: true },
    { requestId: false },
    { requestId: { header: 'x-correlation-id', accept: 'never' } },
  ]
  for (const setting of accepted)
    it(`not ${JSON.stringify(setting)}`, () => assert.equal(refusal(setting), ''))
})
