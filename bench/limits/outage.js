// A store that is down, frozen or slow: how long a request waits for its answer while nobody knows yet, how long once
// the breaker is open, and how soon the store counts again. Prints JSON.

import { spawn } from 'node:child_process'
import { createServer, connect as dial } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { valkeyClientOptions, valkeyCounters } from '../../packages/store/src/valkey/index.ts'

const [what, port] = [process.argv[2], Number(process.argv[3])]
const start = () =>
  new Promise((resolve) => {
    const child = spawn('redis-server', [
      '--port',
      `${port}`,
      '--bind',
      '127.0.0.1',
      '--save',
      '',
      '--appendonly',
      'no',
      '--dir',
      '/tmp',
    ])
    child.stdout.on('data', (chunk) => {
      if (chunk.includes('Ready to accept')) resolve(child)
    })
  })
let server = await start()

// Between client and server, so that the store can be slow.
let delayMs = 0
const relay = createServer((socket) => {
  const onward = dial(port, '127.0.0.1')
  const drop = () => {
    socket.destroy()
    onward.destroy()
  }
  socket.on('error', drop).on('close', drop)
  onward.on('error', drop).on('close', drop)
  socket.on('data', (chunk) =>
    delayMs > 0 ? setTimeout(() => onward.write(chunk), delayMs) : onward.write(chunk),
  )
  onward.on('data', (chunk) => socket.write(chunk))
})
await new Promise((resolve) => relay.listen(0, '127.0.0.1', resolve))

const client = new Redis(relay.address().port, '127.0.0.1', { ...valkeyClientOptions, lazyConnect: true })
client.on('error', () => {})
await client.connect()
const counters = valkeyCounters({ client, nodes: 1 })
const take = async () => {
  const from = performance.now()
  const { by } = await counters.take([
    { bucket: 'a', key: 'k', limit: 60_000, windowMs: 60_000, algorithm: 'strict', cost: 1 },
  ])
  return { by, ms: performance.now() - from }
}
for (let count = 0; count < 200; count++) await take()

const events = {
  down: {
    begin: () => server.kill('SIGKILL'),
    async end() {
      server = await start()
    },
  },
  frozen: { begin: () => server.kill('SIGSTOP'), end: () => server.kill('SIGCONT') },
  slow: {
    begin() {
      delayMs = 400
    },
    end() {
      delayMs = 0
    },
  },
}
const { begin, end } = events[what]
begin()
const first = []
// As requests come: some at once, for as long as the breaker may take to open.
for (let turn = 0; turn < 10; turn++) first.push(...(await Promise.all(Array.from({ length: 20 }, take))))
const open = []
for (let turn = 0; turn < 100; turn++) {
  open.push(...(await Promise.all(Array.from({ length: 10 }, take))))
  await sleep(10)
}
await end()
const from = performance.now()
let backMs = Number.POSITIVE_INFINITY
while (performance.now() - from < 5000) {
  if ((await take()).by === 'valkey') {
    backMs = performance.now() - from
    break
  }
  await sleep(5)
}
const p99 = (all) => all.map(({ ms }) => ms).sort((a, b) => a - b)[Math.floor(all.length * 0.99)]
console.log(JSON.stringify({ firstMs: p99(first), openMs: p99(open), backMs }))
client.disconnect()
server.kill('SIGKILL')
process.exit(0)
