// Wrong policies and the exact sentences that refuse them: what was wrong, where, what was received, how to mend it.
// These are wrong by form; the published JSON Schema refuses them as well.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { PolicyError } from '../policy/problem.ts'
import { policyJsonSchema } from './policy.ts'
import { resolvePolicy } from './resolve.ts'

type Row = readonly [policy: unknown, ...messages: string[]]

const wrongForms: readonly Row[] = [
  [[], 'policy: expected an object, received []; write { extends: "recommended" }'],
  ['recommended', 'policy: expected an object, received "recommended"; write { extends: "recommended" }'],
  [null, 'policy: expected an object, received null; write { extends: "recommended" }'],
  [{ nam: 'x' }, 'nam: there is no setting "nam" here; did you mean "name"?'],
  [{ hsts: {} }, 'hsts: there is no setting "hsts" here; did you mean "transport.hsts"?'],
  [{ origins: [] }, 'origins: there is no setting "origins" here; did you mean "cors.origins"?'],
  [{ name: 1 }, 'name: expected one line of at most 200 characters, received 1; shorten it to one line'],
  [
    { name: 'two\nlines' },
    'name: expected one line of at most 200 characters, received "two\\nlines"; shorten it to one line',
  ],
  [{ $schema: 5 }, '$schema: expected the address of the schema, received 5; write a URL or a path'],
  [
    { extends: 'recomended' },
    'extends: expected one of "api", "payments", "commerce", "recommended", received "recomended"; did you mean "recommended"?',
  ],
  [
    { extends: ['api', 'foo'] },
    'extends[1]: expected one of "api", "payments", "commerce", "recommended", received "foo"; write one of them',
  ],
  [
    { extends: 7 },
    'extends: expected one of "api", "payments", "commerce", "recommended", received 7; write one of them',
  ],
  [
    { extends: [{ cache: { maxAge: 3 } }] },
    'extends[0].cache.maxAge: there is no setting "maxAge" here; did you mean "maxAgeSeconds"?',
  ],
  [
    { data: 'secret' },
    'data: expected one of "private", "public", "stream", "asset", received "secret"; write one of them',
  ],
  [
    { credentials: 'cookies' },
    'credentials: expected one of "bearer", "cookie", "mixed", "none", received "cookies"; did you mean "cookie"?',
  ],
  [
    { credentials: ['bearer'] },
    'credentials: expected one of "bearer", "cookie", "mixed", "none", received ["bearer"]; write one of them',
  ],
  [{ routes: [] }, 'routes: expected an object, received []; write { "/v1/account/*": { … } }'],
  [
    { routes: { '/x': null } },
    'routes["/x"]: expected an object, received null; write the settings of the route in braces: { … }',
  ],
  [
    { routes: { '/x': { name: 'x' } } },
    'routes["/x"].name: "name" is a setting of the whole policy, not of a route; move it to the top level',
  ],
  [
    { routes: { '/x': { extends: 'api' } } },
    'routes["/x"].extends: "extends" is a setting of the whole policy, not of a route; move it to the top level',
  ],
  [
    { routes: { '/x': { chache: {} } } },
    'routes["/x"].chache: there is no setting "chache" here; did you mean "cache"?',
  ],
  [
    { routes: { '/x': { maxAgeSeconds: 3 } } },
    'routes["/x"].maxAgeSeconds: there is no setting "maxAgeSeconds" here; did you mean "cache.maxAgeSeconds"?',
  ],
  [
    { routes: { '/x': { data: 'open' } } },
    'routes["/x"].data: expected one of "private", "public", "stream", "asset", received "open"; write one of them',
  ],
  [{ transport: true }, 'transport: expected an object, received true; write it in braces: { … }'],
  [
    { transport: { tls: 'front' } },
    'transport.tls: expected one of "here", "in-front", received "front"; did you mean "in-front"?',
  ],
  [
    { transport: { minVersion: 'TLSv1.1' } },
    'transport.minVersion: expected one of "TLSv1.3", "TLSv1.2", received "TLSv1.1"; did you mean "TLSv1.3"?',
  ],
  [
    { transport: { plainHttp: 'serve' } },
    'transport.plainHttp: expected one of "refuse", "redirect", received "serve"; write one of them',
  ],
  [
    { transport: { mode: 'enforced' } },
    'transport.mode: expected one of "enforce", "report", "off", received "enforced"; did you mean "enforce"?',
  ],
  [
    { transport: { hsts: true } },
    'transport.hsts: expected false or an object, received true; write false, or write it in braces: { … }',
  ],
  [
    { transport: { hsts: { maxAge: 63072000 } } },
    'transport.hsts.maxAge: there is no setting "maxAge" here; did you mean "maxAgeSeconds"?',
  ],
  [
    { transport: { hsts: { maxAgeSeconds: '63072000' } } },
    'transport.hsts.maxAgeSeconds: expected a whole number from 0 to 2147483647, received "63072000"; write a number such as 63072000',
  ],
  [
    { transport: { hsts: { maxAgeSeconds: -1 } } },
    'transport.hsts.maxAgeSeconds: expected a whole number from 0 to 2147483647, received -1; write a number such as 63072000',
  ],
  [
    { transport: { hsts: { maxAgeSeconds: 1.5 } } },
    'transport.hsts.maxAgeSeconds: expected a whole number from 0 to 2147483647, received 1.5; write a number such as 63072000',
  ],
  [
    { transport: { hsts: { maxAgeSeconds: 63072000, includeSubDomains: 1 } } },
    'transport.hsts.includeSubDomains: expected true or false, received 1; write true or false',
  ],
  [
    { headers: { contentTypeOptions: 'sniff' } },
    'headers.contentTypeOptions: expected one of "nosniff", received "sniff"; did you mean "nosniff"?',
  ],
  [
    { headers: { contentTypeOptions: true } },
    'headers.contentTypeOptions: expected false or one of "nosniff", received true; write false, or write "nosniff"',
  ],
  [
    { headers: { frameOptions: 'deny' } },
    'headers.frameOptions: expected one of "DENY", "SAMEORIGIN", received "deny"; did you mean "DENY"?',
  ],
  [
    { headers: { referrerPolicy: 'no-referrer' } },
    'headers.referrerPolicy: expected false or a list, received "no-referrer"; write false, or write it in brackets: [ … ]',
  ],
  [
    { headers: { referrerPolicy: [] } },
    'headers.referrerPolicy: expected at least 1 item, received []; add one',
  ],
  [
    { headers: { referrerPolicy: ['no-referer'] } },
    'headers.referrerPolicy[0]: expected one of "no-referrer", "no-referrer-when-downgrade", "same-origin", "origin", "strict-origin", "origin-when-cross-origin", "strict-origin-when-cross-origin", "unsafe-url", received "no-referer"; did you mean "no-referrer"?',
  ],
  [
    { headers: { referrerPolicy: ['origin', 'origin'] } },
    'headers.referrerPolicy[1]: stands twice in the list, received "origin"; remove one of them',
  ],
  [
    { headers: { xFrameOptions: 'DENY' } },
    'headers.xFrameOptions: there is no setting "xFrameOptions" here; did you mean "frameOptions"?',
  ],
  [
    { headers: { 'X-Frame-Options': 'DENY' } },
    'headers["X-Frame-Options"]: there is no setting "X-Frame-Options" here; did you mean "frameOptions"?',
  ],
  [
    { cache: { maxAge: 30 } },
    'cache.maxAge: there is no setting "maxAge" here; did you mean "maxAgeSeconds"?',
  ],
  [
    { cache: { maxAgeSeconds: -1 } },
    'cache.maxAgeSeconds: expected a whole number from 0 to 31536000, received -1; write a number such as 30',
  ],
  [{ cache: 'no-store' }, 'cache: expected an object, received "no-store"; write it in braces: { … }'],
  [
    { cache: { owner: 'app' } },
    'cache.owner: expected one of "policy", "handler", received "app"; write one of them',
  ],
  [
    { cache: { floor: 'public' } },
    'cache.floor: expected one of "none", "private", "no-store", received "public"; write one of them',
  ],
  [
    { errors: { replaceBodies: true } },
    'errors.replaceBodies: expected one of "none", "server", "unshaped", received true; write one of them',
  ],
  [
    { errors: { replaceBodies: 'all' } },
    'errors.replaceBodies: expected one of "none", "server", "unshaped", received "all"; write one of them',
  ],
  [{ cors: { origins: '*' } }, 'cors.origins: expected a list, received "*"; write it in brackets: [ … ]'],
  [
    { cors: { origins: ['https://a.example', 'https://a.example'] } },
    'cors.origins[1]: stands twice in the list, received "https://a.example"; remove one of them',
  ],
  [
    { cors: { origins: ['https://a.example'], maxAgeSeconds: 86401 } },
    'cors.maxAgeSeconds: expected a whole number from 0 to 86400, received 86401; write a number such as 600',
  ],
  [
    { cors: { bearer: true } },
    'cors.bearer: expected one of "any-origin", "listed", received true; write one of them',
  ],
  [
    { cors: { credentials: true } },
    'cors.credentials: there is no setting "credentials" here; the settings here are mode, origins, bearer, allowMethods, allowHeaders, exposeHeaders, maxAgeSeconds',
  ],
  [
    { client: { trust: ['10.0.0.0/8'] } },
    'client.trust: there is no setting "trust" here; did you mean "trustedProxies"?',
  ],
  [
    { request: { maxBodyBytes: '1mb' } },
    'request.maxBodyBytes: expected a whole number from 0 to 9007199254740991, received "1mb"; write a number such as 1048576',
  ],
  [
    { request: { methods: ['propfind'] } },
    'request.methods[0]: expected a method in capitals, received "propfind"; write it as it is sent, such as "PROPFIND"',
  ],
  [
    { request: { nonCanonical: 'allow' } },
    'request.nonCanonical: expected one of "refuse", "strict", received "allow"; write one of them',
  ],
]

const inSchema = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(
  policyJsonSchema('https://sallyport.example/policy.schema.json'),
)

for (const [policy, ...messages] of wrongForms)
  test(`refuses ${JSON.stringify(policy)}`, () => {
    assert.throws(
      () => resolvePolicy(policy as never),
      (error) => {
        assert.ok(error instanceof PolicyError)
        assert.deepEqual(error.message.split('\n'), messages)
        return true
      },
    )
    assert.equal(inSchema(policy), false, 'the JSON Schema takes it')
  })
