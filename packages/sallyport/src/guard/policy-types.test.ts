// What an editor says while a policy is typed: wrong keys and values are compile errors. The expectations are the
// compiler's; the test only shows that the same policies are refused at run time.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PolicyError } from '../policy/problem.ts'
import { definePolicy, type PolicyDocument } from './policy.ts'
import { resolvePolicy } from './resolve.ts'

const wrong: readonly PolicyDocument[] = [
  // @ts-expect-error a mistyped setting
  definePolicy({ heders: {} }),
  // @ts-expect-error a setting of a control at the top level
  definePolicy({ hsts: { maxAgeSeconds: 1 } }),
  // @ts-expect-error no such preset
  definePolicy({ extends: 'recomended' }),
  // @ts-expect-error no such preset in a list
  definePolicy({ extends: ['api', 'foo'] }),
  // @ts-expect-error no such data class
  definePolicy({ data: 'secret' }),
  // @ts-expect-error no such kind of credential
  definePolicy({ credentials: 'cookies' }),
  // @ts-expect-error a text where a number stands
  definePolicy({ transport: { hsts: { maxAgeSeconds: '63072000' } } }),
  // @ts-expect-error a mistyped field
  definePolicy({ transport: { hsts: { maxAge: 63_072_000 } } }),
  // @ts-expect-error true is no value of it
  definePolicy({ transport: { hsts: true } }),
  // @ts-expect-error a value in small letters
  definePolicy({ headers: { frameOptions: 'deny' } }),
  // @ts-expect-error a text where a list stands
  definePolicy({ headers: { referrerPolicy: 'no-referrer' } }),
  // @ts-expect-error a text where a list stands
  definePolicy({ cors: { origins: '*' } }),
  // @ts-expect-error a mistyped mode
  definePolicy({ cors: { mode: 'enforced' } }),
  // @ts-expect-error a setting of the whole policy in a route
  definePolicy({ routes: { '/x': { name: 'x' } } }),
  // @ts-expect-error a mistyped setting in a route
  definePolicy({ routes: { '/x': { chache: {} } } }),
  // @ts-expect-error a function in a policy
  definePolicy({ name: () => 'x' }),
]

test('what the compiler refuses is refused at run time too', () => {
  for (const policy of wrong) assert.throws(() => resolvePolicy(policy), PolicyError)
})

test('definePolicy gives the policy back as it is, and keeps lists readonly', () => {
  const policy = definePolicy({
    $schema: './policy.schema.json',
    name: 'x',
    extends: ['api', { cache: { mode: 'report' } }],
    cors: { origins: ['https://app.example.com'] } as const,
    routes: { 'GET /v1/x/:id': { data: 'public', credentials: 'none' } },
  })
  // @ts-expect-error a policy is not changed after it is written
  assert.throws(() => (Object.freeze(policy).name = 'y'), TypeError)
  assert.equal(policy.name, 'x')
  assert.equal(resolvePolicy(policy).cells.at(-2)!.origin, 'default')
})
