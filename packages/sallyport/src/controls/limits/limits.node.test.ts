// Limits on a running server: the lines on every kind of answer, and what a verification from outside makes of them.

import assert from 'node:assert/strict'
import type { RequestListener } from 'node:http'
import { test } from 'node:test'
import { listening } from '../../../test/kinds/listen.ts'
import { type Answer, parseAnswer, send, valuesOf } from '../../../test/kinds/wire.ts'
import { createServer } from '../../adapters/node/index.ts'
import type { Observation } from '../../guard/control.ts'
import type { PolicyDocument } from '../../guard/policy.ts'
import { resolvedFor, resolvePolicy } from '../../guard/resolve.ts'
import { createPosture } from '../../posture/page/model.ts'
import { verify } from '../../posture/verify/verify.ts'
import { limits } from './index.ts'
import type { LimitsSetting } from './setting.ts'
import { OWNED } from './told.ts'

// As an application with a limiter of its own, and one that forges ours.
const application: RequestListener = (request, response) => {
  for (const name of OWNED) response.setHeader(name, 'forged')
  response.setHeader('Retry-After', '17')
  const status = Number(/^\/(\d{3})$/.exec(request.url ?? '')?.[1] ?? 200)
  if (request.url === '/throw') throw new Error('inside')
  if (request.url === '/stream') {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' }).flushHeaders()
    response.end('data: 1\n\n')
    return
  }
  response.writeHead(status, status === 204 ? {} : { 'Content-Type': 'text/plain' }).end()
}

const policy = (limit: number, fields: LimitsSetting = {}): PolicyDocument => ({
  extends: 'recommended',
  cors: { origins: ['https://app.example.com'] },
  limits: { addresses: { buckets: { anonymous: { limit, windowSeconds: 60 } } }, ...fields },
})

const get = (path: string, method = 'GET', lines = '') =>
  `${method} ${path} HTTP/1.1\r\nHost: a.example\r\n${lines}Connection: close\r\n\r\n`

const names = OWNED.slice(0, 7)

test('D16 the seven lines stand on every answer that a bucket judged, once, and are ours', async (t) => {
  t.mock.method(console, 'error', () => {})
  const app = await listening(createServer(policy(12), application))
  t.after(() => app.close())
  const ask = async (path: string, method?: string, lines?: string): Promise<Answer> =>
    parseAnswer(await send(app, get(path, method, lines)))
  let left = 12
  for (const [path, method] of [
    ['/'],
    ['/204'],
    ['/302'],
    ['/404'],
    ['/500'],
    ['/503'],
    ['/stream'],
    ['/', 'HEAD'],
    ['/', 'POST'],
    ['/', 'OPTIONS'],
    ['/429'],
  ] as const) {
    const answer = await ask(path, method)
    left--
    for (const name of names) assert.equal(valuesOf(answer, name).length, 1, `${name} on ${method} ${path}`)
    assert.deepEqual(valuesOf(answer, 'X-RateLimit-Bucket'), ['anonymous'])
    assert.deepEqual(valuesOf(answer, 'X-RateLimit-Limit'), ['12'])
    assert.deepEqual(valuesOf(answer, 'RateLimit-Remaining'), [String(left)], path)
    const [reset] = valuesOf(answer, 'X-RateLimit-Reset').map(Number)
    assert.ok(reset && Math.abs(reset - Date.now() / 1000 - 64) < 4, `${reset}`)
    assert.deepEqual(valuesOf(answer, 'RateLimit-Policy'), [])
    assert.deepEqual(valuesOf(answer, 'Retry-After'), ['17'])
  }
  assert.equal((await ask('/')).status, 200)
  const refused = await ask('/')
  assert.equal(refused.status, 429)
  assert.match(refused.rest, /too_many_requests/)
  const [retry] = valuesOf(refused, 'Retry-After').map(Number)
  assert.ok(retry && retry > 50 && retry <= 64, `${retry}`)
  assert.deepEqual(valuesOf(refused, 'RateLimit-Reset'), [String(retry)])
  for (const name of names) assert.equal(valuesOf(refused, name).length, 1, name)
  // A preflight is judged before, and takes nothing.
  const preflight = await ask(
    '/',
    'OPTIONS',
    'Origin: https://app.example.com\r\nAccess-Control-Request-Method: PUT\r\n',
  )
  assert.equal(preflight.status, 204)
  for (const name of OWNED) assert.deepEqual(valuesOf(preflight, name), [])
})

test('a verification finds that limits hold, whether or not it runs into them', async (t) => {
  t.mock.method(console, 'error', () => {})
  for (const limit of [10_000, 6]) {
    const app = await listening(createServer(policy(limit, { structuredFields: true }), application))
    t.after(() => app.close())
    const result = await verify(policy(limit, { structuredFields: true }), `http://127.0.0.1:${app.port}`)
    const report = result.controls.find(({ name }) => name === 'limits')
    assert.deepEqual(
      result.findings.filter(({ control }) => control === 'SP-LIMITS-01'),
      [],
    )
    assert.ok(report && report.of > 10 && report.passed === report.of, JSON.stringify(report))
  }
})

