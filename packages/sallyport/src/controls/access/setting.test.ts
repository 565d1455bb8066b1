// Policies of access that are wrong: the exact sentences that refuse them, each at its place.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PolicyDocument } from '../../guard/policy.ts'
import { resolvePolicy } from '../../guard/resolve.ts'
import { PolicyError } from '../../policy/problem.ts'

function sentencesOf(policy: unknown): readonly string[] {
  try {
    resolvePolicy(policy as PolicyDocument)
  } catch (error) {
    assert.ok(error instanceof PolicyError, String(error))
    return error.message.split('\n')
  }
  return []
}

const issuer = { issuer: 'https://id.example', audience: 'api', jwks: 'https://id.example/keys' }
const tokens = [issuer]
const catalogue = { scopes: { 'orders:read': 'Read.' }, roles: { admin: ['orders:read'] } }
const DECLARED =
  'write access: { authenticated: true } or the scopes that it asks for, or credentials: "none" where everybody may'

const ROWS: readonly (readonly [policy: unknown, ...sentences: string[]])[] = [
  [
    { access: { tokens }, routes: { '/a': {}, '/b': {}, '/c': { credentials: 'none' } } },
    `access: the route does not say who may call it, in "/a" and 1 more route; ${DECLARED}`,
  ],
  [
    { access: { tokens }, routes: { '/a': { access: { mode: 'enforce' } } } },
    `routes["/a"].access: the route does not say who may call it; ${DECLARED}`,
  ],
  [
    { keys: { vendor: 'acme' }, routes: { '/a': {} } },
    `routes["/a"].access: the route does not say who may call it; ${DECLARED}`,
  ],
  [
    {
      access: { tokens, catalogue, authenticated: true },
      routes: { '/a': { access: { scopes: ['order:read'] } } },
    },
    'routes["/a"].access.scopes[0]: the catalogue has no such scope, received "order:read"; did you mean "orders:read"?',
  ],
  [
    {
      access: { tokens, catalogue, authenticated: true },
      routes: { '/a': { access: { anyScope: ['x'], roles: ['amdin'] } } },
    },
    'routes["/a"].access.anyScope[0]: the catalogue has no such scope, received "x"; add it to access.catalogue.scopes',
    'routes["/a"].access.roles[0]: the catalogue has no such role, received "amdin"; did you mean "admin"?',
  ],
  [
    { access: { catalogue: { scopes: {}, roles: { admin: ['orders:read'] } } } },
    'access.catalogue.roles.admin[0]: the catalogue has no such scope, received "orders:read"; add it to access.catalogue.scopes',
  ],
  [
    { routes: { '/a': { access: { authenticated: true } } } },
    'routes["/a"].access.authenticated: a caller must show a credential here, and nothing says which ones are taken; set keys.vendor, access.tokens or access.sessions',
  ],
  [
    {
      access: { tokens, catalogue },
      routes: { '/a': { credentials: 'none', access: { scopes: ['orders:read'] } } },
    },
    'routes["/a"].access: the route takes no credentials, so nobody can have what it asks for; leave credentials: "none" out, or what the route asks for',
  ],
  [
    { access: { tokens }, routes: { '/a': { credentials: 'none', access: { authenticated: true } } } },
    'routes["/a"].access: the route takes no credentials, so nobody can have what it asks for; leave credentials: "none" out, or what the route asks for',
  ],
  [
    { access: { tokens }, routes: { '/a': { credentials: 'cookie', access: { authenticated: true } } } },
    'routes["/a"].access: no credential can be shown here: the route takes none of what the policy takes, since its credentials are "cookie"; set keys.vendor, access.tokens or access.sessions, or change the credentials of the route',
  ],
  [
    { access: { tokens }, routes: { '/a': { access: { kinds: ['session'] } } } },
    'routes["/a"].access.kinds: no credential can be shown here: the route takes a token, received ["session"]; set keys.vendor, access.tokens or access.sessions, or change the credentials of the route',
  ],
  [
    { keys: { vendor: 'acme' }, routes: { '/a': { access: { signIn: { maxAgeSeconds: 60 } } } } },
    'routes["/a"].access.signIn: nobody signs in with a key, and nothing else is taken here; leave it out, or take tokens or sessions',
  ],
  [
    { access: { tokens: [{ issuer: 'a' }] } },
    'access.tokens[0]: nothing says how the tokens are checked; write one of jwks, introspection and service: true',
  ],
  [
    { access: { tokens: [{ ...issuer, service: true }] } },
    'access.tokens[0]: the tokens are checked in two ways; write one of jwks, introspection and service: true',
  ],
  [
    { access: { tokens: [{ jwks: 'https://id.example/keys' }] } },
    'access.tokens[0].issuer: tokens of anybody with these keys would be taken; write the iss of its tokens',
    'access.tokens[0].audience: tokens for other services would be taken; write the name of this API in aud',
  ],
  [
    { access: { tokens: [{ ...issuer, jwks: 'http://id.example/keys' }] } },
    'access.tokens[0].jwks: whoever is on the way could answer for the issuer, received "http://id.example/keys"; write https://',
  ],
  [
    { access: { tokens: [{ ...issuer, jwks: 'https://user@id.example/keys' }] } },
    'access.tokens[0].jwks: this is no address that can be asked, received "https://user@id.example/keys"; write https://host/path, without a user or #',
  ],
  [
    { access: { tokens: [issuer, issuer] } },
    'access.tokens[1].issuer: this issuer stands twice, received "https://id.example"; keep one of the two',
  ],
  [
    { access: { tokens: [{ introspection: { url: 'https://a.example/i' } }] } },
    'access.tokens[0].introspection.clientId: the issuer can’t be asked without it; write it',
    'access.tokens[0].introspection.secret: the issuer can’t be asked without it; write it',
  ],
  [
    {
      access: {
        tokens: [
          { service: true },
          { introspection: { url: 'https://a.example/i', clientId: 'a', secret: 'A' } },
        ],
      },
    },
    'access.tokens[1]: an opaque token does not say who gave it out, so that it would be shown to the wrong one of two; keep one entry with introspection or service',
  ],
  [
    { access: { tokens: [{ service: true, algorithms: ['ES256'] }] } },
    'access.tokens[0].algorithms: nothing of the token is read here: whoever gave it out says whose it is, received ["ES256"]; leave it out',
  ],
  [
    { access: { tokens, identity: {} } },
    'access.identity.audience: the service behind the gateway could not tell its own identity lines from those for another; name the service, such as "https://orders.internal"',
  ],
  [
    { access: { identity: { audience: 'a' } } },
    'access.identity: a caller must show a credential here, and nothing says which ones are taken; set keys.vendor, access.tokens or access.sessions',
  ],
  [
    { access: { tokens, identity: { audience: 'a', header: 'X-User' } } },
    'access.identity.header: expected a header name that begins with "Sallyport-", received "X-User"; write "Sallyport-Identity": names that begin so are taken from every request',
  ],
  [
    { routes: { '/a': { access: { tokens } } } },
    'routes["/a"].access.tokens: this can only be said of the whole policy, not of a route, received [{"issuer":"https://id.example","audience":"api","jwks":"https://id.example/k...; move it to access.tokens at the top level',
  ],
  [
    { access: { tokens: [{ ...issuer, algorithms: ['HS256'] }] } },
    'access.tokens[0].algorithms[0]: expected one of "RS256", "PS256", "ES256", "ES384", "EdDSA", received "HS256"; did you mean "RS256"?',
  ],
]

for (const [policy, ...sentences] of ROWS)
  test(`refuses ${JSON.stringify(policy)}`, () => assert.deepEqual(sentencesOf(policy), sentences))

const RIGHT: readonly unknown[] = [
  {},
  { access: { catalogue } },
  { access: { tokens, authenticated: true }, routes: { '/a': {}, '/b': { credentials: 'none' } } },
  { access: { tokens }, routes: { '/a': { access: { authenticated: false } } } },
  { access: { tokens, mode: 'off' }, routes: { '/a': {} } },
  { extends: 'api', access: { tokens, authenticated: true } },
  { access: { tokens: [{ ...issuer, jwks: 'http://127.0.0.1:8080/keys' }] } },
]
for (const policy of RIGHT)
  test(`takes ${JSON.stringify(policy)}`, () => assert.deepEqual(sentencesOf(policy), []))
