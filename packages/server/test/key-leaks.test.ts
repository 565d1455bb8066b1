// Reports of keys that leaked, at the gateway.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createKeyRing, type KeyRecords, keyFormat } from 'sallyport/keys'
import { gatewayFor, upstreamFor } from './harness.ts'

test('H7 a reported key is revoked, the answer says nothing, and the upstream hears nothing', async (context) => {
  const format = keyFormat('acme')
  const key = format.make({ kind: 'secret', environment: 'live' }, (bytes) =>
    crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>),
  )
  const exposed: string[] = []
  const records: KeyRecords = {
    find: async () => undefined,
    revocations: async () => ({ seq: 0, ended: [], isCut: false }),
    used: async () => {},
    exposed: async (_digest, source) => void exposed.push(source),
  }
  const ring = createKeyRing(records)
  context.after(() => ring.close())
  const asked: string[] = []
  const upstream = await upstreamFor(context, (request, response) => {
    asked.push(request.url!)
    response.end('upstream')
  })
  const start = async (leakReports: false | object) =>
    (
      await gatewayFor(context, {
        policy: {
          transport: { tls: 'in-front' },
          access: { mode: 'off' },
          keys: { vendor: 'acme', leakReports },
        },
        services: { keys: ring },
        upstream,
      })
    ).port
  const report = async (port: number, body: string) => {
    const answer = await fetch(`http://127.0.0.1:${port}/.well-known/key-leaks`, { method: 'POST', body })
    return [answer.status, await answer.text()] as const
  }
  const port = await start({})
  const url = 'https://git.example/a'
  assert.deepEqual(
    await report(port, JSON.stringify([{ token: key, type: 'acme', url, source: 'content' }])),
    [202, ''],
  )
  assert.deepEqual(await report(port, JSON.stringify({ token: `${key}x`, url })), [202, ''])
  assert.deepEqual(await report(port, 'garbage'), [202, ''])
  assert.equal((await report(port, ' '.repeat(262_145)))[0], 413)
  assert.deepEqual(exposed, [`report ${url}`])
  assert.deepEqual(asked, [])
  const other = await start(false)
  assert.deepEqual(await report(other, '[]'), [200, 'upstream'])
})
