// End to end through node:http: what leaves the server, whatever the handler sets and in whatever form.

import assert from 'node:assert/strict'
import type { RequestListener } from 'node:http'
import { describe, it } from 'node:test'
import { forms } from '../../../test/kinds/hostile.ts'
import { listening } from '../../../test/kinds/listen.ts'
import { type Answer, parseAnswer, send, valuesOf } from '../../../test/kinds/wire.ts'
import { createServer } from '../../adapters/node/index.ts'
import type { PolicyDocument } from '../../guard/policy.ts'

const policy: PolicyDocument = {
  extends: 'api',
  routes: {
    '/assets/*': { data: 'asset', credentials: 'none', cache: { owner: 'policy' } },
    '/events/*': { data: 'stream', cache: { owner: 'policy' } },
    '/events/own': { data: 'stream', cache: { owner: 'handler', floor: 'none' } },
    '/floor/private': { data: 'private', cache: { owner: 'handler', floor: 'private' } },
    '/floor/none': { cache: { owner: 'handler', floor: 'none' } },
    '/floor/no-store': { data: 'private', cache: { owner: 'handler', floor: 'no-store' } },
  },
}

const BESIDE = [
  ['Pragma', 'cache'],
  ['Expires', 'Thu, 01 Jan 2099 00:00:00 GMT'],
  ['Surrogate-Control', 'max-age=60'],
  ['CDN-Cache-Control', 'max-age=60'],
  ['Cloudflare-CDN-Cache-Control', 'max-age=60'],
  ['X-Accel-Expires', '60'],
] as const

async function ask(path: string, handler: RequestListener, method = 'GET'): Promise<Answer> {
  const app = await listening(createServer(policy, handler))
  try {
    return parseAnswer(
      await send(app, `${method} ${path} HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n`),
    )
  } finally {
    await app.close()
  }
}

/** Asserts the one Cache-Control line, and that nothing stands beside it. */
function expectOnly(answer: Answer, value: string): void {
  assert.deepEqual(valuesOf(answer, 'Cache-Control'), [value])
  for (const [name] of BESIDE) assert.deepEqual(valuesOf(answer, name), [], name)
}

const respond =
  (status: number, headers: readonly (readonly [string, string])[], form = 'setHeader'): RequestListener =>
  (_request, response) => {
    forms[form]!(response, status, headers)
    response.end('{}')
  }

const PUBLIC = ['Cache-Control', 'public, max-age=9999'] as const

describe('a stream that sets a cookie', () => {
  for (const path of ['/events/all', '/events/own'])
    it(`is kept by nobody, at ${path}`, async () => {
      const plain = await ask(path, respond(200, []))
      assert.deepEqual(valuesOf(plain, 'Cache-Control'), ['no-cache, no-transform'])
      for (const said of [[], [PUBLIC]])
        expectOnly(
          await ask(path, respond(200, [['Set-Cookie', 'a=b'], ...said])),
          'no-store, private, no-transform',
        )
    })
})

