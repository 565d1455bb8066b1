// The policy of the demo: what stands before the sample API where the directory has no policy of its own.

import type { PolicyDocument } from '../guard/policy.ts'

/** Under this name, since Strict-Transport-Security for bare `localhost` would hold for every server of the machine. */
export const DEMO_HOST = 'sallyport.localhost'

export const demoPolicy: PolicyDocument = {
  name: 'Sallyport demo',
  extends: 'recommended',
  transport: { tls: 'here' },
  cors: { origins: ['https://app.example.com'], bearer: 'any-origin' },
  keys: { vendor: 'demo', selfService: {} },
  access: {
    catalogue: {
      scopes: {
        'account:read': 'reads the account',
        'orders:read': 'reads orders',
        'events:read': 'hears of events',
        'settings:read': 'reads the settings and lists the keys',
        'settings:write': 'changes the settings and the keys',
      },
    },
  },
  limits: {
    plans: {
      free: { buckets: { minute: { limit: 100, windowSeconds: 60 } } },
      pro: { buckets: { minute: { limit: 2_000, windowSeconds: 60 } } },
    },
    defaultPlan: 'free',
    // Room for a whole verification, which asks for orders without a key too.
    addresses: { buckets: { address: { limit: 2_000, windowSeconds: 60 } } },
  },
  audit: {
    record: true,
    risk: {
      // Made-up keys in a browser or a URL, as a verification shows them, must not lock out whoever tries the demo.
      signals: { 'key.exposed': { weight: 20 } },
      high: ['lock'],
      critical: ['block'],
    },
  },
  headers: { strip: { 'x-debug-query': 'It shows the statements of the database.' } },
  // No security.txt: it has a date to expire, which a built-in policy could not renew.
  disclosure: {
    posture: 'public',
    policyPage: {
      contact: ['mailto:security@example.com'],
      bounty: { currency: 'EUR', min: 100, max: 2000 },
    },
  },
  routes: {
    '/v1/account/*': { data: 'private', credentials: 'bearer', access: { scopes: ['account:read'] } },
    // An order costs as much as thirty other requests.
    '/v1/orders/*': {
      data: 'private',
      credentials: 'bearer',
      access: { scopes: ['orders:read'] },
      limits: { cost: 30 },
    },
    '/v1/products/*': { data: 'public', credentials: 'none', cache: { maxAgeSeconds: 60 } },
    '/v1/events': {
      data: 'stream',
      credentials: 'bearer',
      access: { scopes: ['events:read'] },
      keys: { publishable: { scopes: ['events:read'] } },
    },
    '/v1/status': { data: 'public', credentials: 'none' },
    '/v1/status/stream': { data: 'stream', credentials: 'none' },
  },
}
