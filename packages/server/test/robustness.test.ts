// The robustness suite through the gateway: what must be refused never reaches the upstream, what is accepted reaches
// it as it was meant.

import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { after, before } from 'node:test'
import { policyLines, ROBUSTNESS_POLICY, type Subject } from '../../sallyport/test/robustness/run.ts'
import { recorder } from '../../sallyport/test/robustness/subject.ts'
import { robustnessSuite } from '../../sallyport/test/robustness/suite.ts'
import { type Gateway, startGateway } from '../src/index.ts'

let upstream: Server
let gateway: Gateway
let subject: Subject

before(async () => {
  const { listener, taken } = recorder()
  upstream = createServer(listener)
  upstream.listen(0, '127.0.0.1')
  await once(upstream, 'listening')
  gateway = await startGateway({
    policy: ROBUSTNESS_POLICY,
    upstream: `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`,
    listen: { host: '127.0.0.1', port: 0 },
  })
  const { port } = gateway.address
  subject = { connect: () => connect(port, '127.0.0.1'), taken, lines: policyLines(ROBUSTNESS_POLICY) }
})

after(async () => {
  await gateway.close({ graceMs: 0 })
  upstream.closeAllConnections()
  upstream.close()
})

robustnessSuite('the gateway', () => subject)
