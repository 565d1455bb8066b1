// A gateway whose counters' server is killed and comes back empty: each bucket does as declared meanwhile, an operator sees
// it and a caller does not, and guesses are counted as before, since those are records.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { storeFolder } from '../../../store/test/fixtures/embedded.ts'
import { missing, startRedis } from '../../../store/test/valkey/server.ts'
import { POLICY, until, worldOf } from './world.ts'

const VARIABLE = 'FAULTS_TEST_COUNTERS'
const bucket = { limit: 1_000, windowSeconds: 60 }

describe('a gateway whose counters’ server', { skip: missing }, () => {
  const unhandled: unknown[] = []
  const hear = (reason: unknown) => void unhandled.push(reason)
  before(() => void process.on('unhandledRejection', hear))
  after(() => {
    process.off('unhandledRejection', hear)
    delete process.env[VARIABLE]
  })

  it('is killed and comes back empty: requests are served as declared, and no lock is forgotten', async (context) => {
    const directory = await storeFolder(context)
    const first = await startRedis()
    context.after(() => first.stop())
    process.env[VARIABLE] = `redis://127.0.0.1:${first.port}`
    const node = await worldOf(
      context,
      { counters: { urlFrom: VARIABLE, nodes: 2 }, store: { folder: directory } },
      {
        policy: {
          ...POLICY,
          limits: { addresses: { buckets: { calls: bucket } } },
          routes: {
            ...POLICY.routes,
            '/closed': {
              data: 'public',
              credentials: 'none',
              limits: { addresses: { buckets: { calls: { ...bucket, onOutage: 'closed' } } } },
            },
          },
        },
      },
    )
    const open = async () => {
      const { status, rawHeaders, header } = await node.open()
      return { status, limit: header('x-ratelimit-limit'), names: rawHeaders.filter((_, at) => at % 2 === 0) }
    }
    const counted = await open()
    assert.deepEqual([counted.status, counted.limit], [200, '1000'])
    for (let count = 0; count < 5; count += 1) assert.equal((await node.guess('wrong')).status, 401)
    assert.equal((await node.guess('right')).status, 429)

    await first.stop()
    // Twice: in the time before the fault is seen, and after it.
    for (let count = 0; count < 20; count += 1) {
      const answer = await open()
      assert.equal(answer.status, 200)
      assert.equal(answer.limit, '500', 'the part of one of two processes')
      assert.deepEqual(answer.names, counted.names, 'no header tells a caller that limits are looser now')
    }
    const closed = await node.get('/closed')
    assert.deepEqual([closed.status, closed.header('retry-after')], [503, '1'])
    const away = await node.ready()
    assert.equal(away.status, 200)
    assert.match(
      away.warnings.join(),
      /the server of the counters is away; each bucket does as its onOutage says/,
    )
    assert.equal(await node.metric('sallyport_counters_away'), 1)
    assert.ok((await node.metric('sallyport_counters_decisions_without_server_total'))! >= 20)
    assert.equal((await node.guess('right')).status, 429, 'a lock does not depend on that server')

    const again = await startRedis(first.port)
    context.after(() => again.stop())
    await until(
      'counted there again',
      () => open(),
      ({ limit }) => limit === '1000',
    )
    await until(
      'no warning',
      () => node.ready(),
      ({ warnings }) => warnings.length === 0,
    )
    assert.equal((await node.guess('right')).status, 429, 'what that server forgot was not kept there')
    assert.deepEqual(
      node.events.map(({ event }) => event),
      ['counters-away', 'counters-back'],
    )
    assert.deepEqual(unhandled, [])
  })
})
