// Canonical paths: the table of path confusions, each with the fault that is found and the cell that it meets.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { runs } from '../../test/runs.ts'
import { createGuard } from '../guard/guard.ts'
import { type PathFault, pathFault } from './canonical.ts'

const CONFUSIONS: readonly (readonly [path: string, fault: PathFault, source: string])[] = [
  ['/public/../admin', 'dot-segment', 'RFC 3986 5.2.4'],
  ['/public/./admin', 'dot-segment', 'RFC 3986 5.2.4'],
  ['/./admin', 'dot-segment', 'RFC 3986 5.2.4'],
  ['/../admin', 'dot-segment', 'RFC 3986 5.2.4'],
  ['/public/..', 'dot-segment', 'a last segment'],
  ['/public/.', 'dot-segment', 'a last segment'],
  ['/public/%2e%2e/admin', 'lower-case-escape', 'CVE-2021-41773'],
  ['/public/%2E%2E/admin', 'dot-segment', 'CVE-2021-41773'],
  ['/public/.%2E/admin', 'dot-segment', 'CVE-2021-41773'],
  ['/public/%2E./admin', 'dot-segment', 'CVE-2021-41773'],
  ['/public/%2E/admin', 'dot-segment', 'encoded single dot'],
  ['/public/%252E%252E/admin', 'double-escape', 'decoded twice'],
  ['/public/%252e%252e/admin', 'double-escape', 'decoded twice'],
  ['/public/..%252Fadmin', 'double-escape', 'decoded twice'],
  ['/public/%25%32%65', 'needless-escape', 'escapes of an escape'],
  ['/public%2F..%2Fadmin', 'encoded-separator', 'CVE-2021-42013'],
  ['/public/..%2Fadmin', 'encoded-separator', 'CVE-2021-42013'],
  ['/public%2Fadmin', 'encoded-separator', 'a slash that is data to some'],
  ['/public%2fadmin', 'lower-case-escape', 'a slash that is data to some'],
  ['//admin', 'empty-segment', 'merged slashes; a host to URL parsers'],
  ['/public//admin', 'empty-segment', 'merged slashes'],
  ['///admin', 'empty-segment', 'merged slashes'],
  ['/public//', 'empty-segment', 'merged slashes'],
  ['/\\evil.example', 'backslash', 'a host to URL parsers'],
  ['/public\\..\\admin', 'backslash', 'a separator on Windows and in URL parsers'],
  ['/public/..\\admin', 'backslash', 'a separator on Windows'],
  ['/public%5C..%5Cadmin', 'encoded-separator', 'a separator on Windows'],
  ['/public/..;/admin', 'semicolon', 'Tomcat path parameters'],
  ['/public;x=1/admin', 'semicolon', 'Tomcat path parameters'],
  ['/;/admin', 'semicolon', 'Tomcat path parameters'],
  ['/admin;.css', 'semicolon', 'web cache deception'],
  ['/admin%3B.css', 'semicolon', 'web cache deception, encoded'],
  ['/admin%00', 'control-character', 'cut at NUL'],
  ['/admin%00.css', 'control-character', 'web cache deception by NUL'],
  ['/admin%0A', 'control-character', 'cut at the line end'],
  ['/admin%0D%0AX:1', 'control-character', 'response splitting'],
  ['/admin%7F', 'control-character', 'DEL'],
  ['/admin\u0000', 'control-character', 'raw NUL'],
  ['/admin\n', 'control-character', 'raw line end'],
  ['/%C0%AE%C0%AE/admin', 'invalid-utf8', 'overlong dots, CVE-2008-2938'],
  ['/public%C0%AFadmin', 'invalid-utf8', 'overlong slash, CVE-2000-0884'],
  ['/%E0%80%AE/admin', 'invalid-utf8', 'overlong in three bytes'],
  ['/%F0%80%80%AE/admin', 'invalid-utf8', 'overlong in four bytes'],
  ['/%ED%A0%80', 'invalid-utf8', 'a surrogate'],
  ['/%F4%90%80%80', 'invalid-utf8', 'beyond U+10FFFF'],
  ['/%FF', 'invalid-utf8', 'no UTF-8 at all'],
  ['/%C3', 'invalid-utf8', 'cut short'],
  ['/%C3x', 'invalid-utf8', 'cut short'],
  ['/%C3%28', 'invalid-utf8', 'no continuation'],
  ['/%80', 'invalid-utf8', 'a continuation alone'],
  ['/caf%c3%a9', 'lower-case-escape', 'RFC 3986 6.2.2.1'],
  ['/%61dmin', 'needless-escape', 'RFC 3986 6.2.2.2'],
  ['/%41dmin', 'needless-escape', 'RFC 3986 6.2.2.2'],
  ['/adm%2Din', 'needless-escape', 'RFC 3986 6.2.2.2'],
  ['/admin%', 'bad-escape', 'no digits'],
  ['/admin%2', 'bad-escape', 'one digit'],
  ['/admin%2G', 'bad-escape', 'no hexadecimal digit'],
  ['/admin%u002e', 'bad-escape', 'the escapes of IIS'],
  ['/caf\u00e9', 'raw-character', 'raw non-ASCII'],
  ['/\uff0e\uff0e/admin', 'raw-character', 'dots of full width'],
  ['/a b', 'raw-character', 'a space'],
  ['/a"b', 'raw-character', 'no path character'],
  ['/a|b', 'raw-character', 'no path character'],
  ['/a^b', 'raw-character', 'no path character'],
  ['/a[b]', 'raw-character', 'no path character'],
  ['/a?b', 'raw-character', 'a query is not part of it'],
  ['/a#b', 'raw-character', 'a fragment is not part of it'],
  ['', 'not-absolute', 'nothing'],
  ['*', 'not-absolute', 'asterisk form'],
  ['admin', 'not-absolute', 'no slash'],
  ['http://h/admin', 'not-absolute', 'absolute form'],
]

