// Guessing through two gateways that keep their counts in one PostgreSQL.

import assert from 'node:assert/strict'
import { after, before, describe, it, type TestContext } from 'node:test'
import { openStore, recordedLockouts, type Store } from '@sallyport/store'
import { type PostgresServer, postgresMissing, startPostgres } from '../../store/test/fixtures/postgres.ts'
import { ask, gatewayFor, IN_FRONT, type Running, upstreamFor } from './harness.ts'

const policy = {
  ...IN_FRONT,
  client: { trustedProxies: ['127.0.0.1/32'], forwarded: 'x-forwarded-for' },
  routes: { 'POST /v1/sign-in': { lockout: { name: { from: 'json', field: 'email' } } } },
} as const

async function nodeOf(context: TestContext, upstream: string, store: Store): Promise<Running> {
  const services = { lockouts: recordedLockouts(store), secret: () => 'a pepper of the tests' }
  return gatewayFor(context, { upstream, policy, services })
}

const guess = (node: Running, from: string, password = 'wrong') =>
  ask(node, '/v1/sign-in', {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-forwarded-for': from },
    body: JSON.stringify({ email: 'ada@example.com', password }),
  })

describe('two gateways', { skip: postgresMissing }, () => {
  let server: PostgresServer
  before(async () => {
    server = await startPostgres()
  })
  after(() => server.end())

  async function twoNodes(context: TestContext) {
    let verified = 0
    const upstream = await upstreamFor(context, async (request, response) => {
      verified++
      let text = ''
      for await (const chunk of request) text += chunk
      response.writeHead(text.includes('right') ? 200 : 401).end()
    })
    const { url, ownerUrl } = await server.database()
    const stores = [
      await openStore({ url, ownerUrl, waitMs: 60_000 }),
      await openStore({ url, waitMs: 60_000 }),
    ]
    context.after(() => Promise.all(stores.map((store) => store.close())))
    const nodes = [
      await nodeOf(context, upstream, stores[0]!),
      await nodeOf(context, upstream, stores[1]!),
    ] as const
    return { nodes, upstream, stores, verified: () => verified }
  }

  it('H12 share one budget: of eighty guesses at once from eighty addresses five are verified', async (context) => {
    const { nodes, verified } = await twoNodes(context)
    const answers = await Promise.all(
      Array.from({ length: 80 }, (_, at) => guess(nodes[at % 2 === 0 ? 0 : 1], `198.51.100.${at}`)),
    )
    assert.equal(answers.filter(({ status }) => status === 401).length, 5)
    assert.equal(answers.filter(({ status }) => status === 429).length, 75)
    assert.equal(verified(), 5)
  })

  it('I10 H12 a gateway that starts anew gives nothing back', async (context) => {
    const { nodes, upstream, stores, verified } = await twoNodes(context)
    for (let at = 0; at < 5; at++) assert.equal((await guess(nodes[0], `198.51.100.${at}`)).status, 401)
    await nodes[0].gateway.close({ graceMs: 0 })
    const next = await nodeOf(context, upstream, stores[0]!)
    assert.equal((await guess(next, '198.51.100.9', 'right')).status, 429)
    assert.equal(verified(), 5)
  })

  it('lets nobody in while the database is away, and everybody when it is back', async (context) => {
    const { nodes, verified } = await twoNodes(context)
    server.stop('fast')
    const refused = await guess(nodes[0], '198.51.100.1', 'right')
    assert.deepEqual([refused.status, verified()], [503, 0])
    assert.equal(refused.header('retry-after'), '5')
    server.start()
    for (let tried = 0; tried < 100; tried++)
      if ((await guess(nodes[0], `203.0.113.${tried}`, 'right')).status === 200) return
    assert.fail('the database is back, and nobody is let in')
  })
})
