import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isPublicSuffix, publicSuffixBelow, publicSuffixOf } from './public-suffix.ts'

// The registrable domain, as the list's own test vectors state it: the suffix and one label, `null` for a suffix.
function registrable(host: string): string | null {
  const suffix = publicSuffixOf(host)
  if (suffix === host) return null
  return host
    .split('.')
    .slice(-suffix.split('.').length - 1)
    .join('.')
}

const vectors: readonly (readonly [host: string, registrable: string | null])[] = [
  // A top-level name alone, known or unknown.
  ['com', null],
  ['orchard', null],
  ['shop.orchard', 'shop.orchard'],
  ['a.b.shop.orchard', 'shop.orchard'],
  // One rule.
  ['biz', null],
  ['acme.biz', 'acme.biz'],
  ['www.acme.biz', 'acme.biz'],
  // Rules of two labels.
  ['co.uk', null],
  ['acme.co.uk', 'acme.co.uk'],
  ['www.acme.co.uk', 'acme.co.uk'],
  ['acme.uk', 'acme.uk'],
  // Three labels deep, and a sibling that is no rule.
  ['ide.kyoto.jp', null],
  ['acme.ide.kyoto.jp', 'acme.ide.kyoto.jp'],
  ['acme.kyoto.jp', 'acme.kyoto.jp'],
  ['acme.jp', 'acme.jp'],
  // A wildcard rule and its exception.
  ['ck', null],
  ['any.ck', null],
  ['acme.any.ck', 'acme.any.ck'],
  ['www.acme.any.ck', 'acme.any.ck'],
  ['www.ck', 'www.ck'],
  ['www.www.ck', 'www.ck'],
  // A wildcard below a plain rule, with exceptions.
  ['kobe.jp', 'kobe.jp'],
  ['any.kobe.jp', null],
  ['acme.any.kobe.jp', 'acme.any.kobe.jp'],
  ['city.kobe.jp', 'city.kobe.jp'],
  ['www.city.kobe.jp', 'city.kobe.jp'],
  // The list's private part.
  ['github.io', null],
  ['acme.github.io', 'acme.github.io'],
  ['vercel.app', null],
  ['blogspot.com', null],
  ['s3.amazonaws.com', null],
  ['bucket.s3.amazonaws.com', 'bucket.s3.amazonaws.com'],
  ['amazonaws.com', 'amazonaws.com'],
  // Names in ASCII form.
  ['xn--55qx5d.cn', null],
  ['xn--85x722f.xn--55qx5d.cn', 'xn--85x722f.xn--55qx5d.cn'],
  ['xn--fiqs8s', null],
]

for (const [host, expected] of vectors)
  test(`the registrable domain of ${host} is ${expected ?? 'none: it is a public suffix'}`, () => {
    assert.equal(registrable(host), expected)
    assert.equal(isPublicSuffix(host), expected === null)
  })

test('a host above a public suffix is told apart from one that only has names of its own below it', () => {
  assert.equal(publicSuffixBelow('kobe.jp'), '*.kobe.jp')
  assert.match(publicSuffixBelow('amazonaws.com') ?? '', /\.amazonaws\.com$/)
  assert.equal(publicSuffixBelow('core.windows.net'), 'blob.core.windows.net')
  assert.equal(publicSuffixBelow('linode.com'), 'members.linode.com')
  assert.equal(publicSuffixBelow('example.com'), undefined)
  assert.equal(publicSuffixBelow('www.ck'), undefined)
  assert.equal(publicSuffixBelow('example.orchard'), undefined)
})

test('a suffix found below a host is a public suffix', () => {
  for (const host of ['amazonaws.com', 'windows.net', 'kyoto.jp', 'uk', 'us', 'no'])
    assert.ok(isPublicSuffix(publicSuffixBelow(host)!.replace('*', 'any')), host)
})

test('any text gets an answer that ends the text', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string(), fc.domain(), fc.string({ unit: fc.constantFrom(...'.,()!*?\nac') })),
      (host) => {
        assert.ok(host.endsWith(publicSuffixOf(host)))
        publicSuffixBelow(host)
      },
    ),
  )
})
