// An independent reading of the Content Security Policy standard: may this URL be loaded? Written step by step after
// section 6.7.2 on parsed URLs, it shares nothing with the comparison, which must never call a policy stronger or equal
// that lets a load through which the other blocks.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { runs } from '../../../test/runs.ts'
import { verdictOf } from '../faces.ts'
import { compareCsp } from './csp-compare.ts'
import { covers, parseSource } from './csp-source.ts'

const SELF = new URL('https://self.example/')

function schemeMatches(a: string, b: string): boolean {
  return (
    a === b ||
    (a === 'http' && b === 'https') ||
    (a === 'ws' && ['wss', 'http', 'https'].includes(b)) ||
    (a === 'wss' && b === 'https')
  )
}

function sourceMatches(source: string, url: URL): boolean {
  const scheme = url.protocol.slice(0, -1)
  if (source === '*') return ['http', 'https', 'ws', 'wss'].includes(scheme)
  if (source === "'self'") return url.host === SELF.host && (scheme === 'https' || scheme === 'wss')
  if (/^[a-z]+:$/.test(source)) return schemeMatches(source.slice(0, -1), scheme)
  const match = /^(?:([a-z]+):\/\/)?([^:/]+)(?::([^/]+))?(\/.*)?$/.exec(source)
  if (!match || source.startsWith("'")) return false
  const [, part, host, port, path] = match
  if (!schemeMatches(part ?? 'https', scheme) || url.hostname === '') return false
  if (host !== '*') {
    if (host!.startsWith('*.') ? !url.hostname.endsWith(host!.slice(1)) : url.hostname !== host) return false
  }
  const defaults: Record<string, string> = { http: '80', https: '443', ws: '80', wss: '443' }
  const actual = url.port === '' ? defaults[scheme]! : url.port
  if (port === undefined ? actual !== defaults[scheme] : port !== '*' && port !== actual) return false
  if (path === undefined) return true
  return path.endsWith('/') ? url.pathname.startsWith(path) : url.pathname === path
}

const FALLBACK: Record<string, string[]> = {
  'script-src-elem': ['script-src-elem', 'script-src', 'default-src'],
  'style-src-elem': ['style-src-elem', 'style-src', 'default-src'],
  'img-src': ['img-src', 'default-src'],
  'connect-src': ['connect-src', 'default-src'],
  'frame-src': ['frame-src', 'child-src', 'default-src'],
  'worker-src': ['worker-src', 'child-src', 'script-src', 'default-src'],
  'object-src': ['object-src', 'default-src'],
  'form-action': ['form-action'],
  'base-uri': ['base-uri'],
}

function allows(csp: Record<string, readonly string[]>, kind: string, url: URL): boolean {
  const governing = FALLBACK[kind]!.find((name) => csp[name] !== undefined)
  if (governing === undefined) return true
  const list = csp[governing]!
  const script = kind === 'script-src-elem' || (kind === 'worker-src' && governing === 'script-src')
  if (script && list.includes("'strict-dynamic'")) return false
  return list.some((source) => sourceMatches(source, url))
}

const hosts = ['a.example', 'x.a.example', 'b.example', 'self.example']
const source = fc.oneof(
  fc.constantFrom(
    '*',
    "'self'",
    'https:',
    'http:',
    'data:',
    'wss:',
    'ws:',
    "'nonce'",
    "'unsafe-inline'",
    "'strict-dynamic'",
    "'unsafe-eval'",
    "'sha256-AAAA'",
    '*.example',
    'https://*',
    '*:*',
  ),
  fc
    .tuple(
      fc.constantFrom('', 'https://', 'http://', 'wss://'),
      fc.constantFrom(...hosts, '*.a.example', '*.example'),
      fc.constantFrom('', '', ':443', ':80', ':8443', ':*'),
      fc.constantFrom('', '', '/', '/js/', '/js/app.js', '/js'),
    )
    .map((parts) => parts.join('')),
)
const list = fc.oneof(fc.constant(["'none'"]), fc.uniqueArray(source, { minLength: 1, maxLength: 4 }))
const directives = [...new Set(Object.values(FALLBACK).flat())]
const csp = fc.dictionary(fc.constantFrom(...directives), list, { maxKeys: 4, noNullPrototype: true })