test('a verification finds what is missing, forged or told too much', async (t) => {
  const found = async (setting: PolicyDocument) => {
    const app = await listening(createServer({ extends: 'recommended' }, application))
    t.after(() => app.close())
    const result = await verify(setting, `http://127.0.0.1:${app.port}`)
    return new Set(result.findings.filter(({ control }) => control === 'SP-LIMITS-01').map(({ id }) => id))
  }
  assert.ok((await found(policy(10))).has('drift.ratelimit'))
  assert.ok((await found(policy(10, { disclose: 'none' }))).has('drift.header-extra'))
})

test('the probe of a told bucket', () => {
  const setting: LimitsSetting = policy(10).limits!
  const [probe] = limits.probe(resolvedFor(resolvePolicy(policy(10)), limits))
  assert.ok(probe)
  const lines: Record<string, string> = {
    'X-RateLimit-Bucket': 'anonymous',
    'X-RateLimit-Limit': '10',
    'X-RateLimit-Remaining': '9',
    'X-RateLimit-Reset': '1700000060',
    'RateLimit-Limit': '10',
    'RateLimit-Remaining': '9',
    'RateLimit-Reset': '64',
  }
  const seen = (headers: Record<string, string>, status = 200): Observation => ({
    status,
    headers: Object.entries(headers),
    body: '',
    encrypted: true,
  })
  assert.deepEqual(probe.expect(seen(lines)), [])
  assert.equal(probe.expect(seen({})).length, 7)
  for (const [name, value] of [
    ['X-RateLimit-Bucket', 'other'],
    ['X-RateLimit-Remaining', '11'],
    ['RateLimit-Remaining', '-1'],
    ['RateLimit-Reset', '1.5'],
    ['X-RateLimit-Limit', '1e3'],
  ] as const)
    assert.equal(probe.expect(seen({ ...lines, [name]: value }))[0]?.id, 'drift.ratelimit', name)
  const spent = { ...lines, 'X-RateLimit-Remaining': '0', 'RateLimit-Remaining': '0' }
  assert.deepEqual(probe.expect(seen({ ...spent, 'Retry-After': '64' }, 429)), [])
  assert.deepEqual(
    [{}, { 'Retry-After': '63' }].map((more) => probe.expect(seen({ ...spent, ...more }, 429))[0]?.id),
    ['ratelimit.no-retry-after', 'ratelimit.inconsistent'],
  )
  for (const quiet of [
    { ...setting, mode: 'report' },
    { ...setting, disclose: 'none' },
  ] as const)
    assert.deepEqual(limits.probe(resolvedFor(resolvePolicy({ limits: quiet }), limits)), [])
})

test('the page says what holds in each state, and keeps an outage’s open door for reviewers', async () => {
  const commerce: PolicyDocument = { extends: 'commerce', routes: { '/pay': { limits: { critical: true } } } }
  const of = async (document: PolicyDocument, audience: 'public' | 'reviewer') => {
    const posture = await createPosture(document, { place: 'gateway', audience, now: 0 })
    const section = posture.sections.find(({ control }) => control === 'limits')
    assert.ok(section)
    return {
      posture,
      entries: new Map(section.entries.map((entry) => [entry.name, entry])),
      limits: section.limits,
    }
  }
  const { entries, limits: gaps } = await of(commerce, 'public')
  assert.equal(entries.get('Plan starter')?.value, 'minute: 500 per minute')
  assert.equal(entries.get('Callers without a plan')?.value, 'the plan free')
  assert.match(
    entries.get('Bound of 100 per minute')?.value ?? '',
    /^one process: Never more than 100 in any window/,
  )
  assert.match(
    entries.get('Bound of 100 per minute')?.value ?? '',
    /several processes: Each of 2 .* up to 200/,
  )
  assert.match(entries.get('In an outage, bound of 100 per minute')?.value ?? '', /together 100 in a window/)
  assert.ok(gaps.some((gap) => gap.startsWith('Callers that nobody knows are not limited')))
  const open: PolicyDocument = {
    limits: { addresses: { buckets: { all: { limit: 10, windowSeconds: 90, onOutage: 'open' } } } },
  }
  const forAll = await of(open, 'public')
  assert.equal(
    [...forAll.entries.keys()].some((name) => name.includes('outage')),
    false,
  )
  assert.equal(forAll.posture.document, undefined)
  assert.match(
    (await of(open, 'reviewer')).entries.get('In an outage (open), bound of 10 per 90 s (strict)')?.value ??
      '',
    /nothing is counted and everything passes/,
  )
  const none = await of({}, 'public')
  assert.equal(none.entries.get('Rate limits')?.value, 'none')
})
