// The policy of the demo: what stands before the sample API where the directory has no policy of its own.

import type { PolicyDocument } from '../guard/policy.ts'

/** Under this name, since Strict-Transport-Security for bare `localhost` would hold for every server of the machine. */
export const DEMO_HOST = 'sallyport.localhost'

export const demoPolicy: PolicyDocument = {
  name: 'Sallyport demo',
  extends: 'recommended',
  transport: { tls: 'here' },
  cors: { origins: ['https://app.example.com'], bearer: 'any-origin' },
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
    '/v1/account/*': { data: 'private' },
    '/v1/orders/*': { data: 'private', credentials: 'bearer' },
    '/v1/products/*': { data: 'public', credentials: 'none', cache: { maxAgeSeconds: 60 } },
    '/v1/events': { data: 'stream', credentials: 'bearer' },
    '/v1/status': { data: 'public', credentials: 'none' },
    '/v1/status/stream': { data: 'stream', credentials: 'none' },
  },
}
