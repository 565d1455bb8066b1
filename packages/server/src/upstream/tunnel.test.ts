// Both ends of a tunnel, on real sockets: what ends one ends the other, and no clock but the tunnel's own watches them.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { openTunnel, type TunnelEnd } from './tunnel.ts'

/** Our end of a connection, and the other one. */
async function pair(context: TestContext): Promise<readonly [ours: Socket, theirs: Socket]> {
  const server = createServer({ allowHalfOpen: true })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const theirs = connect({
    port: (server.address() as AddressInfo).port,
    host: '127.0.0.1',
    allowHalfOpen: true,
  })
  const [ours] = (await once(server, 'connection')) as [Socket]
  theirs.on('error', () => {})
  context.after(() => {
    server.close()
    ours.destroy()
    theirs.destroy()
  })
  return [ours, theirs]
}

async function tunnelFor(context: TestContext, ahead = '') {
  const [client, caller] = await pair(context)
  const [upstream, api] = await pair(context)
  client.setTimeout(5_000)
  upstream.setTimeout(5_000)
  const ends: TunnelEnd[] = []
  const ended = Promise.withResolvers<void>()
  const tunnel = openTunnel(client, upstream, Buffer.from(ahead), 0, (end) => {
    ends.push(end)
    ended.resolve()
  })
  return { client, caller, upstream, api, tunnel, ends, ended: ended.promise }
}

test('what came ahead goes first, and the timeouts of the listener are gone', async (context) => {
  const { caller, api, client, upstream } = await tunnelFor(context, 'first ')
  caller.write('second')
  let text = ''
  api.setEncoding('latin1').on('data', (chunk: string) => {
    text += chunk
  })
  while (text.length < 12) await once(api, 'data')
  assert.equal(text, 'first second')
  assert.deepEqual([client.timeout, upstream.timeout], [0, 0])
})

for (const [name, act, expected] of [
  ['the client is destroyed here', ({ client }) => void client.destroy(), 'closed'],
  ['the upstream is destroyed here', ({ upstream }) => void upstream.destroy(), 'closed'],
  ['the caller resets', ({ caller }) => void caller.resetAndDestroy(), 'failed'],
  ['the upstream resets', ({ api }) => void api.resetAndDestroy(), 'failed'],
  ['it is cut', ({ tunnel }) => tunnel.cut(), 'closed'],
] as const satisfies readonly (readonly [
  string,
  (here: Awaited<ReturnType<typeof tunnelFor>>) => void,
  TunnelEnd,
])[])
  test(`${name}: both sides end, once`, async (context) => {
    const here = await tunnelFor(context)
    act(here)
    await here.ended
    assert.deepEqual(here.ends, [expected])
    assert.deepEqual([here.client.destroyed, here.upstream.destroyed], [true, true])
  })

test('silence ends it, and what is said counts from when it was said', async (context) => {
  const { caller, client, tunnel, ends, ended } = await tunnelFor(context)
  tunnel.sweep(100, 100)
  caller.write('x')
  while (client.bytesRead === 0) await once(client, 'data')
  tunnel.sweep(150, 100)
  tunnel.sweep(250, 100)
  assert.equal(client.destroyed, false)
  tunnel.sweep(251, 100)
  await ended
  assert.deepEqual(ends, ['idle'])
})

test('a side that has said its last does not keep the other for longer than five seconds', async (context) => {
  const { caller, client, api, tunnel, ends, ended } = await tunnelFor(context)
  api.resume()
  const said = once(client, 'end')
  caller.end()
  await said
  tunnel.sweep(5_000, 100_000)
  assert.equal(client.destroyed, false)
  tunnel.sweep(5_001, 100_000)
  await ended
  assert.deepEqual(ends, ['closed'])
})
