// An API with every kind of route, and callers of every kind, for the tests of `access`.

import { exchangeOf, guard as guardFetch } from '../../src/adapters/fetch.ts'
import { createGuard, type Guard } from '../../src/guard/guard.ts'
import type { PolicyDocument } from '../../src/guard/policy.ts'
import type { Principal } from '../../src/guard/principal.ts'
import type { AuditEvent } from '../../src/ports/audit.ts'
import type { Services } from '../../src/ports/services.ts'
import { AUDIENCE, ISSUER, KEYS_URL, makeKey, NOW, publishing } from './issuer.ts'

export const key = makeKey('EdDSA', 'k1')

const SCOPES = {
  'orders:read': 'Read orders.',
  'orders:write': 'Change orders.',
  'settings:write': 'Change settings.',
}
export const POLICY: PolicyDocument = {
  transport: { tls: 'in-front' },
  access: {
    catalogue: {
      scopes: SCOPES,
      roles: {
        admin: ['orders:read', 'orders:write', 'settings:write'],
        member: ['orders:read', 'orders:write'],
      },
    },
    tokens: [
      {
        issuer: ISSUER,
        audience: AUDIENCE,
        jwks: KEYS_URL,
        claims: { organisation: 'org', role: 'role' },
      },
    ],
    sessions: { cookie: '__Host-session' },
  },
  routes: {
    '/v1/me': { access: { authenticated: true } },
    'GET /v1/orders/*': { credentials: 'bearer', access: { scopes: ['orders:read'] } },
    'POST /v1/orders/*': { access: { scopes: ['orders:read', 'orders:write'] } },
    '/v1/any': { access: { anyScope: ['orders:write', 'settings:write'] } },
    '/v1/team': { access: { roles: ['admin'] } },
    '/v1/browser': { credentials: 'cookie', access: { kinds: ['session'] } },
    '/v1/danger': { access: { signIn: { maxAgeSeconds: 300, methods: ['otp', 'hwk'] } } },
    '/v1/optional': { access: { authenticated: false } },
    '/v1/status': { credentials: 'none' },
  },
}

export const session = (more: Partial<Principal> = {}): Principal => ({
  organisation: 'org_1',
  subject: 'person_1',
  credential: { kind: 'session', id: 'session_1' },
  scopes: [],
  ...more,
})

export function app(services: Services = {}, policy: PolicyDocument = POLICY) {
  const events: AuditEvent[] = []
  const sessions = new Map([['s1', session({ role: 'member' })]])
  const guard = createGuard(policy, 'fetch', {
    clock: () => NOW,
    services: {
      fetch: publishing(key).fetch,
      sessions: {
        find: (cookies) => {
          const principal = sessions.get(/__Host-session=(\w+)/.exec(cookies)?.[1] ?? '')
          return principal ? { principal } : 'unknown'
        },
      },
      audit: { record: (event) => events.push(event) },
      ...services,
    },
  })
  const seen: (Principal | undefined)[] = []
  const handler = guardFetch(guard, (request: Request) => {
    seen.push(exchangeOf(request)?.principal)
    return new Response('{}')
  })
  return {
    events,
    seen,
    sessions,
    async ask(path: string, headers: Record<string, string> = {}, method = 'GET') {
      const response = await handler(new Request(`https://api.example${path}`, { headers, method }))
      const body = (await response.json()) as { code?: string }
      const challenge = response.headers.get('www-authenticate')
      return [response.status, ...(body.code ? [body.code] : []), ...(challenge ? [challenge] : [])]
    },
  }
}
/** A request as a front end hands it to the guard. */
export function incoming(target: string, headers: readonly string[]): Parameters<Guard['open']>[0] {
  const rawHeaders = ['Host', 'api.example', ...headers]
  return {
    method: 'GET',
    target,
    httpVersion: '1.1',
    rawHeaders,
    header(name) {
      const at = rawHeaders.findIndex((each, index) => index % 2 === 0 && each.toLowerCase() === name)
      return at < 0 ? undefined : rawHeaders[at + 1]
    },
    peer: '192.0.2.1',
    encrypted: true,
  }
}

export const bearer = (text: string) => ({ Authorization: `Bearer ${text}` })
export const cookie = { Cookie: 'a=b; __Host-session=s1' }
