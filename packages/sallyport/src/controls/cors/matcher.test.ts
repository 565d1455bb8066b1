import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { runs } from '../../../test/runs.ts'
import { lookAlikes } from './examples.ts'
import { compilePatterns } from './matcher.ts'
import { isOriginFault, type ListedOrigin, parseOrigin } from './origin.ts'

function listed(text: string): ListedOrigin {
  const origin = parseOrigin(text)
  assert.ok(!isOriginFault(origin), text)
  return origin
}

function matcher(...texts: string[]) {
  return compilePatterns(texts.map(listed))
}

const ONE = matcher('https://*.example.com')

const cases: readonly (readonly [origin: string, matches: boolean])[] = [
  ['https://app.example.com', true],
  ['https://a.b.c.example.com', true],
  ['https://xn--mnchen-3ya.example.com', true],
  ['https://0.example.com', true],
  ['https://example.com', false],
  ['https://.example.com', false],
  ['https://a..example.com', false],
  ['https://evilexample.com', false],
  ['https://app.example.com.evil.example', false],
  ['https://app.example.com.', false],
  ['https://appxexample.com', false],
  ['https://app.examplexcom', false],
  ['https://a_b.example.com', false],
  ['https://app.example.com_.evil.example', false],
  ['https://app.example.com:443', false],
  ['https://app.example.com:8443', false],
  ['https://app.example.com:', false],
  ['https://evil.example:1/.example.com', false],
  ['https://evil.example/.example.com', false],
  ['https://evil.example?.example.com', false],
  ['https://evil.example#.example.com', false],
  ['https://me@app.example.com', false],
  ['https://app.example.com@evil.example', false],
  ['https://evil.example\\.example.com', false],
  ['https://evil.example`.example.com', false],
  ['https://evil.example%00.example.com', false],
  ['https://App.example.com', false],
  ['https://app.Example.com', false],
  ['http://app.example.com', false],
  ['HTTPS://app.example.com', false],
  ['ftp://app.example.com', false],
  ['https://*.example.com', false],
  ['https:/app.example.com', false],
  ['https://app.example.com https://evil.example', false],
  ['null', false],
  ['', false],
  [`https://${'a'.repeat(63)}.example.com`, true],
  [`https://${'a'.repeat(64)}.example.com`, false],
  [`https://${'a.'.repeat(200)}example.com`, false],
]

for (const [origin, matches] of cases)
  test(`https://*.example.com ${matches ? 'covers' : 'does not cover'} ${JSON.stringify(origin.slice(0, 60))}`, () => {
    assert.equal(ONE(origin), matches)
  })

test('a pattern with a port covers that port only', () => {
  const match = matcher('https://*.example.com:8443', 'http://*.localhost:3000')
  assert.equal(match('https://a.example.com:8443'), true)
  assert.equal(match('https://a.example.com'), false)
  assert.equal(match('https://a.example.com:84430'), false)
  assert.equal(match('http://a.localhost:3000'), true)
  assert.equal(match('https://a.localhost:3000'), false)
})

test('a list without patterns covers nothing', () => {
  assert.equal(matcher('https://app.example.com')('https://app.example.com'), false)
})

// What a pattern means, said the slow way: parse as a browser does, then compare the labels.
function means(pattern: ListedOrigin, origin: string): boolean {
  let url: URL
  try {
    url = new URL(origin)
  } catch {
    return false
  }
  if (url.origin !== origin || url.protocol !== `${pattern.scheme}:` || url.port !== pattern.port)
    return false
  const labels = url.hostname.split('.')
  const base = pattern.host.split('.')
  return (
    labels.length > base.length &&
    base.every((label, index) => labels[labels.length - base.length + index] === label) &&
    labels.every((label) => /^[a-z0-9-]{1,63}$/.test(label))
  )
}

const label = fc.constantFrom('a', 'b', 'example', 'com', 'evil', 'team', 'a-b', 'a_b', '', 'A')
const origins = fc
  .tuple(
    fc.constantFrom('https://', 'https://', 'http://', 'https:', ''),
    fc.array(label, { minLength: 1, maxLength: 6 }),
    fc.constantFrom('.', '.', '.', 'x', '/'),
    fc.constantFrom('', '', ':8443', ':3000', ':', ':443'),
  )
  .map(([scheme, labels, dot, port]) => scheme + labels.join(dot) + port)
const patterns = fc.uniqueArray(
  fc.constantFrom(
    'https://*.example.com',
    'https://*.team.example.com',
    'https://*.evil.example.com',
    'https://*.example.com:8443',
    'http://*.localhost:3000',
  ),
  { minLength: 1 },
)

test('patterns match what they mean, by a browser’s reading of the origin', () => {
  fc.assert(
    fc.property(
      patterns,
      fc.oneof(
        origins,
        origins.map((origin) => origin.replace(/(:\d+)?$/, '.example.com$1')),
      ),
      (texts, origin) => {
        assert.equal(
          matcher(...texts)(origin),
          texts.some((text) => means(listed(text), origin)),
          origin,
        )
      },
    ),
    runs(3000),
  )
})

test('no text makes the matcher throw, and nothing but an origin below the host matches', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.string().map((text) => `https://${text}.example.com`),
      ),
      (origin) => {
        if (ONE(origin)) assert.ok(means(listed('https://*.example.com'), origin), origin)
      },
    ),
  )
})

test('no look-alike of a listed origin matches its pattern', () => {
  fc.assert(
    fc.property(fc.domain(), fc.option(fc.integer({ min: 1, max: 65535 })), (domain, port) => {
      const pattern = parseOrigin(
        new URL(`https://x.${domain}${port === null ? '' : `:${port}`}`).origin.replace('x.', '*.'),
      )
      if (isOriginFault(pattern)) return
      const match = compilePatterns([pattern])
      assert.ok(match(pattern.text.replace('*', 'a')))
      for (const [name, origin] of lookAlikes(pattern))
        assert.equal(match(origin), false, `${name}: ${origin}`)
    }),
  )
})
