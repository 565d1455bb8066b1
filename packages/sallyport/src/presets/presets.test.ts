// The presets by their claims: the exact lines on answers of every class, on a server with a hostile handler.

import assert from 'node:assert/strict'
import type { RequestListener } from 'node:http'
import { after, before, describe, it } from 'node:test'
import { WEAKER } from '../../test/kinds/hostile.ts'
import { listening, type Running } from '../../test/kinds/listen.ts'
import { type Answer, parseAnswer, send, valuesOf } from '../../test/kinds/wire.ts'
import { createServer } from '../adapters/node/index.ts'
import { compareDataClass } from '../controls/cache/faces.ts'
import { verdictOf } from '../controls/faces.ts'
import { STRIPPED } from '../controls/headers/stripped.ts'
import type { Change } from '../guard/control.ts'
import type { PolicyDocument } from '../guard/policy.ts'
import { type ResolvedPolicy, resolvePolicy } from '../guard/resolve.ts'
import { observatoryScore } from '../posture/observatory.ts'
import { controls } from '../posture/register.ts'
import { presets } from './index.ts'
import type { PresetName } from './names.ts'

const TELLING = [...Object.keys(STRIPPED), 'x-powered-by'].map((name) => [name, 'told'] as const)

const hostile: RequestListener = (request, response) => {
  for (const [name, value] of [...WEAKER, ...TELLING]) response.setHeader(name, value)
  if (request.url === '/throw') {
    response.writeHead(500).end('stack')
    return
  }
  if (request.url === '/stream') {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' })
    response.write('data: 1\n\n')
    response.end()
    return
  }
  const status = Number(/^\/(\d{3})$/.exec(request.url ?? '')?.[1] ?? 200)
  response.writeHead(status, status === 302 ? { Location: '/' } : {}).end()
}

const get = (path: string, method = 'GET') =>
  `${method} ${path} HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n`

/** One request for each class of answer that the claims name. */
const ANSWERS: Readonly<Record<string, string>> = {
  '2xx': get('/'),
  '204': get('/204'),
  '3xx': get('/302'),
  '304': get('/304'),
  '4xx': get('/404'),
  '5xx': get('/503'),
  'a handler that fails': get('/throw'),
  HEAD: get('/', 'HEAD'),
  OPTIONS: get('/', 'OPTIONS'),
  'a stream': get('/stream'),
  'a refused method': get('/', 'TRACE'),
  'a malformed request': 'GARBAGE\r\n\r\n',
  'a bad header': 'GET / HTTP/1.1\r\nHost: a\r\nBad Header: x\r\n\r\n',
  'no Host': 'GET / HTTP/1.1\r\n\r\n',
  'an unknown expectation': 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nExpect: x\r\n\r\n',
  'headers too large': `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`,
}

function suite(
  policy: PolicyDocument,
  claims: Readonly<Record<string, readonly [header: string, value: string | undefined]>>,
) {
  let app: Running
  before(async () => {
    app = await listening(createServer(policy, hostile))
  })
  after(() => app.close())
  for (const [claim, [header, value]] of Object.entries(claims))
    for (const [kind, bytes] of Object.entries(ANSWERS))
      it(`${claim} ${header} on ${kind}`, async () => {
        const answer = parseAnswer(await send(app, bytes))
        assert.deepEqual(valuesOf(answer, header), value === undefined ? [] : [value])
      })
  return {
    ask: async (path: string, method?: string): Promise<Answer> =>
      parseAnswer(await send(app, get(path, method))),
  }
}

const HSTS = ['Strict-Transport-Security', 'max-age=63072000; includeSubDomains; preload'] as const

describe('api: Driftstack’s page', () => {
  const { ask } = suite(
    { extends: 'api' },
    {
      D1: HSTS,
      D2: ['X-Content-Type-Options', 'nosniff'],
      D3: ['X-Frame-Options', 'SAMEORIGIN'],
      D4: ['Referrer-Policy', 'no-referrer'],
      D5: ['X-DNS-Prefetch-Control', 'off'],
      D18: ['Cross-Origin-Resource-Policy', 'cross-origin'],
      D19: ['Cross-Origin-Embedder-Policy', undefined],
    },
  )

  for (const [claim, base] of [
    ['D6', '/v1/account'],
    ['D7', '/v1/admin'],
    ['D8', '/v1/billing'],
  ] as const)
    it(`${claim} ${base} at every depth`, async () => {
      for (const path of [base, `${base}/a`, `${base}/a/b/c`])
        for (const method of ['GET', 'POST', 'DELETE', 'HEAD'])
          assert.deepEqual(
            valuesOf(await ask(path, method), 'Cache-Control'),
            ['no-store, private'],
            `${method} ${path}`,
          )
    })

  it('D9 /v1/status', async () =>
    assert.deepEqual(valuesOf(await ask('/v1/status'), 'Cache-Control'), ['public, max-age=30']))

  it('D10 /v1/status/stream', async () =>
    assert.deepEqual(valuesOf(await ask('/v1/status/stream'), 'Cache-Control'), ['no-cache, no-transform']))

  it('D19 what is left out on purpose is taken from the application', async () => {
    const answer = await ask('/')
    for (const name of Object.keys(STRIPPED)) assert.deepEqual(valuesOf(answer, name), [], name)
    for (const name of [
      'x-xss-protection',
      'public-key-pins',
      'expect-ct',
      'feature-policy',
      'x-powered-by',
      'server',
      'x-download-options',
    ])
      assert.ok(Object.hasOwn(STRIPPED, name), name)
  })
})

