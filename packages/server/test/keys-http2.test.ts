// `/v1/keys` over HTTP/2: the body of one stream is read, and no other is held up.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memoryAdministrator } from '../../sallyport/test/keys/administrator.ts'
import { gatewayFor, upstreamFor } from './harness.ts'
import { answerOf, askHttp2, begin, openHttp2 } from './http2-client.ts'

test('H7 keys are made and rotated over HTTP/2, also by who waits for our word and who leaves half-way', async (context) => {
  const administrator = memoryAdministrator(Date.now)
  const running = await gatewayFor(context, {
    policy: {
      extends: 'commerce',
      transport: { tls: 'here' },
      keys: { vendor: 'acme', selfService: {} },
      access: { sessions: { cookie: 'session' } },
    },
    upstream: await upstreamFor(context, (_request, response) => response.end('upstream')),
    services: {
      keyAdministrator: administrator,
      keys: { find: () => 'unknown', used: () => {} },
      sessions: {
        find: () => ({
          principal: {
            organisation: 'acme-inc',
            role: 'admin',
            credential: { kind: 'session', id: 's1' },
            scopes: [],
          },
        }),
      },
    },
  })
  const session = await openHttp2(context, running)
  const headers = { cookie: 'session=x', 'content-type': 'application/json' }
  const gone = begin(session, '/v1/keys', { method: 'POST', headers })
  gone.write('{"name":"Half"')
  gone.close(8)
  const waiting = begin(session, '/v1/keys', {
    method: 'POST',
    headers: { ...headers, expect: '100-continue' },
  })
  waiting.once('continue', () => waiting.end('{"name":"Waits"}'))
  const made = await answerOf(waiting)
  assert.equal(made.status, 201)
  const { id } = JSON.parse(made.body)
  const rotated = await askHttp2(session, `/v1/keys/${id}/rotate`, { method: 'POST', headers, body: '{}' })
  assert.deepEqual([rotated.status, JSON.parse(rotated.body).generation], [200, 2])
  assert.deepEqual(rotated.values('cache-control'), ['no-store, private'])
  const large = begin(session, '/v1/keys', { method: 'POST', headers })
  large.write(Buffer.alloc(20_000, 32))
  assert.equal((await answerOf(large)).status, 413)
  assert.deepEqual(administrator.done, ['create Waits', `rotate ${id}`])
})
