// A gateway in a process of its own, on the store that the environment names. Started by fork; tells its address.

import { startGateway } from '../src/index.ts'

const [, , upstream, stateFolder] = process.argv
const gateway = await startGateway({
  policy: {
    extends: 'commerce',
    transport: { tls: 'in-front' },
    keys: { vendor: 'acme', selfService: {} },
    limits: { mode: 'off' },
    routes: { '/v1/orders': { access: { scopes: ['orders:read'] } } },
  },
  upstream: upstream!,
  stateFolder: stateFolder!,
  listen: { host: '127.0.0.1', port: 0 },
  places: {
    store: { urlFrom: 'KEYS_TEST_URL' },
    secrets: { audit: { from: 'KEYS_TEST_SECRET' }, lockout: { from: 'KEYS_TEST_SECRET' } },
  },
})
process.on('disconnect', () => process.exit())
process.send!({ url: gateway.url })
