// `recommended`: what we would run ourselves; A+ at the Observatory's algorithm 6. It names everything that it stands for,
// so that it holds over any other preset too.

import { STRIPPED } from '../controls/headers/stripped.ts'
import type { PolicyDocument } from '../guard/policy.ts'

export const recommended: PolicyDocument = {
  transport: { hsts: { maxAgeSeconds: 63_072_000, includeSubDomains: true, preload: true } },
  headers: {
    contentTypeOptions: 'nosniff',
    frameOptions: 'DENY',
    referrerPolicy: ['no-referrer'],
    dnsPrefetchControl: 'off',
    contentSecurityPolicy: {
      'default-src': ["'none'"],
      'base-uri': ["'none'"],
      'form-action': ["'none'"],
      'frame-ancestors': ["'none'"],
    },
    permissionsPolicy: { camera: [], microphone: [], geolocation: [] },
    crossOriginResourcePolicy: 'same-origin',
    crossOriginOpenerPolicy: 'same-origin',
    crossOriginEmbedderPolicy: 'require-corp',
    strip: STRIPPED,
  },
  cache: { mode: 'enforce', owner: 'policy' },
  errors: { replaceBodies: 'unshaped' },
  client: { requestId: { accept: 'trusted-proxies' }, traceContext: true },
}
