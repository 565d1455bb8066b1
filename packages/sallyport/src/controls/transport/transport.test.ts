import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { runs } from '../../../test/runs.ts'
import type { CellInfo } from '../../guard/cell.ts'
import type { Observation, Strength } from '../../guard/control.ts'
import { sentence } from '../../policy/problem.ts'
import { verdictOf } from '../faces.ts'
import { compareTransport } from './compare.ts'
import { describeTransport, parseHsts, probeTransport } from './faces.ts'
import { hstsValue, type TransportSetting, transportContradictions, transportDefaults } from './setting.ts'

const FULL = { maxAgeSeconds: 63_072_000, includeSubDomains: true, preload: true } as const
const CELL: CellInfo = {
  id: '*',
  origin: 'default',
  method: undefined,
  path: '*',
  data: 'private',
  credentials: 'mixed',
}
const of = (setting: TransportSetting): TransportSetting => ({ ...transportDefaults, ...setting })

describe('HSTS', () => {
  it('D1 has the value of the page', () =>
    assert.equal(hstsValue({ hsts: FULL }), 'max-age=63072000; includeSubDomains; preload'))

  const read: readonly (readonly [value: string, parsed: ReturnType<typeof parseHsts>])[] = [
    ['max-age=1', { maxAge: 1, sub: false, preload: false }],
    [' Max-Age = "5" ; INCLUDESUBDOMAINS;;preload', { maxAge: 5, sub: true, preload: true }],
    ['max-age=1; future="a"', { maxAge: 1, sub: false, preload: false }],
    ['includeSubDomains', undefined],
    ['max-age=abc', undefined],
    ['max-age=-1', undefined],
    ['max-age', undefined],
    ['max-age=1; max-age=2', undefined],
    ['max-age="1', undefined],
    ['', undefined],
  ]
  for (const [value, parsed] of read)
    it(`"${value}" is read as a browser reads it`, () => assert.deepEqual(parseHsts(value), parsed))

  it('is read without a throw, whatever stands there', () =>
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (value) => void parseHsts(value))))
})

describe('contradictions', () => {
  const complaints = (setting: TransportSetting) => transportContradictions(of(setting)).map(sentence)
  it('a redirect needs HSTS', () => {
    const wanted = [
      'plainHttp: a redirect without Strict-Transport-Security leaves every first request open to whoever stands between, received "redirect"; write plainHttp: "refuse", or hsts: { maxAgeSeconds: 63072000, includeSubDomains: true }',
    ]
    assert.deepEqual(complaints({ plainHttp: 'redirect', hsts: false }), wanted)
    assert.deepEqual(complaints({ plainHttp: 'redirect', hsts: { maxAgeSeconds: 0 } }), wanted)
    assert.deepEqual(complaints({ plainHttp: 'redirect', hsts: FULL }), [])
    assert.deepEqual(complaints({ plainHttp: 'redirect' }), [])
  })

  it('preload has its conditions, and an empty HSTS says nothing', () => {
    assert.equal(complaints({ hsts: { maxAgeSeconds: 300, preload: true } }).length, 2)
    assert.equal(complaints({ hsts: {} }).length, 1)
    assert.deepEqual(complaints({ hsts: FULL }), [])
  })
})

describe('the order', () => {
  const rows: readonly (readonly [before: TransportSetting, after: TransportSetting, wanted: Strength])[] = [
    [{ hsts: FULL }, { hsts: { ...FULL, maxAgeSeconds: 31_536_000 } }, 'weaker'],
    [{ hsts: FULL }, { hsts: { maxAgeSeconds: 63_072_000, includeSubDomains: true } }, 'weaker'],
    [{ hsts: FULL }, { hsts: { maxAgeSeconds: 63_072_000 } }, 'weaker'],
    [{ hsts: FULL }, {}, 'weaker'],
    [{ hsts: FULL }, { hsts: false }, 'weaker'],
    // It makes browsers forget, which is worse than silence.
    [{ hsts: false }, { hsts: { maxAgeSeconds: 0 } }, 'weaker'],
    [{}, { hsts: { maxAgeSeconds: 0 } }, 'incomparable'],
    [{}, { hsts: false }, 'incomparable'],
    [
      { hsts: { maxAgeSeconds: 100, includeSubDomains: true } },
      { hsts: { maxAgeSeconds: 200 } },
      'incomparable',
    ],
    // The word without its conditions asks for nothing.
    [{ hsts: { maxAgeSeconds: 100 } }, { hsts: { maxAgeSeconds: 100, preload: true } }, 'neutral'],
    [{ minVersion: 'TLSv1.3' }, { minVersion: 'TLSv1.2' }, 'weaker'],
    [{ plainHttp: 'refuse' }, { plainHttp: 'redirect' }, 'weaker'],
    [{ tls: 'here' }, { tls: 'in-front' }, 'incomparable'],
    [{ hsts: FULL }, { hsts: FULL, mode: 'report' }, 'weaker'],
    [{ plainHttp: 'redirect' }, { mode: 'off' }, 'weaker'],
  ]
  for (const [before, after, wanted] of rows)
    it(`${JSON.stringify(before)} → ${JSON.stringify(after)} is ${wanted}`, () => {
      const changes = compareTransport(of(before), of(after))
      assert.equal(verdictOf(changes), wanted, JSON.stringify(changes))
      const back = {
        stronger: 'weaker',
        weaker: 'stronger',
        neutral: 'neutral',
        incomparable: 'incomparable',
      }
      assert.equal(verdictOf(compareTransport(of(after), of(before))), back[wanted])
      for (const { because } of changes) assert.ok(because.length > 15)
    })

  const hsts = fc.record(
    {
      maxAgeSeconds: fc.constantFrom(0, 300, 31_536_000, 63_072_000),
      includeSubDomains: fc.boolean(),
      preload: fc.boolean(),
    },
    { requiredKeys: ['maxAgeSeconds'] },
  )
  const setting: fc.Arbitrary<TransportSetting> = fc.record(
    {
      mode: fc.constantFrom('enforce', 'report', 'off'),
      hsts: fc.oneof(hsts, fc.constant<false>(false)),
      plainHttp: fc.constantFrom('refuse', 'redirect'),
      minVersion: fc.constantFrom('TLSv1.2', 'TLSv1.3'),
    },
    { requiredKeys: [] },
  )
  it('is reflexive, antisymmetric and transitive', () => {
    const atLeast = (a: TransportSetting, b: TransportSetting) =>
      ['stronger', 'neutral'].includes(verdictOf(compareTransport(a, b)))
    fc.assert(
      fc.property(setting, setting, setting, (a, b, c) => {
        assert.deepEqual(compareTransport(a, a), [])
        if (atLeast(a, b) && atLeast(b, a)) assert.equal(verdictOf(compareTransport(a, b)), 'neutral')
        if (atLeast(a, b) && atLeast(b, c)) assert.ok(atLeast(a, c))
      }),
      runs(3000),
    )
  })
})

