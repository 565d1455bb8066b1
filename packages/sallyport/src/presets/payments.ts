// `payments`: the values of Calmony's page (claims C1–C5), unchanged: five headers, and no behaviour of the API.

import type { PolicyDocument } from '../guard/policy.ts'

export const payments: PolicyDocument = {
  transport: { hsts: { maxAgeSeconds: 63_072_000, includeSubDomains: true, preload: true } },
  headers: {
    contentTypeOptions: 'nosniff',
    frameOptions: 'DENY',
    referrerPolicy: ['strict-origin-when-cross-origin'],
    permissionsPolicy: { camera: [], microphone: [], geolocation: [] },
    strip: false,
  },
  cache: { mode: 'off' },
  errors: { replaceBodies: 'none' },
}
