// The gateway, the bare pipes and the upstream of the comparison, each started as a process of its own:
// `node servers.ts NAME UPSTREAM` prints the port it listens on.

import type { AddressInfo, Server } from 'node:net'
import { devNull } from 'node:os'
import type { GatewayOptions } from '../../packages/server/src/index.ts'
import { createPipe } from './pipe.ts'
import { createUpstream } from './upstream.ts'

// TLS would hide what is compared; the peers end none either.
const policy = {
  extends: 'api',
  transport: { tls: 'in-front' },
  cors: { origins: ['https://app.example.com'] },
} as const

const [name = '', upstream = ''] = process.argv.slice(2)

async function gateway(options: Partial<GatewayOptions> = {}): Promise<number> {
  const { startGateway } = await import('../../packages/server/src/index.ts')
  const { address } = await startGateway({
    policy,
    upstream,
    listen: { host: '127.0.0.1', port: 0 },
    // The lines are made and written; where to is the disk's matter.
    accessLog: { file: devNull },
    log: ({ event, reason }) => console.error(`${event}: ${reason}`),
    ...options,
  })
  return address.port
}

function listening(server: Server): Promise<number> {
  return new Promise((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)),
  )
}

const servers: Readonly<Record<string, () => Promise<number>>> = {
  upstream: () => listening(createUpstream()),
  sallyport: () => gateway(),
  'sallyport-keep': () => gateway({ upstreamKeepAlive: 'all' }),
  pipe: () => listening(createPipe(upstream)),
  'pipe-retire': () => listening(createPipe(upstream, { retires: true })),
}

const start = servers[name]
if (!start)
  throw new Error(`no server named ${JSON.stringify(name)}; there are ${Object.keys(servers).join(', ')}`)
console.log(await start())
process.on('disconnect', () => process.exit(0))
