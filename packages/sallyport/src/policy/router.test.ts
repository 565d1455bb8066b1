// The router against a plain matcher that tries every route and sorts by specificity.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { runs } from '../../test/runs.ts'
import { pathFault } from './canonical.ts'
import { foldPath, isPatternFault, METHODS, type Pattern, parsePattern } from './pattern.ts'
import { buildRouter } from './router.ts'

function pattern(key: string): Pattern {
  const parsed = parsePattern(key)
  if (isPatternFault(parsed)) throw new Error(`${key}: ${parsed.message}`)
  return parsed
}

function routerOf(keys: readonly string[]) {
  return buildRouter(keys.map((key) => [pattern(key), key] as const))
}

const RANK = { static: 3, param: 2, wildcard: 1 } as const

/** How a route covers a path: a rank for each segment, `undefined` where it does not. */
function coverage({ segments }: Pattern, path: string): readonly number[] | undefined {
  const parts = path.slice(1).split('/')
  const ranks: number[] = []
  for (const [index, segment] of segments.entries()) {
    const part = parts[index]
    if (segment.kind === 'wildcard')
      return index > 0 || part !== undefined ? [...ranks, RANK.wildcard] : undefined
    if (part === undefined) return undefined
    if (segment.kind === 'static' ? segment.text !== part : part === '') return undefined
    ranks.push(RANK[segment.kind])
  }
  // The end of a route is a word of its own: "/x" beats "/x/*" at "/x".
  return parts.length === segments.length ? [...ranks, RANK.static] : undefined
}

function methodRank(routeMethod: string | undefined, method: string): number {
  if (routeMethod === undefined) return 1
  if (routeMethod === method) return 3
  return method === 'HEAD' && routeMethod === 'GET' ? 2 : 0
}

function naive(keys: readonly string[], method: string, path: string): string | undefined {
  let best: { key: string; ranks: readonly number[] } | undefined
  for (const key of keys) {
    const parsed = pattern(key)
    const shape = coverage(parsed, path)
    const rank = methodRank(parsed.method, method)
    if (!shape || rank === 0) continue
    const ranks = [...shape, rank]
    if (!best || isBefore(ranks, best.ranks)) best = { key, ranks }
  }
  return best?.key
}

function isBefore(a: readonly number[], b: readonly number[]): boolean {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0)
    if (difference !== 0) return difference > 0
  }
  return false
}

const word = fc.constantFrom('a', 'ab', 'abc', 'b', 'A', 'users', 'me', '%C3%A9')
const segment = fc.oneof(
  { weight: 3, arbitrary: word },
  { weight: 1, arbitrary: fc.constantFrom(':id', ':x') },
)
const methodPrefix = fc.constantFrom('', '', 'GET ', 'HEAD ', 'POST ')
const key = fc
  .tuple(methodPrefix, fc.array(segment, { maxLength: 4 }), fc.constantFrom('', '', '/*', '/'))
  .map(([method, segments, tail]) => `${method}${segments.map((part) => `/${part}`).join('')}${tail}`)
  .map((text) => (text === '' || text.endsWith(' ') ? `${text}/` : text))
// Two routes of one shape are a fault of the policy, found when it is resolved.
const keys = fc.uniqueArray(key, { maxLength: 12, selector: (text) => text.replace(/:\w+/g, ':') })
const path = fc
  .tuple(fc.array(fc.oneof(word, fc.constantFrom('x', 'aba')), { maxLength: 5 }), fc.constantFrom('', '/'))
  .map(([parts, tail]) => `/${parts.join('/')}${parts.length > 0 ? tail : ''}`)
const method = fc.constantFrom('GET', 'HEAD', 'POST', 'DELETE', 'PROPFIND')

