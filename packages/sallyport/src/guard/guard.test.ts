// Modes: a control that only reports changes nothing and counts what it would have done; one that is off is not there.

import assert from 'node:assert/strict'
import type { RequestListener } from 'node:http'
import { after, describe, it } from 'node:test'
import { listening, type Running } from '../../test/kinds/listen.ts'
import { parseAnswer, send, valuesOf } from '../../test/kinds/wire.ts'
import { createServer } from '../adapters/node/index.ts'
import { createGuard } from './guard.ts'
import type { PolicyDocument } from './policy.ts'

const weak: RequestListener = (request, response) => {
  response.setHeader('X-Frame-Options', 'ALLOWALL')
  response.setHeader('Cache-Control', 'public, max-age=600')
  if (request.url === '/fails') response.writeHead(500)
  response.end('the application’s own words')
}

const get = (path: string, lines = '') =>
  `GET ${path} HTTP/1.1\r\nHost: a.example\r\n${lines}Connection: close\r\n\r\n`

describe('a policy in report mode', () => {
  const policy: PolicyDocument = {
    headers: { mode: 'report', frameOptions: 'DENY', contentTypeOptions: 'nosniff' },
    cache: { mode: 'report' },
    errors: { mode: 'report' },
    request: { mode: 'report', maxTargetBytes: 64 },
    transport: { mode: 'report', tls: 'here', plainHttp: 'redirect' },
  }
  const guard = createGuard(policy, 'node')
  let running: Running | undefined
  after(() => running?.close())

  const ask = async (raw: string) => {
    running ??= await listening(createServer(guard, weak))
    return parseAnswer(await send(running, raw))
  }

  it('leaves answers as the application made them, and counts each line that it would have changed', async () => {
    const answer = await ask(get('/a'))
    assert.deepEqual(valuesOf(answer, 'x-frame-options'), ['ALLOWALL'])
    assert.deepEqual(valuesOf(answer, 'cache-control'), ['public, max-age=600'])
    assert.deepEqual(valuesOf(answer, 'x-content-type-options'), [])
    assert.equal(guard.wouldDo.get('SP-HEADERS-01 x-frame-options *'), 1)
    assert.equal(guard.wouldDo.get('SP-HEADERS-01 x-content-type-options *'), 1)
    assert.equal(guard.wouldDo.get('SP-CACHE-01 cache-control *'), 1)
  })

  it('leaves an error’s body, and counts the replacement', async () => {
    const answer = await ask(get('/fails'))
    assert.match(answer.rest, /own words/)
    assert.equal(guard.wouldDo.get('SP-ERRORS-01 body:internal *'), 1)
  })

  it('lets a request pass that it would have refused or redirected, and counts it', async () => {
    const before = guard.wouldDo.get('SP-TLS-01 308 *') ?? 0
    const answer = await ask(get('/a-target-of-more-than-sixty-four-bytes-which-is-all-that-is-allowed'))
    assert.equal(answer.status, 200)
    assert.equal(guard.wouldDo.get('SP-REQUEST-01 target_too_long *'), 1)
    assert.equal(guard.wouldDo.get('SP-TLS-01 308 *'), before + 1)
  })

  it('counts by the policy’s own words, so that callers can’t make the counts grow', async () => {
    const size = guard.wouldDo.size
    for (const path of ['/b', '/c', '/d']) await ask(get(path, 'X-Anything: 1\r\n'))
    assert.equal(guard.wouldDo.size, size)
  })
})

it('a control that is off does nothing', async () => {
  const running = await listening(createServer({ headers: { mode: 'off', frameOptions: 'DENY' } }, weak))
  try {
    const answer = parseAnswer(await send(running, get('/')))
    assert.deepEqual(valuesOf(answer, 'x-frame-options'), ['ALLOWALL'])
  } finally {
    running.close()
  }
})

it('a path that is remembered keeps its cell, and what is long or of another method is looked up afresh', () => {
  const guard = createGuard(
    { routes: { '/v1/a': { data: 'private' }, 'POST /v1/a': { data: 'stream' } } },
    'node',
  )
  const open = (method: string, target: string) =>
    guard.open({
      method,
      target,
      httpVersion: '1.1',
      rawHeaders: [],
      header: () => undefined,
      peer: undefined,
      encrypted: false,
    }).cell.id
  for (let round = 0; round < 2; round++) {
    assert.equal(open('GET', '/v1/a?x=1'), '/v1/a')
    assert.equal(open('POST', '/v1/a'), 'POST /v1/a')
    assert.equal(open('GET', '/v1/A'), '! /v1/a')
    assert.equal(open('GET', `/${'x'.repeat(300)}`), '*')
    for (let i = 0; i < 2000; i++) assert.equal(open('GET', `/p${i}`), '*')
  }
})

it('cells of equal settings share nothing that hangs on their paths', async () => {
  const policy: PolicyDocument = {
    transport: { tls: 'in-front' },
    routes: { '/v1/*': { data: 'private' }, '/.well-known/*': { data: 'private' } },
  }
  const running = await listening(createServer(policy, weak))
  const page = parseAnswer(await send(running, get('/.well-known/problems/not_found')))
  await running.close()
  assert.match(page.rest, /There is nothing here/)
})
