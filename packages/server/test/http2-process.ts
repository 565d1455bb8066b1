// A gateway with HTTP/2 in a process of its own, for tests that measure what an attack costs it. Started by fork with
// the upstream and a folder for the certificate; tells its port and its authority, then its cost whenever it is asked.

import { localCertificate, startGateway } from '../src/index.ts'
import { HERE } from './harness.ts'

const [upstream = '', folder = ''] = process.argv.slice(2)
const certificate = await localCertificate({ folder })
const gateway = await startGateway({
  policy: HERE,
  upstream,
  tls: certificate,
  listen: { host: '127.0.0.1', port: 0 },
})

let peak = process.memoryUsage.rss()
setInterval(() => {
  peak = Math.max(peak, process.memoryUsage.rss())
}, 5)
// Since the last time it was asked.
let cpu = process.cpuUsage()
let start = process.memoryUsage.rss()
process.on('message', () => {
  const { user, system } = process.cpuUsage(cpu)
  process.send!({ cpuMs: (user + system) / 1_000, growth: peak - start })
  cpu = process.cpuUsage()
  start = process.memoryUsage.rss()
  peak = start
})
process.on('disconnect', () => process.exit())
process.send!({ port: gateway.address.port, ca: certificate.ca })
