// A gateway in a process of its own, for tests that measure what it alone costs. Started by fork; tells its port, then
// its peak memory whenever it is asked.

import { startGateway } from '../src/index.ts'
import { IN_FRONT } from './harness.ts'

const gateway = await startGateway({
  policy: { ...IN_FRONT, request: { mode: 'off' } },
  upstream: process.argv[2]!,
  listen: { host: '127.0.0.1', port: 0 },
})
const start = process.memoryUsage.rss()
let peak = start
setInterval(() => {
  peak = Math.max(peak, process.memoryUsage.rss())
}, 5)
process.on('message', () => process.send!({ growth: peak - start }))
process.on('disconnect', () => process.exit())
process.send!({ port: gateway.address.port })
