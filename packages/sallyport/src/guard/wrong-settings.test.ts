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
    { disclosure: { securityTxt: {} } },
    'disclosure.securityTxt: contact is missing (RFC 9116, section 2.5); add contact: ["mailto:security@example.com"]',
    'disclosure.securityTxt: expires is missing (RFC 9116, section 2.5); add expires: "2027-01-31T00:00:00Z"',
  ],
  [
    { disclosure: { securityTxt: { contact: ['security@example.com'], expires: '2027-01-31T00:00:00Z' } } },
    'disclosure.securityTxt.contact[0]: expected a URI with mailto:, https: or tel: (RFC 9116, section 2.5.3), received "security@example.com"; write one such as "mailto:security@example.com"',
  ],
  [
    { disclosure: { securityTxt: { contact: ['mailto:a@example.com'], expires: '2027-02-30T00:00:00Z' } } },
    'disclosure.securityTxt.expires: is not a date and time of RFC 3339, received "2027-02-30T00:00:00Z"; write one such as "2027-01-31T00:00:00Z"',
  ],
  [
    { disclosure: { securityTxt: { contact: ['mailto:a@example.com'], expires: 'next year' } } },
    'disclosure.securityTxt.expires: is not a date and time of RFC 3339, received "next year"; write one such as "2027-01-31T00:00:00Z"',
  ],
  [
    {
      disclosure: {
        securityTxt: { contact: ['mailto:a@example.com'], expires: '2027-01-31T00:00:00Z' },
        policyPage: {},
      },
    },
    'disclosure.securityTxt.canonical: without it the file cannot name the full URL of its policy; add canonical: ["https://api.example.com/.well-known/security.txt"]',
  ],
  [
    { disclosure: { pgpKey: '-----BEGIN PGP PRIVATE KEY BLOCK-----' } },
    'disclosure.pgpKey: this is a private key: it would be published; paste the output of gpg --armor --export',
  ],
  [
    { disclosure: { policyPage: {} } },
    'disclosure.policyPage: there is no address to report to; add contact: ["mailto:security@example.com"], or securityTxt with one',
  ],
  [
    {
      disclosure: {
        policyPage: { contact: ['mailto:a@example.com'], bounty: { currency: 'EUR', min: 500, max: 100 } },
      },
    },
    'disclosure.policyPage.bounty: the least reward is higher than the most, received {"currency":"EUR","min":500,"max":100}; write min: 100, max: 500',
  ],
  [
    { disclosure: { policyPage: { contact: ['mailto:a@example.com'], acknowledgeHours: 72, fixHours: 24 } } },
    'disclosure.policyPage.fixHours: is shorter than the 72 hours until a report is acknowledged, received 24; write a longer time, or a shorter acknowledgeHours',
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