// The paths that are canonical, and a program that ignores letter case or a trailing slash takes for another route.
const ALIASES: readonly (readonly [method: string, path: string])[] = [
  ['GET', '/ADMIN'],
  ['GET', '/Admin/users'],
  ['GET', '/public/'],
  ['GET', '/PUBLIC'],
  ['GET', '/reports'],
  ['GET', '/reports/'],
  ['GET', '/Reports/'],
  ['GET', '/users/me'],
  ['POST', '/Items'],
  ['GET', '/folder'],
]

const CANONICAL = [
  '/',
  '/admin',
  '/admin/users/42',
  '/public',
  '/Reports',
  '/users/42',
  '/users/Me',
  '/folder/',
  '/a/b/',
  '/.well-known/security.txt',
  '/...',
  '/a..b',
  '/..a',
  '/caf%C3%A9',
  '/%F0%9F%98%80',
  '/a%20b',
  '/100%25',
  '/100%25x',
  '/a%25g0',
  "/~a-b_c.d!$&'()*+,=:@",
  '/a%22b',
]

const guard = createGuard(
  {
    routes: {
      '/admin/*': {},
      '/public': { data: 'public' },
      '/Reports': {},
      '/users/:id': {},
      '/users/Me': {},
      'POST /items': {},
      'GET /Items': {},
      '/folder/': {},
    },
  },
  'node',
)

function cellOf(method: string, target: string): string {
  return guard.open({
    method,
    target,
    httpVersion: '1.1',
    rawHeaders: [],
    header: () => undefined,
    peer: undefined,
    encrypted: false,
  }).cell.id
}

describe('canonical paths', () => {
  for (const [path, fault, source] of CONFUSIONS)
    test(`${JSON.stringify(path)} is refused a route: ${fault} (${source})`, () => {
      assert.equal(pathFault(path), fault)
      // A "?" begins the query, and a scheme the absolute form: for them the guard sees another path.
      if (!path.includes('?') && !path.startsWith('http')) assert.match(cellOf('GET', path), /^!/)
    })

  for (const [method, path] of ALIASES)
    test(`${method} ${path} is another route to a careless program, and meets the strict cell`, () => {
      assert.equal(pathFault(path), undefined)
      assert.match(cellOf(method, path), /^!/)
    })

  for (const path of CANONICAL)
    test(`${path} is canonical, with or without a query`, () => {
      assert.equal(pathFault(path), undefined)
      assert.doesNotMatch(cellOf('GET', path), /^!/)
      assert.doesNotMatch(cellOf('GET', `${path}?a=/../%2e`), /^!/)
      assert.equal(pathFault(`${path}?../`, path.length), undefined)
    })

  test('every path as a browser writes it, from any segments of text, is canonical or keeps a character that browsers do not escape', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme', minLength: 1 }), { minLength: 1 }), (segments) => {
        const { pathname } = new URL(`http://h/${segments.map(encodeURIComponent).join('/')}`)
        const decodesOnce = !/%25[0-9A-F]{2}|%2F|%5C|%3B|%[01]|%7F/i.test(pathname)
        if (decodesOnce && !pathname.includes('//')) assert.equal(pathFault(pathname), undefined, pathname)
      }),
    )
  })

  test('a canonical path decodes in one way and comes back as it was', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        '/',
        'a',
        'Z',
        '.',
        '%',
        '%2',
        '%2E',
        '%C3%A9',
        '%41',
        '%25',
        '2e',
        ';',
        '\\',
        '~',
        ':',
      ),
      fc.string({ maxLength: 3 }),
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const path = `/${pieces.join('')}`
        if (pathFault(path) !== undefined) return
        // Nothing is left for a URL parser to tidy, and decoding never yields a separator or a dot segment.
        assert.equal(new URL(`http://h${path}`).pathname, path)
        const decoded = decodeURIComponent(path)
        assert.equal(decoded.split('/').length, path.split('/').length)
        assert.ok(decoded.split('/').every((segment) => segment !== '.' && segment !== '..'))
        assert.equal(decodeURIComponent(decoded.replace(/%(?![0-9A-Fa-f]{2})/g, '%25')), decoded)
      }),
      runs(2000),
    )
  })

  test('any string is judged', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.nat(40), (path, end) => {
        pathFault(path)
        pathFault(path, Math.min(end, path.length))
      }),
    )
  })
})
