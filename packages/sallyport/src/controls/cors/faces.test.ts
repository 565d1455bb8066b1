import assert from 'node:assert/strict'
import { test } from 'node:test'
import { drive, type Got } from '../../../test/cors/drive.ts'
import type { Observation, Probe } from '../../guard/control.ts'
import { createGuard, type Guard } from '../../guard/guard.ts'
import type { PolicyDocument } from '../../guard/policy.ts'
import { resolvedFor, resolvePolicy } from '../../guard/resolve.ts'
import { describeCors } from './describe.ts'
import { cors } from './index.ts'
import { probeCors } from './probe.ts'
import type { CorsSetting } from './setting.ts'

const LISTED = 'https://dashboard.example.com'

const policy: PolicyDocument = {
  cors: {
    origins: [LISTED, 'https://*.team.example.com'],
    bearer: 'any-origin',
    allowMethods: ['GET', 'PUT'],
    exposeHeaders: ['x-request-id'],
  },
  routes: {
    '/mixed/*': { credentials: 'mixed' },
    '/cookie': { credentials: 'cookie' },
    'PUT /put': { credentials: 'bearer' },
    '/pure': { cors: { origins: [] } },
    '/pattern': { cors: { origins: ['https://*.team.example.com:8443'] } },
    '/nobody': { credentials: 'cookie', cors: { origins: [] } },
    '/own': { cors: { mode: 'off' } },
  },
}
const resolved = resolvePolicy(policy)
const cells = resolvedFor<CorsSetting>(resolved, cors)
const guard = createGuard(resolved, 'node')
const probes = probeCors(cells)

type Answer = (by: Guard, sent: Parameters<typeof drive>[1]) => Pick<Got, 'status' | 'headers'>

function observe(probe: Probe, answer: Answer = drive): Observation {
  assert.ok('method' in probe.request)
  return { ...answer(guard, probe.request), body: '', encrypted: true }
}

for (const probe of probes)
  test(`the guard passes the probe ${probe.id}`, () => {
    assert.deepEqual(probe.expect(observe(probe)), [])
  })

test('probe ids are unique, and the switched-off route has none', () => {
  assert.equal(new Set(probes.map(({ id }) => id)).size, probes.length)
  assert.ok(probes.every(({ cell }) => cell !== '/own' && cell !== '!'))
  for (const cell of ['/mixed/*', '/cookie', 'PUT /put', '/pure', '/nobody', '*'])
    assert.ok(probes.some((probe) => probe.cell === cell))
})

type Head = readonly (readonly [string, string])[]

/** A server that answers everything with the given head, told from the request's Origin. */
function careless(status: number, head: (origin: string) => Head): Answer {
  return (_guard, { headers = [] }) => ({
    status,
    headers: head(headers.find(([name]) => name === 'Origin')?.[1] ?? ''),
  })
}

const REFLECT: Answer = careless(200, (origin) => [
  ['Access-Control-Allow-Origin', origin],
  ['Access-Control-Allow-Credentials', 'true'],
  ['Vary', 'Origin'],
])