describe('router', () => {
  test('D6 a wildcard covers the bare path, the path with a slash, and every depth', () => {
    const router = routerOf(['/v1/account/*', '/:tenant/files/*'])
    for (const rest of ['', '/', '/a', '/a/b', `/${'x/'.repeat(500)}y`]) {
      assert.equal(router.find('GET', `/v1/account${rest}`), '/v1/account/*')
      assert.equal(router.find('GET', `/acme/files${rest}`), '/:tenant/files/*')
    }
    for (const other of ['/v1/accounts', '/v1/accoun', '/v1', '/v2/account', '/', '//files'])
      assert.equal(router.find('GET', other), undefined)
  })

  test('the most specific route wins, segment by segment', () => {
    const router = routerOf([
      '/*',
      '/a/*',
      '/a/:x',
      '/a/b',
      '/a/b/*',
      '/:x/b/c',
      '/a/:x/c',
      'GET /a/b',
      'POST /a/:x',
    ])
    const found = (verb: string, at: string) => router.find(verb, at)
    assert.equal(found('GET', '/a/b'), 'GET /a/b')
    assert.equal(found('HEAD', '/a/b'), 'GET /a/b')
    assert.equal(found('PUT', '/a/b'), '/a/b')
    assert.equal(found('POST', '/a/x'), 'POST /a/:x')
    assert.equal(found('GET', '/a/x'), '/a/:x')
    assert.equal(found('GET', '/a/b/c'), '/a/b/*')
    assert.equal(found('GET', '/a/x/c'), '/a/:x/c')
    assert.equal(found('GET', '/z/b/c'), '/:x/b/c')
    assert.equal(found('GET', '/a/x/d'), '/a/*')
    assert.equal(found('GET', '/a'), '/a/*')
    assert.equal(found('GET', '/'), '/*')
    assert.equal(found('GET', '/z'), '/*')
  })

  test('a parameter takes one segment that is not empty', () => {
    const router = routerOf(['/u/:id', '/u/:id/x'])
    assert.equal(router.find('GET', '/u/'), undefined)
    assert.equal(router.find('GET', '/u'), undefined)
    assert.equal(router.find('GET', '/u/1/2'), undefined)
    assert.equal(router.find('GET', '/u/1/x'), '/u/:id/x')
  })

  test('finds what the plain matcher finds', () => {
    fc.assert(
      fc.property(keys, method, path, (routes, verb, at) => {
        assert.equal(routerOf(routes).find(verb, at), naive(routes, verb, at))
      }),
      runs(3000),
    )
  })

  test('a path is ambiguous exactly where a careless reading leads to another route', () => {
    fc.assert(
      fc.property(keys, method, path, (routes, verb, at) => {
        const fold = (text: string) => {
          const [prefix, rest] = text.includes(' ')
            ? [text.slice(0, text.indexOf(' ') + 1), text.slice(text.indexOf(' ') + 1)]
            : ['', text]
          return prefix + foldPath(rest.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()))
        }
        // One careless route for each key; two keys of one fold are refused when a policy is resolved.
        const folded = new Map(routes.map((text) => [fold(text).replace(/:\w+/g, ':'), text]))
        fc.pre(folded.size === routes.length)
        const parsed = routes.map((text) => [text, pattern(text)] as const)
        const careless = parsed.map(([text, { method: own, segments }]) => {
          const lower = segments.map((part) =>
            part.kind === 'static' ? { ...part, text: part.text.toLowerCase() } : part,
          )
          const last = lower.at(-1)
          const isSlash = lower.length > 1 && last?.kind === 'static' && last.text === ''
          return { text, method: own, path: '', segments: isSlash ? lower.slice(0, -1) : lower }
        })
        const alias = foldPath(at)
        let best: { text: string; ranks: readonly number[] } | undefined
        for (const route of careless) {
          const shape = coverage(route, alias)
          const rank = methodRank(route.method, verb)
          if (!shape || rank === 0) continue
          const ranks = [...shape, rank]
          if (!best || isBefore(ranks, best.ranks)) best = { text: route.text, ranks }
        }
        assert.equal(routerOf(routes).isAmbiguous(verb, at), best?.text !== naive(routes, verb, at))
      }),
      runs(3000),
    )
  })

  test('the small letters of a route declared in capitals are ambiguous', () => {
    const router = routerOf(['/Admin/*', '/x/', '/y'])
    for (const at of ['/admin', '/admin/a', '/ADMIN', '/x', '/X', '/y/', '/Y'])
      assert.equal(router.isAmbiguous('GET', at), true, at)
    for (const at of ['/Admin', '/Admin/a', '/Admin/A/', '/x/', '/y', '/z', '/Z/'])
      assert.equal(router.isAmbiguous('GET', at), false, at)
  })

  test('any text is looked up', () => {
    const router = routerOf(['/*', '/a/:b/c', 'GET /__proto__', '/constructor/*'])
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (verb, at) => {
        router.find(verb, at)
        router.isAmbiguous(verb, at)
      }),
    )
    assert.equal(router.find('GET', '/toString'), '/*')
    assert.equal(router.find('constructor', '/__proto__'), '/*')
  })

  test('10,000 routes are each found, and nothing beside them', () => {
    const routes = Array.from({ length: 10_000 }, (_, i) => {
      const verb = i % 3 === 0 ? `${METHODS[i % METHODS.length]} ` : ''
      return `${verb}/v${i % 7}/resource-${i}/${i % 2 === 0 ? ':id' : 'items'}${i % 5 === 0 ? '/*' : ''}`
    })
    const router = routerOf(routes)
    for (const [i, text] of routes.entries()) {
      const parsed = pattern(text)
      const at = `/v${i % 7}/resource-${i}/${i % 2 === 0 ? i : 'items'}`
      assert.equal(pathFault(at), undefined)
      assert.equal(router.find(parsed.method ?? 'GET', at), text)
      assert.equal(router.find(parsed.method ?? 'GET', `${at}/deep/er`), i % 5 === 0 ? text : undefined)
      assert.equal(router.find('GET', `/v${i % 7}/resource-${i}x/items`), undefined)
    }
  })

  test('a look-up visits each route at most once, whatever the path', () => {
    // Words and parameters in turn at each depth: a matcher that tries both everywhere would take 2^24 steps.
    const depth = 24
    const routes = Array.from(
      { length: depth },
      (_, i) => `${'/a'.repeat(i)}/:p${'/a'.repeat(depth - i)}/end`,
    )
    const router = routerOf(routes)
    assert.equal(router.find('GET', '/a'.repeat(depth * 2)), undefined)
  })
})
