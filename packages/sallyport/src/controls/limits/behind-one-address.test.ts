// Many callers behind one address: known ones do not take its bucket from each other while they are looked up, and
// credentials that are none are held to it all the same.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { memoryCounters } from '../../counters/memory.ts'
import { createGuard } from '../../guard/guard.ts'
import type { PolicyDocument } from '../../guard/policy.ts'
import { keyFormat } from '../../keys/format.ts'
import { createKeyRing } from '../../keys/ring.ts'
import { simulatedRecords, simulation } from '../../keys/simulation.ts'
import type { Counters } from '../../ports/counters.ts'
import type { LimitsSetting } from './setting.ts'
import { start } from './world.ts'

const LIMIT = 60
const policyOf = (fields: LimitsSetting = {}): PolicyDocument => ({
  transport: { tls: 'in-front' },
  access: { mode: 'off' },
  keys: { vendor: 'acme', header: ['authorization', 'x-api-key'], failuresPerMinute: 10_000 },
  limits: {
    plans: { free: { buckets: { minute: { limit: 1000, windowSeconds: 60 } } } },
    defaultPlan: 'free',
    addresses: { buckets: { anonymous: { limit: LIMIT, windowSeconds: 60 } } },
    ...fields,
  },
  routes: { '/v1/open': { credentials: 'none', data: 'public' } },
})
const bad = () =>
  keyFormat('acme').make({ kind: 'secret', environment: 'live' }, (bytes) =>
    crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>),
  )

async function api(isShared: boolean, document = policyOf()) {
  const time = simulation()
  const records = simulatedRecords(time)
  const ring = createKeyRing(records, time)
  await ring.ready
  const inner = memoryCounters({ clock: () => start })
  const elsewhere: Counters = {
    take: async (requests) => inner.take(requests),
    peek: async (requests) => inner.peek(requests),
    refund: async (requests, verdict) => inner.refund(requests, verdict),
  }
  const guard = createGuard(document, 'node', {
    clock: () => start,
    services: { keys: ring, counters: isShared ? elsewhere : inner },
  })
  const open = (headers: Readonly<Record<string, string>>, path = '/v1/orders') =>
    guard.open({
      method: 'GET',
      target: path,
      httpVersion: '1.1',
      rawHeaders: ['Host', 'api.example', ...Object.entries(headers).flat()],
      header: (name) => (name === 'host' ? 'api.example' : headers[name]),
      peer: '192.0.2.1',
      encrypted: true,
    })
  /** All in flight at once; how many heard what. */
  const ask = async (all: readonly Readonly<Record<string, string>>[], path?: string) => {
    const verdicts = await Promise.all(all.map((headers) => guard.admit(open(headers, path))))
    const codes = verdicts.map((verdict) => (verdict?.kind === 'deny' ? verdict.code : 'in'))
    return Object.fromEntries(
      [...new Set(codes)].map((code) => [code, codes.filter((c) => c === code).length]),
    )
  }
  return { ask, open, guard, records }
}

const times = (count: number, headers: () => Record<string, string>) => Array.from({ length: count }, headers)

for (const isShared of [false, true])
  describe(isShared ? 'counters elsewhere' : 'counters in memory', () => {
    test('200 requests of known callers in flight all pass, and nothing of the address is used', async () => {
      const { ask, records } = await api(isShared)
      // Each is looked up, so all are in flight together.
      const keys = Array.from({ length: 200 }, () => records.add())
      assert.deepEqual(await ask(keys.map((key) => ({ authorization: `Bearer ${key}` }))), { in: 200 })
      assert.deepEqual(await ask(times(200, () => ({ 'x-api-key': keys[0]! }))), { in: 200 })
      assert.deepEqual(await ask(times(100, () => ({}))), { in: LIMIT, too_many_requests: 100 - LIMIT })
    })

    test('of 700 bad keys in flight no more than the limit hear that they are bad; then the address is refused', async () => {
      const { ask, records } = await api(isShared)
      assert.deepEqual(await ask(times(700, () => ({ authorization: `Bearer ${bad()}` }))), {
        invalid_credential: LIMIT,
        too_many_requests: 700 - LIMIT,
      })
      assert.deepEqual(await ask([{ authorization: `Bearer ${records.add()}` }, {}]), {
        too_many_requests: 2,
      })
    })

    test('whoever shows something that is no credential where none is needed passes no oftener than the limit', async () => {
      for (const headers of [{ authorization: 'Basic eDp5' }, { cookie: 'session=x' }]) {
        const { ask } = await api(isShared)
        assert.deepEqual(
          await ask(
            times(700, () => headers),
            '/v1/open',
          ),
          {
            in: LIMIT,
            too_many_requests: 700 - LIMIT,
          },
        )
      }
    })

    test('a client that does not wait for its answer is counted all the same', async () => {
      const { ask, guard, open } = await api(isShared)
      for (let count = 0; count < LIMIT; count++) void guard.admit(open({ authorization: `Bearer ${bad()}` }))
      await new Promise((resolve) => setImmediate(resolve))
      assert.deepEqual(await ask([{}]), { too_many_requests: 1 })
    })

    test('what is told of a bad key’s answer has that request taken off', async () => {
      const { guard, open } = await api(isShared)
      const exchange = open({ authorization: `Bearer ${bad()}` })
      await guard.admit(exchange)
      assert.deepEqual(
        exchange.limits?.decisions.map(({ bucket, remaining }) => [bucket, remaining]),
        [['anonymous', LIMIT - 1]],
      )
    })

    test('where the control only reports, a bad key hears what it would hear without', async () => {
      const { ask } = await api(isShared, policyOf({ mode: 'report' }))
      assert.deepEqual(await ask(times(100, () => ({ authorization: `Bearer ${bad()}` }))), {
        invalid_credential: 100,
      })
    })
  })
