// What a probe makes of the lines of an answer: by meaning, with the id of the common vocabulary.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { CellInfo } from '../../guard/cell.ts'
import type { Observation } from '../../guard/control.ts'
import { framingSurplus, observedFraming } from './framing.ts'
import { probeHeaders } from './probe.ts'
import { type HeadersSetting, headersDefaults } from './setting.ts'

const CELL: CellInfo = {
  id: '/v1/x',
  origin: 'route',
  method: undefined,
  path: '/v1/x',
  data: 'private',
  credentials: 'mixed',
}

function answer(...headers: readonly (readonly [string, string])[]): Observation {
  return { status: 200, headers, body: '', encrypted: true }
}

/** The ids that the probes of a setting find on an answer. */
function found(setting: HeadersSetting, seen: Observation): string[] {
  return probeHeaders([{ cell: CELL, setting }]).flatMap((probe) => probe.expect(seen).map(({ id }) => id))
}

type Row = readonly [lines: readonly string[], ...ids: string[]]

const TABLE: Readonly<
  Record<string, readonly [setting: HeadersSetting, header: string, rows: readonly Row[]]>
> = {
  nosniff: [
    { contentTypeOptions: 'nosniff' },
    'X-Content-Type-Options',
    [
      [['nosniff']],
      [['NoSniff']],
      [['nosniff, junk']],
      [['junk, nosniff'], 'xcto.invalid'],
      [['sniff'], 'xcto.invalid'],
      [[''], 'xcto.invalid'],
      [['nosniff', 'nosniff'], 'header.conflict'],
      [[], 'xcto.missing'],
    ],
  ],
  framing: [
    { frameOptions: 'SAMEORIGIN' },
    'X-Frame-Options',
    [
      [['SAMEORIGIN']],
      [['sameorigin']],
      [['DENY']],
      [['SAMEORIGIN', 'SAMEORIGIN'], 'header.conflict'],
      [['DENY, SAMEORIGIN'], 'xfo.invalid'],
      [['ALLOW-FROM https://a.example'], 'xfo.invalid'],
      [['ALLOWALL'], 'xfo.invalid'],
      [[], 'framing.missing'],
    ],
  ],
  'framing, stricter': [
    { frameOptions: 'DENY' },
    'X-Frame-Options',
    [[['SAMEORIGIN'], 'drift.header-value']],
  ],
  referrer: [
    { referrerPolicy: ['strict-origin-when-cross-origin'] },
    'Referrer-Policy',
    [
      [['strict-origin-when-cross-origin']],
      [['no-referrer']],
      [['unsafe-url, strict-origin']],
      [['no-referrer, some-future-word']],
      [['no-referrer, unsafe-url'], 'referrer.unsafe'],
      [['origin'], 'drift.header-value'],
      [['junk'], 'referrer.invalid'],
      [[], 'referrer.missing'],
    ],
  ],
  csp: [
    { contentSecurityPolicy: { 'default-src': ["'none'"], 'frame-ancestors': ["'none'"] } },
    'Content-Security-Policy',
    [
      [["default-src 'none'; frame-ancestors 'none'"]],
      [["DEFAULT-SRC 'NONE';;frame-ancestors 'none' ; base-uri 'none'"]],
      [["frame-ancestors 'none', default-src 'none'"]],
      [["default-src 'none'; frame-ancestors 'none'; default-src *"]],
      [["default-src 'none'"], 'csp.no-frame-ancestors'],
      [["default-src 'self'; frame-ancestors 'none'"], 'drift.header-value'],
      [["defualt-src 'none'; frame-ancestors 'none'"], 'csp.unknown-directive', 'drift.header-value'],
      [[''], 'drift.header-value', 'csp.no-frame-ancestors'],
      [[], 'csp.missing'],
    ],
  ],
  permissions: [
    { permissionsPolicy: { camera: [], fullscreen: ['self'] } },
    'Permissions-Policy',
    [
      [['camera=(), fullscreen=(self)']],
      [['fullscreen=self,camera=(), usb=()']],
      [['camera=()', 'fullscreen=()'], 'header.conflict'],
      [['camera=(self), fullscreen=(self)'], 'drift.header-value'],
      [['fullscreen=(self)'], 'drift.header-value'],
      [["camera 'none'; fullscreen 'self'"], 'permissions.invalid'],
      [['camera=(), '], 'permissions.invalid'],
      [['constructor=(), camera=(), fullscreen=()']],
      [[], 'drift.header-missing'],
    ],
  ],
  corp: [
    { crossOriginResourcePolicy: 'same-site' },
    'Cross-Origin-Resource-Policy',
    [
      [['same-site']],
      [['same-origin']],
      [['cross-origin'], 'drift.header-value'],
      [['Same-Site'], 'corp.invalid'],
      [['same-site', 'same-site'], 'corp.invalid'],
      [[], 'drift.header-missing'],
    ],
  ],
  coop: [
    { crossOriginOpenerPolicy: 'same-origin-allow-popups' },
    'Cross-Origin-Opener-Policy',
    [
      [['same-origin-allow-popups']],
      [['same-origin; report-to="x"']],
      [['noopener-allow-popups'], 'drift.header-value'],
      [['SAME-ORIGIN'], 'drift.header-value'],
      [[], 'coop.missing'],
    ],
  ],
  coep: [
    { crossOriginEmbedderPolicy: 'require-corp' },
    'Cross-Origin-Embedder-Policy',
    [[['require-corp']], [['credentialless'], 'drift.header-value'], [['unsafe-none'], 'drift.header-value']],
  ],
  'never sent': [
    { crossOriginEmbedderPolicy: false },
    'Cross-Origin-Embedder-Policy',
    [[[]], [['require-corp'], 'drift.header-extra']],
  ],
  stripped: [{ strip: headersDefaults.strip! }, 'X-Powered-By', [[[]], [['Express'], 'leak.framework']]],
  'stripped, deprecated': [
    { strip: headersDefaults.strip! },
    'Expect-CT',
    [[['max-age=0'], 'drift.header-extra']],
  ],
}