// Two policies that differ in one source: of two random ones nearly all are incomparable, whatever the comparison says.
const oneSourceApart = fc
  .tuple(csp, fc.constantFrom(...directives), fc.uniqueArray(source, { maxLength: 2 }), source, source)
  .map(([base, directive, common, a, b]) => [
    { ...base, [directive]: [...common, a] },
    { ...base, [directive]: [...common, b] },
  ])

const url = fc
  .tuple(
    fc.constantFrom('https', 'http', 'wss', 'ws'),
    fc.constantFrom(...hosts),
    fc.constantFrom('', ':8443', ':443', ':80'),
    fc.constantFrom('/', '/js', '/js/', '/js/app.js', '/other'),
  )
  .map(([scheme, host, port, path]) => new URL(`${scheme}://${host}${port}${path}`))
const anyUrl = fc.oneof(
  { weight: 8, arbitrary: url },
  { weight: 1, arbitrary: fc.constant(new URL('data:text/html,x')) },
)

// WebSockets are opened by connect-src only.
const load = fc
  .tuple(fc.constantFrom(...Object.keys(FALLBACK)), anyUrl)
  .filter(([kind, where]) => kind === 'connect-src' || !where.protocol.startsWith('ws'))

describe('CSP against an independent matcher', () => {
  it('a policy that lets a load through which the other blocks is never called stronger or equal', () => {
    fc.assert(
      fc.property(
        oneSourceApart,
        fc.array(load, { minLength: 40, maxLength: 60 }),
        ([before, after], loads) => {
          assert.ok(before && after)
          const gained = loads.find(
            ([kind, where]) => allows(after, kind, where) && !allows(before, kind, where),
          )
          if (gained === undefined) return
          const verdict = verdictOf(compareCsp([before], [after]))
          assert.ok(
            verdict === 'weaker' || verdict === 'incomparable',
            `${verdict}: ${gained[0]} ${gained[1].href} by ${JSON.stringify(after)} not ${JSON.stringify(before)}`,
          )
        },
      ),
      runs(2000),
    )
  })

  it('a source that covers another matches all that the other matches', () => {
    fc.assert(
      fc.property(
        source,
        source,
        fc.array(anyUrl, { minLength: 10, maxLength: 30 }),
        (outer, inner, urls) => {
          const [a, b] = [parseSource(outer), parseSource(inner)]
          if (!a || !b || !covers(a, b, 'connect')) return
          for (const where of urls)
            if (sourceMatches(inner, where))
              assert.ok(sourceMatches(outer, where), `${outer} ${inner} ${where.href}`)
        },
      ),
      runs(2000),
    )
  })

  it('the standard’s own statements on matching hold', () => {
    const covered: readonly [outer: string, inner: string, yes: boolean][] = [
      ['http:', 'https:', true],
      ['https:', 'http:', false],
      ['http://a.example', 'https://a.example', true],
      ['https://a.example', 'http://a.example', false],
      ['*.a.example', 'x.a.example', true],
      ['*.a.example', 'a.example', false],
      ['*.example', '*.a.example', true],
      ['*.a.example', '*.example', false],
      ['*', 'https:', true],
      ['*', 'data:', false],
      ['https:', '*', false],
      ['*', "'self'", true],
      ["'self'", 'https://self.example', false],
      ['https://a.example', 'https://a.example:443', true],
      ['https://a.example', 'https://a.example:8443', false],
      ['https://a.example:*', 'https://a.example:8443', true],
      ['https://a.example/js/', 'https://a.example/js/app.js', true],
      ['https://a.example/js', 'https://a.example/js/app.js', false],
      ['https://a.example/js', 'https://a.example/js/', false],
      ['https://a.example/js/app', 'https://a.example/js/', false],
      ['https://a.example/js/', 'https://a.example', false],
      ['https://a.example/a%2Fb', 'https://a.example/a%2fb', true],
      ['HTTPS://A.Example', 'https://a.example', true],
      ['a.example', 'https://a.example', true],
    ]
    for (const [outer, inner, yes] of covered)
      assert.equal(covers(parseSource(outer)!, parseSource(inner)!, 'other'), yes, `${outer} covers ${inner}`)
  })
})
