// `commerce`: Headless Commerce left its list blank (claim H15); filled with the stronger of Driftstack and Calmony.

import { STRIPPED } from '../controls/headers/stripped.ts'
import type { PolicyDocument } from '../guard/policy.ts'

export const commerce: PolicyDocument = {
  transport: { hsts: { maxAgeSeconds: 63_072_000, includeSubDomains: true, preload: true } },
  headers: {
    contentTypeOptions: 'nosniff',
    frameOptions: 'DENY',
    referrerPolicy: ['no-referrer'],
    dnsPrefetchControl: 'off',
    permissionsPolicy: { camera: [], microphone: [], geolocation: [] },
    crossOriginResourcePolicy: 'cross-origin',
    crossOriginEmbedderPolicy: false,
    strip: STRIPPED,
  },
  cache: { mode: 'enforce', owner: 'policy' },
  client: { requestId: { accept: 'trusted-proxies' }, traceContext: true },
  // Claim H11. What an enterprise has bought beyond Pro stands in its own record, and acts at once.
  limits: {
    plans: {
      free: { buckets: { minute: { limit: 100, windowSeconds: 60 } } },
      starter: { buckets: { minute: { limit: 500, windowSeconds: 60 } } },
      pro: { buckets: { minute: { limit: 2000, windowSeconds: 60 } } },
      enterprise: { buckets: { minute: { limit: 2000, windowSeconds: 60 } } },
    },
    defaultPlan: 'free',
  },
  errors: { replaceBodies: 'unshaped' },
}
