// Which of two settings is the stronger, case by case, and in both directions.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Strength } from '../../guard/control.ts'
import { verdictOf } from '../faces.ts'
import { compareHeaders } from './compare.ts'
import type { HeadersSetting } from './setting.ts'

const verdict = (before: HeadersSetting, after: HeadersSetting) => verdictOf(compareHeaders(before, after))
const MIRROR: Readonly<Record<Strength, Strength>> = {
  stronger: 'weaker',
  weaker: 'stronger',
  neutral: 'neutral',
  incomparable: 'incomparable',
}

/** Asserts the verdict in both directions, and that a weaker change says what has become possible. */
function expectVerdict(before: HeadersSetting, after: HeadersSetting, wanted: Strength) {
  const changes = compareHeaders(before, after)
  assert.equal(verdictOf(changes), wanted, JSON.stringify(changes))
  assert.equal(verdict(after, before), MIRROR[wanted])
  for (const { because, what } of changes) {
    assert.ok(because.length > 15, `${what}: ${because}`)
    assert.notEqual(what, '')
  }
}

const csp = (contentSecurityPolicy: Record<string, readonly string[]>): HeadersSetting => ({
  contentSecurityPolicy,
})

type Case = readonly [before: HeadersSetting, after: HeadersSetting, wanted: Strength]

