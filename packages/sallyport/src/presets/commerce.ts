// `commerce`: Headless Commerce left its list blank (claim H15); filled with the stronger of Driftstack and Calmony.

import { STRIPPED } from '../controls/headers/stripped.ts'
import type { PolicyDocument } from '../guard/policy.ts'

// Claim H8: fourteen scopes, so that a token holds no more than its work asks for.
const SCOPES = {
  'products:read': 'Read products, variants and prices.',
  'products:write': 'Add, change and remove products.',
  'orders:read': 'Read orders and their payments.',
  'orders:write': 'Place, change, refund and cancel orders.',
  'customers:read': 'Read customers and their addresses.',
  'customers:write': 'Add, change and erase customers.',
  'inventory:read': 'Read stock and locations.',
  'inventory:write': 'Change stock and locations.',
  'webhooks:read': 'Read webhook endpoints and deliveries.',
  'webhooks:write': 'Add, change and remove webhook endpoints.',
  'settings:read': 'Read the settings of the store.',
  'settings:write': 'Change the settings of the store, its team and its keys.',
  'analytics:read': 'Read reports.',
  'analytics:write': 'Add and change reports.',
} as const

// Claim H10: a member works in the store, and an admin decides who else may, and where its data goes.
const MEMBER = (Object.keys(SCOPES) as (keyof typeof SCOPES)[]).filter(
  (scope) => scope !== 'settings:write' && scope !== 'webhooks:write',
)

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
  // Claim H3. A gateway keeps the schedule where its configuration names a folder for them, and says so where it does not.
  backup: { everySeconds: 86_400, keep: 14 },
  access: { catalogue: { scopes: SCOPES, roles: { admin: Object.keys(SCOPES), member: MEMBER } } },
}
