// The security policy of Driftstack's API. The preset `api` holds the values of its security page; here stands only
// what is Driftstack's own.

import { definePolicy } from 'sallyport'
import { pgpKey } from './pgp-key.ts'

export default definePolicy({
  name: 'Driftstack API',
  version: '2026-11-25',
  extends: 'api',

  // A balancer ends TLS; this process speaks plain HTTP to it.
  transport: { tls: 'in-front' },

  // The dashboard acts with the cookies of its session. Everybody else calls with a bearer token, from anywhere.
  cors: { origins: ['https://dashboard.driftstack.example'] },

  // Whatever is not public takes a token that this API gave out, or the dashboard's session; `app.ts` says whose.
  access: {
    authenticated: true,
    catalogue: { roles: { admin: [], member: [] } },
    tokens: [{ service: true }],
    sessions: { cookie: '__Host-driftstack' },
  },
  routes: { '/v1/admin/*': { access: { roles: ['admin'] } } },

  disclosure: {
    // /.well-known/posture: the page that a reviewer reads, made from this policy.
    posture: 'public',
    securityTxt: {
      contact: ['mailto:security@driftstack.example'],
      expires: '2027-11-01T00:00:00Z',
      preferredLanguages: ['en'],
      canonical: ['https://api.driftstack.example/.well-known/security.txt'],
    },
    pgpKey,
    policyPage: {
      scope: ['api.driftstack.example', 'dashboard.driftstack.example'],
      outOfScope: ['Denial of service', 'Social engineering of our people or customers'],
      safeHarbour:
        'Whoever tests in good faith, keeps to the scope and reports to us first will not be pursued by us.',
      bounty: { currency: 'EUR', min: 100, max: 5000 },
      acknowledgeHours: 24,
      fixHours: 72,
      credit: true,
    },
  },
})