describe('payments: Calmony’s page', () => {
  const { ask } = suite(
    { extends: 'payments' },
    {
      C1: HSTS,
      C2: ['X-Frame-Options', 'DENY'],
      C3: ['X-Content-Type-Options', 'nosniff'],
      C4: ['Referrer-Policy', 'strict-origin-when-cross-origin'],
      C5: ['Permissions-Policy', 'camera=(), microphone=(), geolocation=()'],
    },
  )

  it('C6 nothing else of an answer is changed', async () => {
    const answer = await ask('/')
    const five = [
      'strict-transport-security',
      'x-frame-options',
      'x-content-type-options',
      'referrer-policy',
      'permissions-policy',
    ]
    for (const [name, value] of WEAKER)
      if (!five.includes(name.toLowerCase()))
        assert.ok(valuesOf(answer, name).includes(value) || valuesOf(answer, name)[0] === 'told', name)
    assert.deepEqual(valuesOf(answer, 'x-generator'), ['told'])
  })
})

const REPORT = (changes: readonly Change[], strength: string) =>
  changes.filter((change) => change.strength === strength).map(({ what, because }) => `${what}: ${because}`)

/** Every change from one policy to another at one of its places, control by control. */
function changesAt(before: ResolvedPolicy, after: ResolvedPolicy, id: string): readonly Change[] {
  const [a, b] = [before, after].map(
    (policy) => policy.cells.find((cell) => cell.id === id) ?? policy.cells.at(-2)!,
  )
  assert.ok(a && b)
  return [
    ...compareDataClass(a, b),
    ...['headers', 'cache', 'transport', 'errors'].flatMap((name) =>
      controls
        .find((control) => control.name === name)!
        .compare(a.settings[name] as never, b.settings[name] as never, b),
    ),
  ]
}

describe('commerce', () => {
  const commerce = resolvePolicy({ extends: 'commerce' })
  for (const other of ['api', 'payments'] as const)
    for (const id of ['*', '!'])
      it(`H15 is nowhere weaker than ${other} (${id})`, () =>
        assert.deepEqual(REPORT(changesAt(resolvePolicy({ extends: other }), commerce, id), 'weaker'), []))

  it('H15 is stronger than api, and than payments but for what an application of payments may set stricter itself', () => {
    assert.equal(verdictOf(changesAt(resolvePolicy({ extends: 'api' }), commerce, '*')), 'stronger')
    assert.deepEqual(
      changesAt(resolvePolicy({ extends: 'payments' }), commerce, '*')
        .filter(({ strength }) => strength === 'incomparable')
        .map(({ what }) => what),
      ['crossOriginResourcePolicy', 'crossOriginEmbedderPolicy'],
    )
  })

  for (const place of ['/v1/account/*', '/v1/admin/*', '/v1/billing/*'])
    it(`H15 keeps D6–D8 at ${place}`, () =>
      assert.deepEqual(REPORT(changesAt(resolvePolicy({ extends: 'api' }), commerce, place), 'weaker'), []))

  suite(
    { extends: 'commerce' },
    {
      'H15 HSTS': HSTS,
      'H15 framing': ['X-Frame-Options', 'DENY'],
      'H15 nosniff': ['X-Content-Type-Options', 'nosniff'],
      'H15 referrer': ['Referrer-Policy', 'no-referrer'],
      'H15 prefetch': ['X-DNS-Prefetch-Control', 'off'],
      'H15 permissions': ['Permissions-Policy', 'camera=(), microphone=(), geolocation=()'],
      'H15 CORP': ['Cross-Origin-Resource-Policy', 'cross-origin'],
      'H15 cache': ['Cache-Control', 'no-store, private'],
    },
  )
})

