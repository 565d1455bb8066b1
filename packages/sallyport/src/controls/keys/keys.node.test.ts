// Keys on a real server: what probes find on a guarded one, and on one that takes every key.

import assert from 'node:assert/strict'
import { createServer as createBareServer } from 'node:http'
import { test } from 'node:test'
import { listening } from '../../../test/kinds/listen.ts'
import { parseAnswer, send } from '../../../test/kinds/wire.ts'
import { probesOf, prove } from '../../../test/probes/prove.ts'
import { createServer } from '../../adapters/node/index.ts'
import { createGuard } from '../../guard/guard.ts'
import type { PolicyDocument } from '../../guard/policy.ts'
import { resolvePolicy } from '../../guard/resolve.ts'
import { createKeyRing } from '../../keys/ring.ts'
import { simulatedRecords, simulation } from '../../keys/simulation.ts'
import { keys } from './index.ts'

const policies: Readonly<Record<string, PolicyDocument>> = {
  'in Authorization': { keys: { vendor: 'acme' } },
  'in X-API-Key, for tests': { keys: { vendor: 'acme', environment: 'test', header: ['x-api-key'] } },
  'with publishable keys': { keys: { vendor: 'acme', publishable: { scopes: ['products:read'] } } },
}

function guarded(document: PolicyDocument) {
  const time = simulation()
  const records = simulatedRecords(time)
  const policy = resolvePolicy({ extends: 'recommended', transport: { tls: 'in-front' }, ...document })
  const guard = createGuard(policy, 'node', { services: { keys: createKeyRing(records, time) } })
  return { policy, guard, records }
}

for (const [name, document] of Object.entries(policies))
  test(`H6 probes find nothing where keys are kept, and each misses its claim where they are not: ${name}`, async (t) => {
    const { policy, guard } = guarded(document)
    const running = await listening(createServer(guard, (_request, response) => response.end('served')))
    t.after(() => running.close())
    assert.deepEqual(await prove(running, keys as never, policy), {})
    const bare = await listening(createBareServer((_request, response) => response.end('served')))
    t.after(() => bare.close())
    const found = await prove(bare, keys as never, policy)
    const all = probesOf(keys as never, policy).map(({ id }) => id)
    assert.ok(all.length >= 4)
    assert.deepEqual(Object.keys(found).sort(), all.sort())
  })

test('a key opens a real server, and the answer to a replaced one says so', async (t) => {
  const { guard, records } = guarded({ keys: { vendor: 'acme' }, access: { mode: 'off' } })
  const running = await listening(createServer(guard, (_request, response) => response.end('served')))
  t.after(() => running.close())
  const ask = async (key: string) =>
    parseAnswer(
      await send(
        running,
        `GET /v1/orders HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${key}\r\nConnection: close\r\n\r\n`,
      ),
    )
  const good = await ask(records.add())
  assert.equal(good.status, 200)
  assert.ok(!good.headers.some(([name]) => name === 'Sunset'))
  const replaced = await ask(
    records.add({ generationReplacedAt: Date.now(), generationEndsAt: Date.now() + 60_000 }),
  )
  assert.equal(replaced.status, 200)
  assert.ok(replaced.headers.some(([name, value]) => name === 'Deprecation' && /^@\d{10}$/.test(value)))
  assert.ok(replaced.headers.some(([name, value]) => name === 'Sunset' && value.endsWith(' GMT')))
  const bad = await ask(records.add({ revokedAt: 1 }))
  assert.equal(bad.status, 401)
  assert.ok(bad.headers.some(([name]) => name === 'WWW-Authenticate'))
  assert.match(bad.rest, /"code":"invalid_credential"/)
})
