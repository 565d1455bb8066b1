// `commerce`: Headless Commerce left its list blank (claim H15); filled with the stronger of Driftstack and Calmony.

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
  },
  errors: { replaceBodies: 'unshaped' },
  client: { requestId: { accept: 'trusted-proxies' }, traceContext: true },
}