describe('probes', () => {
  const found = (
    setting: TransportSetting,
    headers: Observation['headers'],
    more: Partial<Pick<Observation, 'status' | 'encrypted'>> = {},
  ) =>
    probeTransport([{ cell: CELL, setting: of(setting) }]).flatMap((probe) =>
      probe.expect({ status: 200, body: '', encrypted: true, ...more, headers }).map(({ id }) => id),
    )
  const sts = (value: string): Observation['headers'] => [['strict-transport-security', value]]
  const rows: readonly (readonly [name: string, actual: string[], wanted: string[]])[] = [
    ['the value', found({ hsts: FULL }, sts('max-age=63072000; includeSubDomains; preload')), []],
    ['longer', found({ hsts: FULL }, sts('max-age=99999999; preload; includeSubDomains')), []],
    ['missing', found({ hsts: FULL }, []), ['hsts.missing']],
    ['twice', found({ hsts: FULL }, [...sts('max-age=1'), ...sts('max-age=1')]), ['hsts.duplicate']],
    ['malformed', found({ hsts: FULL }, sts('max-age=x')), ['hsts.malformed']],
    ['erasing', found({ hsts: FULL }, sts('max-age=0')), ['hsts.disabled']],
    [
      'shorter',
      found({ hsts: FULL }, sts('max-age=31536000; includeSubDomains; preload')),
      ['hsts.short-max-age'],
    ],
    ['without subdomains', found({ hsts: FULL }, sts('max-age=63072000')), ['hsts.no-subdomains']],
    [
      'without preload',
      found({ hsts: FULL }, sts('max-age=63072000; includeSubDomains')),
      ['drift.header-value'],
    ],
    [
      'preload without its conditions',
      found({ hsts: { maxAgeSeconds: 300 } }, sts('max-age=300; preload')),
      ['hsts.preload-inconsistent'],
    ],
    ['deliberately not sent', found({ hsts: false }, sts('max-age=1')), ['drift.header-extra']],
    ['left to the application', found({}, []), []],
    ['refused in clear', found({ tls: 'here', hsts: FULL }, [], { encrypted: false, status: 403 }), []],
    ['answered in clear', found({ tls: 'here', hsts: FULL }, [], { encrypted: false }), ['http.cleartext']],
    [
      'redirected where it should refuse',
      found({ tls: 'here', hsts: FULL }, [['Location', 'https://a.example/']], {
        encrypted: false,
        status: 308,
      }),
      ['http.api-redirect'],
    ],
    [
      'redirected as declared',
      found({ tls: 'here', hsts: FULL, plainHttp: 'redirect' }, [['Location', 'https://a.example/']], {
        encrypted: false,
        status: 308,
      }),
      [],
    ],
  ]
  for (const [name, actual, wanted] of rows) it(name, () => assert.deepEqual(actual, wanted))
})

it('the page states the front’s duties, and what holds where TLS ends here', () => {
  const front = describeTransport([{ cell: CELL, setting: of({ hsts: FULL }) }], 'node')
  assert.deepEqual(
    front.entries.map(({ name, value }) => [name, value]),
    [
      ['TLS', 'ends at the front of this service'],
      ['Plain HTTP', '403'],
      ['Strict-Transport-Security', 'max-age=63072000; includeSubDomains; preload'],
    ],
  )
  assert.match(front.limits.join(), /duty of the front/)
  const here = describeTransport([{ cell: CELL, setting: of({ tls: 'here', hsts: false }) }], 'gateway')
  assert.equal(here.entries[0]!.value, 'ends at this listener, TLSv1.3 or newer')
  assert.equal(here.entries[2]!.value, 'never sent')
  assert.deepEqual(here.limits, [])
  assert.deepEqual(describeTransport([], 'node').entries, [])
})
