// 200 clients that send heads, send bodies or read answers as slowly as they can (slowhttptest): every one is closed,
// and others are served meanwhile. What the gateway holds is counted, not what the clients see: an answer that is all in
// the system's buffers can be read for hours without costing the gateway anything.

import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { performance } from 'node:perf_hooks'
import { type TestContext, test } from 'node:test'
import { setTimeout as later } from 'node:timers/promises'
import { ask, gatewayFor, type Running, upstreamFor } from '../harness.ts'

const CLIENTS = 200
const hasProgram = spawnSync('sh', ['-c', 'command -v slowhttptest']).status === 0
const skip = hasProgram ? false : 'slowhttptest is missing: apt-get install slowhttptest'

/** Far more than the system keeps for a connection, so that a slow reader leaves the rest with the gateway. */
const LARGE = Buffer.alloc(32 * 1_048_576, 'a')
/** The longest that an attack lasts; what is open then was not closed. */
const ATTACK_SECONDS = 170

const ATTACKS: readonly (readonly [what: string, path: string, words: readonly string[]])[] = [
  ['slow heads', '/v1/things', ['-H', '-i', '5', '-t', 'GET']],
  ['slow bodies', '/v1/things', ['-B', '-i', '5', '-s', '8192', '-t', 'POST']],
  ['slow readers', '/v1/large', ['-X', '-w', '512', '-y', '1024', '-n', '5', '-z', '32', '-k', '1']],
]

async function openConnections({ gateway }: Running): Promise<number> {
  const families = await gateway.plane.metrics()
  return families.find(({ name }) => name === 'sallyport_connections')!.samples[0]!.value
}

async function withstand(context: TestContext, path: string, words: readonly string[]): Promise<void> {
  const upstream = await upstreamFor(context, (request, response) => {
    request.resume()
    response.end(request.url === '/v1/large' ? LARGE : '{}')
  })
  const running = await gatewayFor(context, { upstream })
  const url = `http://127.0.0.1:${running.port}${path}`
  const attack = spawn(
    'slowhttptest',
    ['-c', String(CLIENTS), '-r', '100', '-l', String(ATTACK_SECONDS), '-p', '3', '-u', url, ...words],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  )
  let told = ''
  attack.stdout.setEncoding('utf8').on('data', (text: string) => {
    told += text
  })
  const ended = once(attack, 'exit')
  context.after(() => attack.kill('SIGKILL'))
  const startedAt = performance.now()
  let served = 0
  let most = 0
  let open = 0
  do {
    await later(250)
    const { status } = await ask(running, '/v1/probe', { headers: { connection: 'close' } })
    assert.equal(status, 200)
    served++
    open = await openConnections(running)
    most = Math.max(most, open)
    // On a busy machine the first may be closed before the last has come.
  } while (most < CLIENTS / 2 || open > 1)
  const seconds = Math.round((performance.now() - startedAt) / 1_000)
  // It ends by itself when its clients are closed, and when it has lasted so long that they should have been.
  assert.doesNotMatch(told, /Hit test time limit/)
  context.diagnostic(
    `${CLIENTS} clients: up to ${most} open at once, all closed after ${seconds} s, ${served} of ${served} others served`,
  )
  attack.kill('SIGKILL')
  await ended
}

test('slow clients', { skip, concurrency: true, timeout: (ATTACK_SECONDS + 30) * 1_000 }, async (context) => {
  await Promise.all(
    ATTACKS.map(([what, path, words]) =>
      context.test(`${what} are closed, and others are served`, (each) => withstand(each, path, words)),
    ),
  )
})