describe('what the policy owns', () => {
  const places = {
    'D6 /v1/account': ['/v1/account', '/v1/account/', '/v1/account/a/b/c'],
    'D7 /v1/admin': ['/v1/admin', '/v1/admin/users'],
    'D8 /v1/billing': ['/v1/billing', '/v1/billing/invoices/1'],
  } as const
  for (const [claim, paths] of Object.entries(places))
    for (const path of paths)
      for (const form of Object.keys(forms))
        it(`${claim}: ${path} is never stored, with headers given by "${form}"`, async () =>
          expectOnly(await ask(path, respond(200, [PUBLIC, ...BESIDE], form)), 'no-store, private'))

  for (const status of [301, 304, 404, 500])
    it(`D6 a ${status} of a private path is not stored either`, async () =>
      expectOnly(await ask('/v1/account', respond(status, [PUBLIC, ...BESIDE])), 'no-store, private'))

  it('D6 a handler that throws leaves no other value', async () =>
    expectOnly(
      await ask('/v1/account', (_request, response) => {
        response.setHeader(...PUBLIC)
        response.writeHead(500).end('stack')
      }),
      'no-store, private',
    ))

  for (const form of Object.keys(forms))
    it(`D9 /v1/status is public for 30 seconds, with headers given by "${form}"`, async () =>
      expectOnly(
        await ask('/v1/status', respond(200, [['Cache-Control', 'private'], ...BESIDE], form)),
        'public, max-age=30',
      ))

  it('D9 HEAD says the same', async () =>
    expectOnly(await ask('/v1/status', respond(200, []), 'HEAD'), 'public, max-age=30'))

  for (const status of [400, 404, 500, 503])
    it(`an error ${status} of a public path is never kept`, async () =>
      expectOnly(await ask('/v1/status', respond(status, [PUBLIC, ...BESIDE])), 'no-store'))

  for (const form of ['setHeader', 'object', 'flat', 'appended'])
    it(`a cookie turns a public answer private, given by "${form}"`, async () => {
      const answer = await ask('/v1/status', respond(200, [['Set-Cookie', 'a=b']], form))
      expectOnly(answer, 'no-store, private')
      assert.ok(valuesOf(answer, 'Set-Cookie').length > 0)
    })

  it('D10 the stream is neither kept nor rewritten', async () =>
    expectOnly(
      await ask(
        '/v1/status/stream',
        respond(200, [PUBLIC, ...BESIDE, ['Content-Type', 'text/event-stream']]),
      ),
      'no-cache, no-transform',
    ))

  it('H4 an asset is public, long and immutable', async () =>
    expectOnly(await ask('/assets/app.1234.js', respond(200, [])), 'public, max-age=31536000, immutable'))

  for (const path of ['/v1//account', '/v1/%61ccount', '/v1/status/../account', '/V1/ACCOUNT', '/v1/status/'])
    it(`a path that two programs may read differently is never stored: ${path}`, async () =>
      expectOnly(await ask(path, respond(200, [PUBLIC, ...BESIDE])), 'no-store, private'))
})

describe('what the handler owns above a floor', () => {
  const rows: readonly (readonly [path: string, set: string | undefined, sent: string])[] = [
    ['/floor/private', 'private, max-age=60', 'private, max-age=60'],
    ['/floor/private', 'no-store', 'no-store'],
    ['/floor/private', 'public, max-age=60', 'no-store, private'],
    ['/floor/private', 'x="a, private"', 'no-store, private'],
    ['/floor/private', undefined, 'no-store, private'],
    ['/floor/no-store', 'no-store, max-age=0', 'no-store, max-age=0'],
    ['/floor/no-store', 'private, max-age=60', 'no-store, private'],
    ['/floor/none', 'public, max-age=60', 'public, max-age=60'],
    ['/floor/none', undefined, 'no-store, private'],
    ['/anything', 'public, max-age=60', 'public, max-age=60'],
    ['/anything', undefined, 'no-store, private'],
  ]
  for (const [path, set, sent] of rows)
    for (const form of ['setHeader', 'object', 'flat'])
      it(`${path}: ${set ?? 'nothing'} by "${form}" is sent as ${sent}`, async () =>
        assert.deepEqual(
          valuesOf(
            await ask(path, respond(200, set === undefined ? [] : [['Cache-Control', set]], form)),
            'Cache-Control',
          ),
          [sent],
        ))

  it('lets nothing beside Cache-Control go round a floor', async () =>
    expectOnly(
      await ask('/floor/private', respond(200, [['Cache-Control', 'private'], ...BESIDE])),
      'private',
    ))

  it('lets nothing beside it speak where the handler says nothing', async () =>
    expectOnly(await ask('/floor/none', respond(200, BESIDE)), 'no-store, private'))

  it('passes all on where there is no floor', async () => {
    const answer = await ask('/floor/none', respond(200, [PUBLIC, ...BESIDE]))
    for (const [name, value] of [PUBLIC, ...BESIDE]) assert.deepEqual(valuesOf(answer, name), [value], name)
  })

  it('never lets a cookie be shared', async () => {
    const set = (value: string) =>
      ask(
        '/floor/none',
        respond(200, [
          ['Cache-Control', value],
          ['Set-Cookie', 'a=b'],
        ]),
      )
    assert.deepEqual(valuesOf(await set('public, max-age=60'), 'Cache-Control'), ['no-store, private'])
    assert.deepEqual(valuesOf(await set('max-age=60'), 'Cache-Control'), ['no-store, private'])
    assert.deepEqual(valuesOf(await set('private, max-age=60'), 'Cache-Control'), ['private, max-age=60'])
  })
})