const mistakes: readonly (readonly [what: string, probe: string, answer: Answer, finding: string])[] = [
  ['reflecting any origin with credentials', 'cors/unlisted /mixed/*', REFLECT, 'cors.reflect-credentials'],
  [
    'reflecting any origin in preflights',
    'cors/preflight-denied /cookie',
    REFLECT,
    'cors.reflect-credentials',
  ],
  [
    'reflecting any origin',
    'cors/unlisted /cookie',
    careless(200, (origin) => [
      ['Access-Control-Allow-Origin', origin],
      ['Vary', 'Origin'],
    ]),
    'cors.reflect',
  ],
  ['taking null', 'cors/null /mixed/*', REFLECT, 'cors.null-origin'],
  ['a suffix match', 'cors/look-alike-suffix /mixed/*', REFLECT, 'cors.lax-match'],
  ['a prefix match', 'cors/look-alike-prefix /mixed/*', REFLECT, 'cors.lax-match'],
  ['an unescaped dot', 'cors/look-alike-dot /mixed/*', REFLECT, 'cors.lax-match'],
  ['an http: twin', 'cors/look-alike-scheme /mixed/*', REFLECT, 'cors.http-origin'],
  [
    '"*" with credentials',
    'cors/unlisted /mixed/*',
    careless(200, () => [
      ['Access-Control-Allow-Origin', '*'],
      ['Access-Control-Allow-Credentials', 'true'],
      ['Vary', 'Origin'],
    ]),
    'cors.wildcard-credentials',
  ],
  [
    '"*" on a route for cookies',
    'cors/unlisted /cookie',
    careless(200, () => [
      ['Access-Control-Allow-Origin', '*'],
      ['Vary', 'Origin'],
    ]),
    'cors.wildcard-private',
  ],
  [
    'leaking lists to refused origins',
    'cors/unlisted /cookie',
    careless(200, () => [
      ['Access-Control-Allow-Methods', 'GET'],
      ['Vary', 'Origin'],
    ]),
    'drift.cors',
  ],
  ['no Vary', 'cors/no-origin /mixed/*', careless(200, () => []), 'cors.vary-missing'],
  [
    'two origins',
    'cors/listed /mixed/*',
    careless(200, () => [
      ['Access-Control-Allow-Origin', `${LISTED}, https://b.example`],
      ['Vary', 'Origin'],
    ]),
    'cors.multiple-origins',
  ],
  [
    'a preflight that reaches the application',
    'cors/preflight-allowed /mixed/*',
    careless(404, () => []),
    'drift.cors',
  ],
  [
    'a denied preflight with 204',
    'cors/preflight-denied /cookie',
    careless(204, () => [['Vary', 'Origin']]),
    'drift.cors',
  ],
  [
    'an age over a day',
    'cors/preflight-allowed /mixed/*',
    careless(204, () => [['Access-Control-Max-Age', '86401']]),
    'cors.max-age',
  ],
  [
    'swallowing plain OPTIONS',
    'cors/plain-options /mixed/*',
    careless(204, () => [['Access-Control-Allow-Methods', 'GET']]),
    'drift.cors',
  ],
  [
    'granting nothing where any origin may call',
    'cors/unlisted /pure',
    careless(200, () => []),
    'drift.cors',
  ],
]
for (const [what, id, answer, finding] of mistakes)
  test(`a probe finds ${what}`, () => {
    const probe = probes.find((each) => each.id === id)
    assert.ok(probe, id)
    const found = probe.expect(observe(probe, answer))
    assert.ok(
      found.some((each) => each.id === finding && each.mend !== ''),
      JSON.stringify(found),
    )
  })

const section = describeCors(cells)

function described(name: string, cell: string): string | undefined {
  return section.entries.find(
    (entry) => entry.name === name && (entry.cells.length === 0 || entry.cells.includes(cell)),
  )?.value
}

test('the page says who may do what, route by route', () => {
  assert.equal(described('Origins that may use cookies', '/cookie'), `${LISTED}, https://*.team.example.com`)
  assert.equal(described('Origins that may use cookies', '/pure'), 'none')
  assert.equal(described('Origins that may use cookies', '!'), 'none')
  assert.match(
    described('Every other origin', '/mixed/*') ?? '',
    /^Access-Control-Allow-Origin: \*, never with credentials/,
  )
  assert.match(described('Every other origin', '/cookie') ?? '', /403 origin_not_allowed/)
  assert.equal(described('Access-Control-Allow-Methods', '/cookie'), 'GET, PUT')
  assert.equal(described('Access-Control-Allow-Methods', '/nobody'), undefined)
  assert.equal(described('Access-Control-Max-Age', '/mixed/*'), '600 seconds')
  assert.equal(described('Vary: Origin', '/pure'), undefined)
  assert.equal(described('Cross-origin rules', '/own'), 'left to the application')
  assert.equal(described('Origins that may use cookies', '/own'), undefined)
  assert.ok(section.entries.every((entry) => entry.why !== ''))
})

test('the page says what the control does not do', () => {
  const text = section.limits.join('\n')
  assert.match(text, /kept by browsers/)
  assert.match(text, /trusted whole/)
  assert.match(text, /public suffix list of \d{4}-\d\d-\d\d/)
  assert.doesNotMatch(text, /developer/)
  const local = resolvePolicy({ cors: { origins: ['http://localhost:3000'] } })
  assert.match(describeCors(resolvedFor(local, cors)).limits.join('\n'), /http:\/\/localhost:3000/)
})

test('the page says where nobody checks which page opens a WebSocket', () => {
  const limitsOf = (mode: 'off' | 'report' | 'enforce') => {
    const policy = resolvePolicy({ cors: { mode, origins: ['https://a.example'] } })
    return describeCors(resolvedFor<CorsSetting>(policy, cors)).limits.join('\n')
  }
  for (const mode of ['off', 'report'] as const)
    assert.match(limitsOf(mode), /any page can, with the cookies/)
  assert.doesNotMatch(limitsOf('enforce'), /WebSocket/)
})

test('a policy without origins is described as left to the application, and has no probes', () => {
  const silent = resolvedFor<CorsSetting>(resolvePolicy({ extends: 'payments' }), cors)
  assert.deepEqual(
    describeCors(silent).entries.map(({ name, value }) => [name, value]),
    [['Cross-origin rules', 'left to the application']],
  )
  assert.deepEqual(probeCors(silent), [])
})