describe('backups of the presets', () => {
  const backupOf = (policy: PolicyDocument) => resolvePolicy(policy).cells.at(-2)!.settings['backup']

  it('H3 commerce has its schedule and how many are kept, which a policy may make oftener or switch off', () => {
    assert.deepEqual(backupOf({ extends: 'commerce' }), { everySeconds: 86_400, keep: 14 })
    const { compare } = controls.find(({ name }) => name === 'backup')!
    const against = (policy: PolicyDocument) =>
      verdictOf(
        compare(
          backupOf({ extends: 'commerce' }) as never,
          backupOf(policy) as never,
          resolvePolicy(policy).cells.at(-2)!,
        ),
      )
    assert.equal(against({ extends: 'commerce', backup: { everySeconds: 3_600 } }), 'stronger')
    assert.equal(against({ extends: 'commerce', backup: { keep: 7 } }), 'weaker')
    assert.equal(against({ extends: 'commerce', backup: { mode: 'off' } }), 'weaker')
    assert.equal(against({ extends: 'api' }), 'weaker')
  })

  it('the others say nothing of backups: they are of APIs that keep no records here', () => {
    for (const name of ['api', 'payments', 'recommended'] as const)
      assert.deepEqual(backupOf({ extends: name }), {})
  })
})

describe('the score of the presets', () => {
  const score = async (policy: PolicyDocument) => {
    const app = await listening(createServer(policy, (_request, response) => response.end('{}')))
    try {
      const { headers } = parseAnswer(await send(app, get('/')))
      return observatoryScore({ headers, encrypted: true })
    } finally {
      await app.close()
    }
  }
  const wanted: Readonly<Record<Exclude<PresetName, 'recommended'>, readonly [string, number]>> = {
    api: ['B', 75],
    payments: ['B', 75],
    commerce: ['B', 75],
  }
  for (const [name, grade] of Object.entries(wanted))
    it(`${name} as published scores ${grade.join(' ')}, for want of a Content-Security-Policy`, async () => {
      const result = await score({ extends: name as PresetName })
      assert.deepEqual([result.grade, result.score], grade)
      assert.deepEqual(
        result.tests.filter(({ modifier }) => modifier < 0).map(({ test }) => test),
        ['content-security-policy'],
      )
    })

  it('recommended has no finding, and A+ with room', async () => {
    const result = await score({ extends: 'recommended' })
    assert.deepEqual(
      result.tests.filter(({ modifier }) => modifier < 0),
      [],
    )
    assert.deepEqual([result.grade, result.score], ['A+', 150])
    const shared = await score({ extends: 'recommended', headers: { crossOriginEmbedderPolicy: false } })
    assert.ok(shared.score >= 130)
  })

  it('recommended laid over any other has none either', async () => {
    for (const below of ['api', 'payments', 'commerce'] as const)
      assert.equal((await score({ extends: [below, 'recommended'] })).score, 150, below)
  })
})

describe('presets laid over each other', () => {
  const recommended = resolvePolicy({ extends: 'recommended' })

  for (const below of ['api', 'payments', 'commerce'] as const)
    it(`recommended over ${below} is never weaker than recommended alone`, () => {
      const both = resolvePolicy({ extends: [below, 'recommended'] })
      for (const id of ['*', '!']) assert.deepEqual(REPORT(changesAt(recommended, both, id), 'weaker'), [])
    })

  it('recommended over api keeps the places of api', () => {
    const both = resolvePolicy({ extends: ['api', 'recommended'] })
    assert.deepEqual(
      both.cells.map(({ id, data }) => [id, data]),
      resolvePolicy({ extends: 'api' }).cells.map(({ id, data }) => [id, data]),
    )
  })

  // What the upper one names holds; what it does not name stays as below.
  for (const [below, above] of [
    ['recommended', 'api'],
    ['recommended', 'payments'],
    ['api', 'payments'],
    ['payments', 'api'],
    ['payments', 'commerce'],
  ] as const)
    it(`${above} over ${below} has every value that ${above} names`, () => {
      const { settings } = resolvePolicy({ extends: [below, above] }).cells.at(-2)!
      const { routes: _routes, ...own } = presets[above]
      for (const [control, setting] of Object.entries(own))
        assert.partialDeepStrictEqual(settings[control], setting)
    })

  it('api over recommended keeps the Content-Security-Policy that api says nothing of', () => {
    const { settings } = resolvePolicy({ extends: ['recommended', 'api'] }).cells.at(-2)!
    const headers = settings['headers'] as { contentSecurityPolicy: unknown; frameOptions: unknown }
    assert.deepEqual(headers.contentSecurityPolicy, presets.recommended.headers!.contentSecurityPolicy)
    assert.equal(headers.frameOptions, 'SAMEORIGIN')
  })

  it('D6 api over payments keeps private places out of caches', () => {
    const { cells } = resolvePolicy({ extends: ['payments', 'api'] })
    const account = cells.find(({ id }) => id === '/v1/account/*')!
    assert.deepEqual(account.settings['cache'], { mode: 'enforce', owner: 'policy', floor: 'none' })
  })

  it('every pair of presets can be laid over each other', () => {
    const names = Object.keys(presets) as PresetName[]
    for (const below of names) for (const above of names) resolvePolicy({ extends: [below, above] })
  })
})
