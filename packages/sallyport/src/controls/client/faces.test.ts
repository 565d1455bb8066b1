import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Observation } from '../../guard/control.ts'
import type { PolicyDocument } from '../../guard/policy.ts'
import { resolvedFor, resolvePolicy } from '../../guard/resolve.ts'
import { client } from './index.ts'
import type { ClientSetting } from './setting.ts'

const cellsOf = (policy: PolicyDocument) => resolvedFor<ClientSetting>(resolvePolicy(policy), client)

describe('compare', () => {
  const base: ClientSetting = {
    trustedProxies: ['10.0.0.0/9', '10.128.0.0/9'],
    requestId: { accept: 'never' },
  }
  const rows: readonly (readonly [why: string, after: ClientSetting, strengths: string])[] = [
    ['the same', base, ''],
    ['the same ranges, written otherwise', { ...base, trustedProxies: ['10.0.0.0/8'] }, ''],
    [
      'a proxy more',
      { ...base, trustedProxies: ['10.0.0.0/8', '192.0.2.1'] },
      'weaker trustedProxies, stronger trustedProxies',
    ],
    [
      'a proxy less',
      { ...base, trustedProxies: ['10.0.0.0/9'] },
      'stronger trustedProxies, weaker trustedProxies',
    ],
    [
      'another proxy',
      { ...base, trustedProxies: ['192.0.2.1'] },
      'weaker trustedProxies, stronger trustedProxies, stronger trustedProxies, weaker trustedProxies',
    ],
    [
      'switched off',
      { ...base, mode: 'off' },
      'weaker mode, stronger trustedProxies, weaker trustedProxies, weaker requestId',
    ],
    ['another header', { ...base, forwarded: 'forwarded' }, 'incomparable forwarded'],
    ['the default written out', { ...base, forwarded: 'x-forwarded-for' }, ''],
    ['the forwarded host', { ...base, forwardedHost: true }, 'weaker forwardedHost'],
    ['no id', { ...base, requestId: false }, 'weaker requestId'],
    ['ids of proxies', { ...base, requestId: { accept: 'trusted-proxies' } }, 'weaker requestId'],
    ['another name', { ...base, requestId: { accept: 'never', header: 'X-Trace-Id' } }, 'neutral requestId'],
    ['a trace context', { ...base, traceContext: true }, 'neutral traceContext'],
  ]
  for (const [why, after, expected] of rows)
    it(why, () => {
      const words = (list: ReturnType<typeof client.compare>) =>
        list.map(({ strength, what }) => `${strength} ${what}`).join(', ')
      assert.equal(words(client.compare(base, after)), expected)
      const mirrored = expected.replace(/weaker|stronger/g, (word) =>
        word === 'weaker' ? 'stronger' : 'weaker',
      )
      const back = words(client.compare(after, base))
      assert.deepEqual(back.split(', ').sort(), mirrored.split(', ').sort())
    })

  it('a weaker list of proxies comes with a range that shows it', () => {
    const [change] = client.compare({ trustedProxies: [] }, { trustedProxies: ['192.0.2.0/24'] })
    assert.match(change!.because, /192\.0\.2\.0\/24/)
  })
})

describe('describe', () => {
  const values = (policy: PolicyDocument) =>
    Object.fromEntries(client.describe(cellsOf(policy)).entries.map(({ name, value }) => [name, value]))

  it('says who is believed, by what, and what the id is', () => {
    assert.deepEqual(values({ extends: 'api', client: { trustedProxies: ['private', '192.0.2.1'] } }), {
      'Trusted proxies': 'private, 192.0.2.1',
      'Client address': 'the first address that is not a declared proxy, from the right of X-Forwarded-For',
      'Request id': 'X-Request-Id on every answer: 128 random bits, or the id that a declared proxy sends',
      'Trace context': 'traceparent (W3C): that of a declared proxy continued, else a new one',
    })
  })

  it('the payments preset adds no header of its own', () => {
    assert.deepEqual(values({ extends: 'payments' }), {
      'Trusted proxies': 'none',
      'Client address': 'the peer of the connection',
    })
  })
})

describe('probe', () => {
  const seen = (headers: Observation['headers']): Observation => ({
    status: 200,
    headers,
    body: '',
    encrypted: true,
  })
  const findings = (policy: PolicyDocument, headers: Observation['headers']) =>
    client
      .probe(cellsOf(policy))
      .flatMap((probe) => probe.expect(seen(headers)))
      .map(({ id }) => id)

  it('D16 the request id must stand on every answer, once, and be nobody’s choice', () => {
    const policy: PolicyDocument = { client: { requestId: { accept: 'never' } } }
    assert.deepEqual(findings(policy, [['x-request-id', 'f'.repeat(32)]]), [])
    assert.deepEqual(new Set(findings(policy, [])), new Set(['drift.header-missing']))
    assert.ok(findings(policy, [['X-Request-Id', 'chosen-by-the-caller']]).includes('drift.header-value'))
    assert.ok(findings(policy, [['X-Request-Id', 'a b']]).includes('drift.header-value'))
    const twice = ['x-request-id', 'f'.repeat(32)] as const
    assert.ok(findings(policy, [twice, twice]).includes('drift.header-value'))
  })

  it('behind a declared proxy that may choose ids, nothing is said against an id that comes back', () => {
    const policy: PolicyDocument = {
      client: { trustedProxies: ['private'], requestId: { accept: 'trusted-proxies' } },
    }
    assert.deepEqual(findings(policy, [['X-Request-Id', 'chosen-by-the-caller']]), [])
  })

  it('without a request id there is nothing to see', () => {
    assert.deepEqual(client.probe(cellsOf({})), [])
  })
})
