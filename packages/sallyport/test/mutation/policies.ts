// The policies whose servers are broken, plain data: the preset `recommended`, the values of `api` behind a gateway with
// TLS, and one with a rule of its own for each of many paths.

import { pgpKey } from '../../../../examples/driftstack/pgp-key.ts'
import type { PolicyDocument } from '../../src/guard/policy.ts'
import { ORIGIN } from '../kinds/kinds.ts'

/** Bytes. */
export const BODY_LIMIT = 1_000

export const appPolicy: PolicyDocument = {
  extends: 'recommended',
  cors: {
    origins: [ORIGIN],
    bearer: 'listed',
    allowMethods: ['GET', 'POST'],
    allowHeaders: ['authorization', 'content-type'],
    exposeHeaders: ['x-request-id'],
    maxAgeSeconds: 600,
  },
  request: { maxBodyBytes: BODY_LIMIT },
  routes: {
    '/ok': { data: 'public', credentials: 'none' },
    '/events': { data: 'stream', credentials: 'none' },
  },
}

export const gatewayPolicy: PolicyDocument = {
  extends: 'api',
  transport: { tls: 'here' },
  request: { maxBodyBytes: 100_000 },
  errors: { replaceBodies: 'unshaped' },
  cors: { origins: [ORIGIN] },
  routes: { '/v1/events': { data: 'stream', credentials: 'none' } },
}

export const richPolicy: PolicyDocument = {
  extends: 'commerce',
  request: { nonCanonical: 'refuse', maxBodyBytes: BODY_LIMIT },
  cors: { origins: [ORIGIN], bearer: 'any-origin' },
  disclosure: {
    securityTxt: {
      contact: ['mailto:security@shop.example'],
      expires: '2027-11-01T00:00:00Z',
      canonical: ['https://shop.example/.well-known/security.txt'],
    },
    pgpKey,
    posture: 'public',
    policyPage: { scope: ['shop.example'], acknowledgeHours: 24, fixHours: 72 },
  },
  routes: {
    '/v1/account/*': { data: 'private', credentials: 'cookie' },
    '/v1/catalog/*': { data: 'public', credentials: 'none', cache: { maxAgeSeconds: 300 } },
    '/v1/prices': { data: 'public', credentials: 'none' },
    '/v1/feed': { data: 'stream', credentials: 'none' },
    '/v1/reports/*': { data: 'private', cache: { owner: 'handler', floor: 'private' } },
    '/assets/*': { data: 'asset', credentials: 'none' },
    'GET /v1/users/:id': {
      data: 'private',
      credentials: 'bearer',
      cors: { bearer: 'listed', allowMethods: ['GET', 'DELETE'], maxAgeSeconds: 60 },
    },
    '/docs/*': {
      data: 'public',
      credentials: 'none',
      headers: {
        frameOptions: 'SAMEORIGIN',
        contentSecurityPolicy: {
          'default-src': ["'self'"],
          'base-uri': ["'none'"],
          'object-src': ["'none'"],
          'frame-ancestors': ["'self'"],
        },
      },
    },
  },
}

/** One path of each route of the rich policy that the application serves, and what Cache-Control it declares. */
export const RICH_PATHS: Readonly<Record<string, { readonly path: string; readonly cache: string }>> = {
  '/v1/account/*': { path: '/v1/account/profile', cache: 'no-store, private' },
  '/v1/catalog/*': { path: '/v1/catalog/items', cache: 'public, max-age=300' },
  '/v1/prices': { path: '/v1/prices', cache: 'public, max-age=30' },
  '/v1/feed': { path: '/v1/feed', cache: 'no-cache, no-transform' },
  '/v1/reports/*': { path: '/v1/reports/2026', cache: 'private, max-age=60' },
  '/assets/*': { path: '/assets/app.js', cache: 'public, max-age=31536000, immutable' },
  'GET /v1/users/:id': { path: '/v1/users/42', cache: 'no-store, private' },
  '/docs/*': { path: '/docs/intro', cache: 'public, max-age=30' },
  '*': { path: '/v1/orders', cache: 'no-store, private' },
}
