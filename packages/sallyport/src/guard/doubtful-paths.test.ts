// A path that one program takes for one route, and another for another, meets the rules of both.

import assert from 'node:assert/strict'
import type { RequestListener } from 'node:http'
import { describe, it } from 'node:test'
import { listening } from '../../test/kinds/listen.ts'
import { parseAnswer, send, valuesOf } from '../../test/kinds/wire.ts'
import { createServer } from '../adapters/node/index.ts'
import { createGuard } from './guard.ts'
import type { PolicyDocument } from './policy.ts'

const policy: PolicyDocument = {
  headers: { contentSecurityPolicy: { 'default-src': ["'self'"] } },
  request: { maxBodyBytes: 100_000 },
  routes: {
    '/users/*': { data: 'public', credentials: 'none', cache: { maxAgeSeconds: 300 } },
    '/users/@me': { data: 'private' },
    '/users/!me': { data: 'private' },
    '/v1/upload': {
      request: { maxBodyBytes: 1000 },
      headers: { contentSecurityPolicy: { 'default-src': ["'none'"] } },
    },
  },
}

function cellOf(target: string) {
  return createGuard(policy, 'node').open({
    method: 'GET',
    target,
    httpVersion: '1.1',
    rawHeaders: [],
    header: () => undefined,
    peer: undefined,
    encrypted: false,
  }).cell
}

const app: RequestListener = (request, response) => {
  request.resume()
  request.on('end', () => response.end('{}'))
}

describe('an escape of a character that may stand as it is', () => {
  for (const target of ['/users/%40me', '/users/%21me', '/users/%21ME', '/users/%40me/'])
    it(`does not take ${target} out of its private route`, () => {
      const cell = cellOf(target)
      assert.deepEqual([cell.origin, cell.data], ['strict', 'private'])
    })

  it('changes nothing where both spellings fall into the same route', () => {
    assert.equal(cellOf('/users/a%2Bb%40example.com').id, '/users/*')
  })
})

describe('another spelling of a route', () => {
  const spellings = [
    '/v1/Upload',
    '/v1/upload/',
    '/V1/UPLOAD',
    '/v1//upload',
    '/v1/%75pload',
    '/v1/x/../upload',
    '/v1/upload;a',
  ]
  for (const target of spellings)
    it(`${target} escapes neither the limits nor the headers of /v1/upload`, async () => {
      const running = await listening(createServer(policy, app))
      try {
        const head = (length: number) =>
          `POST ${target} HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\nContent-Length: ${length}\r\n\r\n`
        const large = parseAnswer(await send(running, head(5000) + 'x'.repeat(5000)))
        assert.equal(large.status, 413)
        const small = parseAnswer(await send(running, `${head(2)}{}`))
        assert.deepEqual(valuesOf(small, 'content-security-policy'), ["default-src 'none'"])
        assert.deepEqual(valuesOf(small, 'cache-control'), ['no-store, private'])
      } finally {
        running.close()
      }
    })
})

it('an answer to somebody who showed a credential is not cached for others, nor is the guard’s own redirect', async () => {
  const running = await listening(
    createServer(
      {
        client: { trustedProxies: ['loopback'], forwarded: 'x-forwarded-for' },
        transport: { plainHttp: 'redirect' },
        routes: { '/a': { data: 'public' }, '/status': { data: 'public', credentials: 'none' } },
      },
      app,
    ),
  )
  const cacheOf = async (path: string, lines: string) =>
    valuesOf(
      parseAnswer(
        await send(running, `GET ${path} HTTP/1.1\r\nHost: a.example\r\n${lines}Connection: close\r\n\r\n`),
      ),
      'cache-control',
    )
  try {
    assert.deepEqual(await cacheOf('/a', ''), ['public, max-age=30'])
    assert.deepEqual(await cacheOf('/a', 'Cookie: s=alice\r\n'), ['no-store, private'])
    assert.deepEqual(await cacheOf('/a', 'Authorization: Bearer alice\r\n'), ['no-store, private'])
    assert.deepEqual(await cacheOf('/status', 'Cookie: s=alice\r\n'), ['public, max-age=30'])
    assert.deepEqual(await cacheOf('/a', 'X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: http\r\n'), [
      'no-store',
    ])
  } finally {
    running.close()
  }
})
