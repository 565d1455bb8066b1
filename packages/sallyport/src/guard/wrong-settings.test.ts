// Settings that are right by themselves and contradict each other, or are not safe: the exact sentences that refuse
// them, each at the place where the setting was written.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PolicyError } from '../policy/problem.ts'
import { resolvePolicy } from './resolve.ts'

type Row = readonly [policy: unknown, ...messages: string[]]

const wrongSettings: readonly Row[] = [
  [
    { transport: { hsts: {} } },
    'transport.hsts: maxAgeSeconds is missing, received {}; add maxAgeSeconds: 63072000',
  ],
  [
    { transport: { hsts: { maxAgeSeconds: 63072000, preload: true } } },
    'transport.hsts.preload: the preload list takes only hosts with includeSubDomains, received true; add includeSubDomains: true',
  ],
  [
    { transport: { hsts: { maxAgeSeconds: 86400, includeSubDomains: true, preload: true } } },
    'transport.hsts.maxAgeSeconds: the preload list asks for at least 31536000 seconds, received 86400; write 63072000, or leave preload out',
  ],
  [
    { extends: 'api', transport: { hsts: { includeSubDomains: false } } },
    'transport.hsts.preload: the preload list takes only hosts with includeSubDomains (from the preset "api"), received true; add includeSubDomains: true',
  ],
  [
    { extends: [{ transport: { hsts: { maxAgeSeconds: 100, includeSubDomains: true, preload: true } } }] },
    'extends[0].transport.hsts.maxAgeSeconds: the preload list asks for at least 31536000 seconds, received 100; write 63072000, or leave preload out',
  ],
  [
    { routes: { '/x': { transport: { tls: 'here' } } } },
    'routes["/x"].transport.tls: this can only be said of the whole policy, not of a route, received "here"; move it to transport.tls at the top level',
  ],
  [
    { cache: { maxAgeSeconds: 30 } },
    'cache.maxAgeSeconds: private data is never cached, so it has no age, received 30; leave it out, or declare data: "public" on the route',
  ],
  [
    { data: 'stream', cache: { maxAgeSeconds: 10 } },
    'cache.maxAgeSeconds: stream data is never cached, so it has no age, received 10; leave it out, or declare data: "public" on the route',
  ],
  [
    { routes: { '/x': { cache: { maxAgeSeconds: 10 } } } },
    'routes["/x"].cache.maxAgeSeconds: private data is never cached, so it has no age, received 10; leave it out, or declare data: "public" on the route',
  ],
  [
    { extends: 'api', routes: { '/v1/status': { data: 'private' } } },
    'routes["/v1/status"].cache.maxAgeSeconds: private data is never cached, so it has no age (from the preset "api"), received 30; leave it out, or declare data: "public" on the route',
  ],
  [
    {
      data: 'public',
      cache: { maxAgeSeconds: 60 },
      routes: { '/x': { data: 'private' }, '/y': { data: 'private' } },
    },
    'cache.maxAgeSeconds: private data is never cached, so it has no age, in "/x" and 1 more route, received 60; leave it out, or declare data: "public" on the route',
  ],
  [
    { cors: { origins: ['*'] } },
    'cors.origins[0]: "*" would let every page of the web act with the cookies of its visitor, received "*"; list the origins that may; for calls without cookies from anywhere write bearer: "any-origin"',
  ],
  [
    { cors: { origins: ['null'] } },
    'cors.origins[0]: "null" is the origin of sandboxed frames and local files, whoever made them, received "null"; remove it, and serve the page from an https: origin of its own',
  ],
  [
    { cors: { origins: ['http://app.example.com'] } },
    'cors.origins[0]: whoever sits on the network can speak as an http: origin, and would act with the cookies of its visitors, received "http://app.example.com"; write "https://app.example.com"',
  ],
  [
    { cors: { origins: ['https://*.co.uk'] } },
    'cors.origins[0]: anybody can register a name below "co.uk" (public suffix list), received "https://*.co.uk"; name your own domain: "https://*.example.co.uk"',
  ],
  [
    { cors: { origins: ['https://*.github.io'] } },
    'cors.origins[0]: anybody can register a name below "github.io" (public suffix list), received "https://*.github.io"; name your own domain: "https://*.example.github.io"',
  ],
  [
    { cors: { origins: ['https://app.example.com/'] } },
    'cors.origins[0]: an origin does not end with a slash; browsers never send one, received "https://app.example.com/"; write "https://app.example.com"',
  ],
  [
    { cors: { origins: ['https://App.example.com'] } },
    'cors.origins[0]: browsers send the host in small letters, received "https://App.example.com"; write "https://app.example.com"',
  ],
  [
    { cors: { origins: ['https://app.example.com:443'] } },
    'cors.origins[0]: browsers leave the scheme\'s own port out, received "https://app.example.com:443"; write "https://app.example.com"',
  ],
  [
    { cors: { origins: ['https://user@app.example.com'] } },
    'cors.origins[0]: an origin has no user name or password, received "https://user@app.example.com"; write "https://app.example.com"',
  ],
  [
    { cors: { origins: ['https://app.*.com'] } },
    'cors.origins[0]: "*" may only stand as the whole left-most label of the host, received "https://app.*.com"; write "https://*.example.com" for every subdomain',
  ],
  [
    { cors: { origins: ['app.example.com'] } },
    'cors.origins[0]: an origin is a scheme, "://" and a host, received "app.example.com"; write it as "https://app.example.com"',
  ],
  [
    { cors: { origins: ['https://a.example'], allowMethods: ['TRACE'] } },
    'cors.allowMethods[0]: no page can ever send this method (Fetch standard), received "TRACE"; remove it',
  ],
  [
    { cors: { origins: ['https://a.example'], allowMethods: ['patch'] } },
    'cors.allowMethods[0]: methods are told apart by letter case, received "patch"; write "PATCH"',
  ],
  [
    { cors: { origins: ['https://a.example'], allowMethods: ['*'] } },
    'cors.allowMethods[0]: browsers take "*" for a plain name where an origin is allowed credentials, received "*"; list the names, or leave origins empty',
  ],
  [
    { cors: { origins: ['https://a.example'], allowHeaders: ['Cookie'] } },
    'cors.allowHeaders[0]: no page can ever set this header (Fetch standard), received "Cookie"; remove it',
  ],
  [
    { cors: { origins: ['https://a.example'], allowHeaders: ['sec-fetch-site'] } },
    'cors.allowHeaders[0]: no page can ever set this header (Fetch standard), received "sec-fetch-site"; remove it',
  ],
  [
    { cors: { origins: ['https://a.example'], allowHeaders: ['x y'] } },
    'cors.allowHeaders[0]: is not a header name (RFC 9110, section 5.1), received "x y"; write "x-request-id"',
  ],
  [
    { cors: { origins: ['https://a.example'], allowHeaders: ['*'] } },
    'cors.allowHeaders[0]: browsers take "*" for a plain name where an origin is allowed credentials, received "*"; list the names, or leave origins empty',
  ],
  [
    { cors: { origins: ['https://a.example'], exposeHeaders: ['Set-Cookie'] } },
    'cors.exposeHeaders[0]: no page can ever read this header (Fetch standard), received "Set-Cookie"; remove it',
  ],
  [
    { cors: { origins: ['https://a.example'], allowHeaders: ['x-a', 'X-A'] } },
    'cors.allowHeaders[1]: is the same name as "x-a", received "X-A"; remove one of them',
  ],
  [
    { cors: { maxAgeSeconds: 600 } },
    'cors.origins: nothing says which origins may call, so the control would do nothing; add origins: ["https://app.example.com"], or origins: [] to grant nothing to anybody',
  ],
  [
    { routes: { '/x': { cors: { origins: ['http://app.example.com'] } } } },
    'routes["/x"].cors.origins[0]: whoever sits on the network can speak as an http: origin, and would act with the cookies of its visitors, received "http://app.example.com"; write "https://app.example.com"',
  ],
  [
    { client: { trustedProxies: ['0.0.0.0/0'] } },
    'client.trustedProxies[0]: trusts every address: any caller could choose the address it is known by, received "0.0.0.0/0"; list the ranges of your own proxies or of your edge network',
  ],
  [
    { client: { trustedProxies: ['::/0'] } },
    'client.trustedProxies[0]: trusts every address: any caller could choose the address it is known by, received "::/0"; list the ranges of your own proxies or of your edge network',
  ],
  [
    { client: { trustedProxies: ['10.0.0.0/4'] } },
    'client.trustedProxies[0]: is wider than /8, so strangers in it could choose the address they are known by, received "10.0.0.0/4"; list the ranges of your own proxies or of your edge network',
  ],
  [
    { client: { trustedProxies: ['10.0.0.1/8'] } },
    'client.trustedProxies[0]: has bits set behind its prefix, received "10.0.0.1/8"; write "10.0.0.0/8"',
  ],
  [
    { client: { trustedProxies: ['10.0.0'] } },
    'client.trustedProxies[0]: is not an address range, received "10.0.0"; write an address, a range such as "10.0.0.0/8", "loopback" or "private"',
  ],
  [
    { client: { forwarded: 'forwarded' } },
    'client.forwarded: no proxy is declared, so no forwarding header is believed, received "forwarded"; add trustedProxies, or leave forwarded out',
  ],
  [
    { client: { forwardedHost: true } },
    'client.forwardedHost: no forwarding header is believed, so no host is taken from one, received true; add trustedProxies and forwarded, or leave forwardedHost out',
  ],
  [
    { client: { trustedProxies: ['loopback'], forwarded: { header: 'X-Forwarded-For' } } },
    'client.forwarded.header: is a list that every proxy appends to, received "X-Forwarded-For"; write forwarded: "x-forwarded-for"',
  ],
  [
    { headers: { contentSecurityPolicy: {} } },
    'headers.contentSecurityPolicy: a policy without directives allows everything, received {}; write false, or { "default-src": ["\'none\'"] }',
  ],
  [
    { headers: { contentSecurityPolicy: { 'default-src': ['self'] } } },
    'headers.contentSecurityPolicy["default-src"][0]: without quotes this is the name of a host, received "self"; write "\'self\'"',
  ],
  [
    { headers: { contentSecurityPolicy: { 'default-src': ["'none'", "'self'"] } } },
    "headers.contentSecurityPolicy[\"default-src\"][0]: 'none' is ignored beside 'self', received \"'none'\"; remove 'none' or everything else",
  ],
  [
    { headers: { contentSecurityPolicy: { 'script-src': ["'unsafe-inline'", "'nonce'"] } } },
    "headers.contentSecurityPolicy[\"script-src\"][0]: browsers ignore 'unsafe-inline' beside 'nonce', received \"'unsafe-inline'\"; remove 'unsafe-inline'",
  ],
  [
    { headers: { contentSecurityPolicy: { 'script-src': ["'nonce-abc'"] } } },
    'headers.contentSecurityPolicy["script-src"][0]: a nonce that stands in the policy is the same in every answer, received "\'nonce-abc\'"; write "\'nonce\'", which is filled with a fresh one',
  ],
  [
    { headers: { contentSecurityPolicy: { 'img-src': ['http://cdn.example'] } } },
    'headers.contentSecurityPolicy["img-src"][0]: what comes over http: can be changed on the way, received "http://cdn.example"; write https: instead',
  ],
  [
    { headers: { contentSecurityPolicy: { 'default-src': ["'slef'"] } } },
    'headers.contentSecurityPolicy["default-src"][0]: browsers know no such word, received "\'slef\'"; did you mean "\'self\'"?',
  ],
  [
    { headers: { contentSecurityPolicyReportOnly: { 'default-src': ["'self'"] } } },
    'headers.contentSecurityPolicyReportOnly: a policy that only reports has nobody to report to; add "report-to" with the name of one of reportingEndpoints',
  ],
  [
    { headers: { contentSecurityPolicy: { 'default-src': ["'self'"], 'report-to': ['csp'] } } },
    'headers.contentSecurityPolicy["report-to"]: reportingEndpoints has no endpoint of this name, received "csp"; add reportingEndpoints: { "csp": "https://reports.example/csp" }',
  ],
  [
    { headers: { frameOptions: 'DENY', contentSecurityPolicy: { 'frame-ancestors': ["'self'"] } } },
    'headers.frameOptions: frame-ancestors decides in browsers and lets more pages frame (\'self\' is allowed), received "DENY"; write frameOptions: false, or narrow frame-ancestors',
  ],
  [
    { headers: { permissionsPolicy: {} } },
    'headers.permissionsPolicy: without features the header says nothing, received {}; write false, or features such as { camera: [] }',
  ],
  [
    { headers: { permissionsPolicy: { camra: [] } } },
    'headers.permissionsPolicy.camra: browsers know no such feature, received "camra"; did you mean "camera"?',
  ],
  [
    { headers: { permissionsPolicy: { camera: ['*', 'self'] } } },
    'headers.permissionsPolicy.camera: "*" grants everyone, the others too, received ["*","self"]; write ["*"] or remove "*"',
  ],
  [
    {
      headers: {
        crossOriginOpenerPolicy: 'same-origin',
        crossOriginEmbedderPolicy: 'require-corp',
        originAgentCluster: '?0',
      },
    },
    'headers.originAgentCluster: a cross-origin isolated page (COOP same-origin with COEP) always has its own agent cluster, received "?0"; write "?1" or leave it out',
  ],
  [
    { headers: { strip: { 'x-frame-options': 'We do not frame.' } } },
    'headers.strip["x-frame-options"]: frameOptions decides on this header, received "x-frame-options"; remove it here, and write frameOptions: false where it is not to be sent',
  ],
  [
    { headers: { strip: { 'content-length': 'Nobody needs it.' } } },
    'headers.strip["content-length"]: this header cannot be left out: the message cannot be read without it, received "content-length"; remove it',
  ],
  [
    { headers: { strip: { 'cache-control': 'It is noise.' } } },
    'headers.strip["cache-control"]: this header cannot be left out: the control "cache" decides on it, received "cache-control"; remove it',
  ],
  [
    {
      extends: 'recommended',
      headers: {
        frameOptions: 'SAMEORIGIN',
        contentSecurityPolicy: { 'frame-ancestors': ['https://a.example'] },
      },
    },
    'headers.frameOptions: frame-ancestors decides in browsers and lets more pages frame (https://a.example is allowed), received "SAMEORIGIN"; write frameOptions: false, or narrow frame-ancestors',
  ],
  [
    { request: { methods: ['TRACE'] } },
    'request.methods[0]: this method is never accepted: TRACE and TRACK echo credentials, CONNECT opens a tunnel, received "TRACE"; remove it',
  ],
  [
    { request: { maxTargetBytes: 9000, maxHeaderBytes: 8192 } },
    'request.maxTargetBytes: a target this long never fits in a head of 8192 bytes, received 9000; make maxTargetBytes smaller than maxHeaderBytes',
  ],
  [
    { request: { maxHeaderCount: 1000, maxHeaderBytes: 512 } },
    'request.maxTargetBytes: a target this long never fits in a head of 512 bytes, received 8192; make maxTargetBytes smaller than maxHeaderBytes',
    'request.maxHeaderCount: this many lines never fit in a head of 512 bytes, received 1000; make maxHeaderCount smaller, or maxHeaderBytes larger',
  ],
]

for (const [policy, ...messages] of wrongSettings)
  test(`refuses ${JSON.stringify(policy)}`, () => {
    assert.throws(
      () => resolvePolicy(policy as never),
      (error) => {
        assert.ok(error instanceof PolicyError)
        assert.deepEqual(error.message.split('\n'), messages)
        return true
      },
    )
  })
