// `api`: the values of Driftstack's page (claims D1–D10, D12–D16, D18, D19), unchanged.

import { STRIPPED } from '../controls/headers/stripped.ts'
import type { PolicyDocument } from '../guard/policy.ts'

export const api: PolicyDocument = {
  transport: { hsts: { maxAgeSeconds: 63_072_000, includeSubDomains: true, preload: true } },
  headers: {
    contentTypeOptions: 'nosniff',
    frameOptions: 'SAMEORIGIN',
    referrerPolicy: ['no-referrer'],
    dnsPrefetchControl: 'off',
    crossOriginResourcePolicy: 'cross-origin',
    crossOriginEmbedderPolicy: false,
    strip: STRIPPED,
  },
  cache: { mode: 'enforce', owner: 'handler' },
  client: { requestId: { accept: 'trusted-proxies' }, traceContext: true },
  // The dashboard's own origins are for each deployment to list.
  cors: {
    origins: [],
    bearer: 'any-origin',
    allowMethods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
    allowHeaders: ['authorization', 'content-type', 'x-request-id', 'stripe-signature', 'x-nowpayments-sig'],
    exposeHeaders: [
      'x-request-id',
      'x-ratelimit-bucket',
      'x-ratelimit-limit',
      'x-ratelimit-remaining',
      'x-ratelimit-reset',
      'ratelimit-limit',
      'ratelimit-remaining',
      'ratelimit-reset',
      'retry-after',
    ],
    maxAgeSeconds: 600,
  },
  routes: {
    '/v1/account/*': { data: 'private', cache: { owner: 'policy' } },
    '/v1/admin/*': { data: 'private', cache: { owner: 'policy' } },
    '/v1/billing/*': { data: 'private', cache: { owner: 'policy' } },
    '/v1/status': { data: 'public', credentials: 'none', cache: { owner: 'policy', maxAgeSeconds: 30 } },
    '/v1/status/stream': { data: 'stream', credentials: 'none', cache: { owner: 'policy' } },
  },
}
