// One of two servers that share their limits: a guard with counters in Valkey before a handler that answers "served".
// Prints its port. Its own clock is wherever the last message has put it.

import type { AddressInfo } from 'node:net'
import { createGuard } from 'sallyport'
import { createServer } from 'sallyport/node'
import { valkeyCounters } from '../../src/valkey/index.ts'
import { connect, onTestClock } from './server.ts'

const [port, prefix = ''] = process.argv.slice(2)
const client = await connect(Number(port))

let clock = 0
process.on('message', (ms: number) => {
  clock = ms
  process.send?.('set')
})

const bucket = { limit: 10, windowSeconds: 60 }
const guard = createGuard(
  {
    client: { trustedProxies: ['loopback'] },
    limits: { addresses: { buckets: { calls: { ...bucket, algorithm: 'exact' } } } },
    routes: {
      '/strict': { limits: { addresses: { buckets: { calls: { ...bucket, algorithm: 'strict' } } } } },
      '/smooth': {
        limits: { addresses: { buckets: { calls: { ...bucket, algorithm: 'smooth', burst: 3 } } } },
      },
    },
  },
  'node',
  {
    clock: () => clock,
    // Nothing here is about the deadline, and a loaded machine may be slow.
    services: {
      counters: valkeyCounters({ client: onTestClock(client), nodes: 2, prefix, timer: () => () => {} }),
    },
  },
)
const server = createServer(guard, (_request, response) => response.end('served'))
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port))