for (const [name, [setting, header, rows]] of Object.entries(TABLE))
  describe(`probe of ${name}`, () => {
    for (const [lines, ...ids] of rows)
      it(`${JSON.stringify(lines)} → ${ids.join(', ') || 'nothing'}`, () =>
        assert.deepEqual(found(setting, answer(...lines.map((value) => [header, value] as const))), ids))
  })

describe('probe of a nonce', () => {
  const setting: HeadersSetting = { contentSecurityPolicy: { 'script-src': ["'nonce'"] } }
  const csp = (nonce: string) => answer(['Content-Security-Policy', `script-src 'nonce-${nonce}'`])

  it('two answers must not carry the same', () => {
    const [first, second] = probeHeaders([{ cell: CELL, setting }])
    const nonce = 'q83vEjRWeJCrze8SNFZ4kA=='
    assert.deepEqual(first!.expect(csp(nonce)), [])
    assert.deepEqual(
      second!.expect(csp(nonce)).map(({ id }) => id),
      ['csp.static-nonce'],
    )
    assert.deepEqual(second!.expect(csp('AAAAEjRWeJCrze8SNFZ4kA==')), [])
  })

  it('one answer judged twice is no second answer', () => {
    const [first, second] = probeHeaders([{ cell: CELL, setting }])
    const seen = csp('q83vEjRWeJCrze8SNFZ4kA==')
    assert.deepEqual([...first!.expect(seen), ...second!.expect(seen)], [])
  })

  it('a short one is found', () => assert.ok(found(setting, csp('abc')).includes('csp.static-nonce')))
})

// HTML standard, section 7.3.1: words that contradict each other block, words that nobody knows do not.
describe('framing as a browser reads it', () => {
  const DENY = [{ 'frame-ancestors': ["'none'"] }]
  const rows: readonly (readonly [xfo: readonly string[], denies: boolean])[] = [
    [['DENY'], true],
    [['deny'], true],
    [['DENY', 'SAMEORIGIN'], true],
    [['DENY, junk'], true],
    [['ALLOWALL, junk'], true],
    [['junk, other'], false],
    [['ALLOWALL'], false],
    [['SAMEORIGIN'], false],
    [[], false],
  ]
  for (const [xfo, denies] of rows)
    it(`${JSON.stringify(xfo)} ${denies ? 'denies' : 'lets somebody frame'}`, () =>
      assert.equal(framingSurplus(DENY, observedFraming([], xfo)) === undefined, denies))

  it('frame-ancestors decides', () =>
    assert.notEqual(framingSurplus(DENY, observedFraming(["frame-ancestors 'self'"], ['DENY'])), undefined))
})

it('a policy that only reports is named as such', () => {
  assert.deepEqual(
    found(
      { contentSecurityPolicy: { 'default-src': ["'none'"] } },
      answer(['Content-Security-Policy-Report-Only', "default-src 'none'"]),
    ),
    ['csp.report-only'],
  )
})

it('no answer makes a probe throw', () => {
  const names = [
    'Content-Security-Policy',
    'Permissions-Policy',
    'Referrer-Policy',
    'X-Frame-Options',
    'Cross-Origin-Opener-Policy',
  ]
  const setting: HeadersSetting = {
    contentSecurityPolicy: { 'default-src': ["'none'"] },
    permissionsPolicy: { camera: [] },
    referrerPolicy: ['no-referrer'],
    frameOptions: 'DENY',
    crossOriginOpenerPolicy: 'same-origin',
  }
  const value = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc
      .array(
        fc.constantFrom(
          'camera',
          '=',
          '(',
          ')',
          '*',
          'self',
          '"',
          ';',
          ',',
          ' ',
          "'none'",
          'default-src',
          '%',
          'https://a.example/%zz',
        ),
      )
      .map((parts) => parts.join('')),
  )
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom(...names), value), { maxLength: 6 }), (lines) => {
      assert.ok(Array.isArray(found(setting, answer(...lines))))
    }),
  )
})
