// One of two processes that share a limit: asks until both are there, then 400 times, and prints how many it got.

import { valkeyCounters } from '../../src/valkey/index.ts'
import { connect } from './server.ts'

const [port, prefix = ''] = process.argv.slice(2)
const client = await connect(Number(port))

// They start together, so that neither has spent the limit before the other asks.
await client.incr(`${prefix}here`)
while ((await client.get(`${prefix}here`)) !== '2') await new Promise((resolve) => setImmediate(resolve))

const counters = valkeyCounters({ client, nodes: 2, prefix, timer: () => () => {} })
let through = 0
for (let count = 0; count < 400; count++) {
  const verdict = await counters.take([
    { bucket: 'hour', key: 'shared', limit: 300, windowMs: 3_600_000, algorithm: 'exact', cost: 1 },
  ])
  if (verdict.allowed) through++
}
console.log(through)
client.disconnect()
