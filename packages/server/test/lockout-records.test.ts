// Guessing through two gateways that keep their counts in one PostgreSQL.

import assert from 'node:assert/strict'
import { after, before, describe, it, type TestContext } from 'node:test'
import { openStore, recordedLockouts, type Store } from '@sallyport/store'
import { type Puzzle, solveChallenge } from 'sallyport/challenge'
import { type PostgresServer, postgresMissing, startPostgres } from '../../store/test/fixtures/postgres.ts'
import { ask, gatewayFor, IN_FRONT, type Running, upstreamFor } from './harness.ts'

const policy = {
  ...IN_FRONT,
  client: { trustedProxies: ['127.0.0.1/32'], forwarded: 'x-forwarded-for' },
  lockout: { surge: { failures: 210, difficulty: 8 } },
  routes: { 'POST /v1/sign-in': { lockout: { name: { from: 'json', field: 'email' } } } },
} as const

async function nodeOf(context: TestContext, upstream: string, store: Store): Promise<Running> {
  const services = { lockouts: recordedLockouts(store), secret: () => 'a pepper of the tests' }
  return gatewayFor(context, { upstream, policy, services })
}

const guess = (node: Running, from: string, password = 'wrong', email = 'ada@example.com', more = {}) =>
  ask(node, '/v1/sign-in', {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-forwarded-for': from, ...more },
    body: JSON.stringify({ email, password }),
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

  it('H12 share one surge: what one is told of failures the other asks puzzles for, and a solution is good at one', async (context) => {
    const { nodes, verified } = await twoNodes(context)
    for (let at = 0; at < 210; at++) await guess(nodes[0], `198.51.100.${at}`, 'wrong', `n${at}@example.com`)
    assert.equal(verified(), 210)
    const asked = await guess(nodes[1], '192.0.2.1', 'right')
    const { code, challenge } = JSON.parse(asked.body) as {
      readonly code: string
      readonly challenge: Puzzle
    }
    assert.deepEqual([asked.status, code, verified()], [403, 'challenge_required', 210])
    const more = { 'challenge-answer': await solveChallenge(challenge) }
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, at) =>
        guess(nodes[at % 2 === 0 ? 0 : 1], '192.0.2.1', 'right', 'ada@example.com', more),
      ),
    )
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, ...Array(19).fill(403)])
    assert.equal(verified(), 211)
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
