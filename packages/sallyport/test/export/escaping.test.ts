// No text of a policy leaves its place in a configuration, and regular expressions say what the router says.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { exportPolicy, PLATFORMS } from '../../src/export/index.ts'
import { CANONICAL, literal, looseRegex, methodRegex, pathRegex } from '../../src/export/paths.ts'
import { exportPlan } from '../../src/export/plan.ts'
import { createGuard } from '../../src/guard/guard.ts'
import type { PolicyDocument } from '../../src/guard/policy.ts'
import { pathFault } from '../../src/policy/canonical.ts'

const percentEscape = fc
  .tuple(fc.constantFrom(...'0123456789ABCDEFabcdef'), fc.constantFrom(...'0123456789ABCDEFabcdef'))
  .map(([a, b]) => `%${a}${b}`)
const piece = fc.oneof(
  fc.constantFrom(
    '/',
    '.',
    '..',
    '%',
    '%25',
    '%C3%A4',
    '%E2%82%AC',
    '%ED%A0%80',
    '%F0%9F%98%80',
    ';',
    '\\',
    'a',
    'A',
    '~',
    '@',
    ' ',
    'ä',
    '|',
    '"',
    '%2525',
  ),
  percentEscape,
)

test('the regular expression of canonical paths agrees with the guard on every path', () => {
  const expression = new RegExp(CANONICAL)
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      const path = `/${pieces.join('')}`
      assert.equal(expression.test(path), pathFault(path) === undefined, path)
    }),
    { numRuns: 5_000 },
  )
})

test('the ordered expressions find the cell that the guard finds', async () => {
  const policy: PolicyDocument = {
    routes: {
      '/a/*': {},
      '/a/b': {},
      'GET /a/b': {},
      'HEAD /a/b': {},
      '/a/:id': {},
      '/a/:id/c': {},
      'POST /a/:id/*': {},
      '/A.b$c/d': {},
      '/x/y/': {},
      '/*': {},
    },
  }
  const plan = await exportPlan(policy)
  const guard = createGuard(policy, 'gateway')
  const word = fc.constantFrom('a', 'b', 'c', 'A', 'A.b$c', 'd', 'x', 'y', 'z', 'X')
  fc.assert(
    fc.property(
      fc.array(word, { maxLength: 4 }),
      fc.boolean(),
      fc.constantFrom('GET', 'HEAD', 'POST', 'PUT'),
      (words, slash, method) => {
        const path = `/${words.join('/')}${slash && words.length > 0 ? '/' : ''}`
        const { cell } = guard.open({
          method,
          target: path,
          httpVersion: '1.1',
          rawHeaders: [],
          header: () => undefined,
          peer: undefined,
          encrypted: false,
        })
        const found = cellByExpressions(plan, method, path)
        assert.equal(cell.origin === 'strict' ? '!' : cell.id, found, `${method} ${path}`)
      },
    ),
    { numRuns: 3_000 },
  )
})

function cellByExpressions(
  plan: Awaited<ReturnType<typeof exportPlan>>,
  method: string,
  path: string,
): string {
  for (const cell of plan.cells) {
    if (cell.origin !== 'route' || !new RegExp(`^${methodRegex(cell.method)}$`).test(method)) continue
    if (new RegExp(pathRegex(cell)).test(path)) return cell.id
    if (new RegExp(looseRegex(cell), 'i').test(path)) return '!'
  }
  return '*'
}

test('a literal matches itself and nothing else', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (text, other) => {
      const expression = new RegExp(`^${literal(text)}$`)
      assert.ok(expression.test(text))
      assert.equal(expression.test(other), other === text)
    }),
  )
})

test('whatever a policy calls itself, every platform’s file keeps its form', async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ maxLength: 30, unit: 'grapheme' }), async (text) => {
      const name = text.replace(/\p{Cc}/gu, '')
      for (const platform of PLATFORMS) {
        const { files } = await exportPolicy({ extends: 'payments', name }, platform)
        const plain = await exportPolicy({ extends: 'payments', name: 'x' }, platform)
        for (const [index, file] of files.entries())
          assert.equal(file.text.split('\n').length, plain.files[index]!.text.split('\n').length)
        if (platform === 'vercel') JSON.parse(files[0]!.text)
      }
    }),
    { numRuns: 20 },
  )
})