const CASES: Readonly<Record<string, readonly Case[]>> = {
  'X-Content-Type-Options': [
    [{ contentTypeOptions: 'nosniff' }, {}, 'weaker'],
    [{ contentTypeOptions: 'nosniff' }, { contentTypeOptions: false }, 'weaker'],
    [{ contentTypeOptions: false }, {}, 'incomparable'],
  ],
  framing: [
    [{ frameOptions: 'SAMEORIGIN' }, { frameOptions: 'DENY' }, 'stronger'],
    [{ frameOptions: 'SAMEORIGIN' }, { frameOptions: false }, 'weaker'],
    [{ frameOptions: 'SAMEORIGIN' }, {}, 'weaker'],
    // frame-ancestors decides over X-Frame-Options.
    [
      { frameOptions: 'DENY', ...csp({ 'frame-ancestors': ["'none'"] }) },
      { frameOptions: 'SAMEORIGIN', ...csp({ 'frame-ancestors': ["'none'"] }) },
      'neutral',
    ],
    [
      { frameOptions: 'SAMEORIGIN', ...csp({ 'default-src': ["'none'"], 'frame-ancestors': ["'none'"] }) },
      {
        frameOptions: 'SAMEORIGIN',
        ...csp({ 'default-src': ["'none'"], 'frame-ancestors': ['https://a.example'] }),
      },
      'weaker',
    ],
    [
      csp({ 'default-src': ["'none'"], 'frame-ancestors': ['https://a.example'] }),
      csp({ 'default-src': ["'none'"], 'frame-ancestors': ['https://b.example'] }),
      'incomparable',
    ],
  ],
  'Referrer-Policy': [
    [{ referrerPolicy: ['no-referrer'] }, { referrerPolicy: ['strict-origin-when-cross-origin'] }, 'weaker'],
    [{ referrerPolicy: ['same-origin'] }, { referrerPolicy: ['strict-origin'] }, 'incomparable'],
    [{ referrerPolicy: ['origin'] }, { referrerPolicy: ['strict-origin'] }, 'stronger'],
    [{ referrerPolicy: ['no-referrer-when-downgrade'] }, { referrerPolicy: ['unsafe-url'] }, 'weaker'],
    [{ referrerPolicy: ['unsafe-url', 'no-referrer'] }, { referrerPolicy: ['no-referrer'] }, 'neutral'],
    [{ referrerPolicy: ['strict-origin-when-cross-origin'] }, { referrerPolicy: false }, 'neutral'],
    [{ referrerPolicy: ['unsafe-url'] }, {}, 'incomparable'],
  ],
  isolation: [
    [
      { crossOriginOpenerPolicy: 'same-origin' },
      { crossOriginOpenerPolicy: 'same-origin-allow-popups' },
      'weaker',
    ],
    [
      { crossOriginOpenerPolicy: 'same-origin' },
      { crossOriginOpenerPolicy: 'noopener-allow-popups' },
      'incomparable',
    ],
    [{ crossOriginOpenerPolicy: 'unsafe-none' }, { crossOriginOpenerPolicy: false }, 'neutral'],
    [
      { crossOriginEmbedderPolicy: 'require-corp' },
      { crossOriginEmbedderPolicy: 'credentialless' },
      'incomparable',
    ],
    [{ crossOriginEmbedderPolicy: 'require-corp' }, { crossOriginEmbedderPolicy: false }, 'weaker'],
    [{ crossOriginResourcePolicy: 'same-site' }, { crossOriginResourcePolicy: 'same-origin' }, 'stronger'],
    [{ crossOriginResourcePolicy: 'cross-origin' }, { crossOriginResourcePolicy: false }, 'neutral'],
    [{ originAgentCluster: '?1' }, { originAgentCluster: '?0' }, 'weaker'],
    [{ dnsPrefetchControl: 'off' }, { dnsPrefetchControl: 'on' }, 'weaker'],
    [{ permittedCrossDomainPolicies: 'none' }, { permittedCrossDomainPolicies: 'master-only' }, 'weaker'],
  ],
  'Content-Security-Policy': [
    [csp({ 'default-src': ["'self'"] }), csp({ 'default-src': ["'none'"] }), 'stronger'],
    [csp({ 'default-src': ["'none'"] }), csp({ 'default-src': ["'none'"], 'img-src': ['https:'] }), 'weaker'],
    // No fallback: absent is everything.
    [
      csp({ 'default-src': ["'none'"], 'base-uri': ["'none'"] }),
      csp({ 'default-src': ["'none'"] }),
      'weaker',
    ],
    [
      csp({ 'default-src': ["'none'"], 'form-action': ["'self'"] }),
      csp({ 'default-src': ["'none'"] }),
      'weaker',
    ],
    [csp({ 'script-src': ["'self'"] }), csp({ 'script-src': ["'self'", "'unsafe-inline'"] }), 'weaker'],
    [csp({ 'script-src': ["'unsafe-inline'"] }), csp({ 'script-src': ["'nonce'"] }), 'stronger'],
    [csp({ 'script-src': ["'nonce'"] }), csp({ 'script-src': ["'nonce'", "'strict-dynamic'"] }), 'weaker'],
    [
      csp({ 'script-src': ['https://a.example'] }),
      csp({ 'script-src': ["'nonce'", "'strict-dynamic'"] }),
      'incomparable',
    ],
    [csp({ 'script-src': ["'self'"] }), csp({ 'script-src': ["'self'", "'unsafe-eval'"] }), 'weaker'],
    // 'unsafe-inline' is void beside a nonce, a hash or (for scripts) 'strict-dynamic'.
    [csp({ 'script-src': ["'nonce'"] }), csp({ 'script-src': ["'nonce'", "'unsafe-inline'"] }), 'neutral'],
    [
      csp({ 'style-src': ["'sha256-AAAA'"] }),
      csp({ 'style-src': ["'sha256-AAAA'", "'unsafe-inline'"] }),
      'neutral',
    ],
    [
      csp({ 'script-src': ["'strict-dynamic'"] }),
      csp({ 'script-src': ["'strict-dynamic'", "'unsafe-inline'"] }),
      'neutral',
    ],
    [
      csp({ 'style-src': ["'strict-dynamic'"] }),
      csp({ 'style-src': ["'strict-dynamic'", "'unsafe-inline'"] }),
      'weaker',
    ],
    [
      csp({ 'script-src': ["'unsafe-inline'"] }),
      csp({ 'script-src': ["'unsafe-inline'", "'unsafe-eval'"] }),
      'weaker',
    ],
    [csp({ 'script-src': ["'unsafe-eval'"] }), csp({ 'script-src': ["'wasm-unsafe-eval'"] }), 'stronger'],
    [csp({ 'script-src': ["'self'"] }), csp({ 'script-src': ["'self'", "'report-sample'"] }), 'neutral'],
    [
      csp({ 'default-src': ["'self'"] }),
      csp({ 'default-src': ["'self'"], 'img-src': ["'self'"] }),
      'neutral',
    ],
    [
      csp({ 'default-src': ["'none'"], sandbox: [] }),
      csp({ 'default-src': ["'none'"], sandbox: ['allow-scripts'] }),
      'weaker',
    ],
    [
      csp({ 'default-src': ["'none'"] }),
      csp({ 'default-src': ["'none'"], sandbox: ['allow-scripts'] }),
      'stronger',
    ],
    [
      csp({ 'default-src': ["'none'"], 'upgrade-insecure-requests': [] }),
      csp({ 'default-src': ["'none'"] }),
      'weaker',
    ],
    [
      csp({ 'default-src': ["'none'"], 'require-trusted-types-for': ["'script'"] }),
      csp({ 'default-src': ["'none'"] }),
      'weaker',
    ],
    [
      csp({ 'default-src': ["'none'"], 'trusted-types': ['a'] }),
      csp({ 'default-src': ["'none'"], 'trusted-types': ['a', 'b'] }),
      'weaker',
    ],
    [csp({ 'default-src': ["'none'"], 'report-to': ['csp'] }), csp({ 'default-src': ["'none'"] }), 'weaker'],
    [csp({ 'default-src': ["'none'"] }), { contentSecurityPolicy: false }, 'weaker'],
    [csp({ 'default-src': ["'none'"] }), {}, 'weaker'],
    // A policy on trial keeps nothing away.
    [
      { contentSecurityPolicy: { 'default-src': ["'none'"] } },
      { contentSecurityPolicy: false, contentSecurityPolicyReportOnly: { 'default-src': ["'none'"] } },
      'incomparable',
    ],
  ],
  'Permissions-Policy': [
    [{ permissionsPolicy: { camera: [] } }, { permissionsPolicy: { camera: ['self'] } }, 'weaker'],
    [{ permissionsPolicy: { camera: [], usb: [] } }, { permissionsPolicy: { camera: [] } }, 'weaker'],
    [
      { permissionsPolicy: { camera: ['self'] } },
      { permissionsPolicy: { camera: ['self', 'https://a.example'] } },
      'weaker',
    ],
    [
      { permissionsPolicy: { camera: ['https://*.a.example'] } },
      { permissionsPolicy: { camera: ['https://x.a.example'] } },
      'stronger',
    ],
    [
      { permissionsPolicy: { camera: ['self'] } },
      { permissionsPolicy: { camera: ['https://a.example'] } },
      'incomparable',
    ],
    [{ permissionsPolicy: { 'sync-xhr': ['*'] } }, { permissionsPolicy: false }, 'neutral'],
    [{ permissionsPolicy: { camera: [] } }, {}, 'weaker'],
  ],
  strip: [
    [{ strip: { server: 'x' } }, { strip: {} }, 'weaker'],
    [{ strip: { server: 'x' } }, { strip: { server: false } }, 'weaker'],
    [{ strip: { server: 'x' } }, { strip: false }, 'weaker'],
    [{ strip: { server: 'x' } }, { strip: { server: 'another reason' } }, 'neutral'],
  ],
  'mode and reports': [
    [{ frameOptions: 'DENY' }, { mode: 'report', frameOptions: 'DENY' }, 'weaker'],
    [{ mode: 'report' }, { mode: 'off' }, 'weaker'],
    [{ mode: 'report', frameOptions: 'DENY' }, { mode: 'report', frameOptions: 'SAMEORIGIN' }, 'neutral'],
    [
      { reportingEndpoints: { csp: 'https://a.example/' } },
      { reportingEndpoints: { csp: 'https://b.example/' } },
      'neutral',
    ],
    [{ reportingEndpoints: { csp: 'https://a.example/' } }, { reportingEndpoints: {} }, 'weaker'],
    [{ reportingEndpoints: { constructor: 'https://a.example/' } }, { reportingEndpoints: {} }, 'weaker'],
  ],
}

for (const [name, cases] of Object.entries(CASES))
  describe(`order of ${name}`, () => {
    for (const [before, after, wanted] of cases)
      it(`${JSON.stringify(before)} → ${JSON.stringify(after)} is ${wanted}`, () =>
        expectVerdict(before, after, wanted))
  })

it('a weaker change names what an attacker gains', () => {
  const [change] = compareHeaders(
    csp({ 'script-src': ["'self'"] }),
    csp({ 'script-src': ["'self'", 'https://evil.example'] }),
  )
  assert.equal(change!.strength, 'weaker')
  assert.match(change!.because, /https:\/\/evil\.example/)
})
