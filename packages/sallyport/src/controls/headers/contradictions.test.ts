// Wrong settings with the exact sentence that refuses each.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type PolicyProblem, sentence } from '../../policy/problem.ts'
import { headersContradictions } from './contradictions.ts'
import { type HeadersSetting, headersDefaults, headersSchema } from './setting.ts'

function complaints(setting: unknown): readonly string[] {
  const formal: PolicyProblem[] = []
  headersSchema.check(setting, '', (problem) => formal.push(problem))
  return (formal.length > 0 ? formal : headersContradictions(setting as HeadersSetting)).map(sentence)
}

const csp = (contentSecurityPolicy: unknown) => ({ contentSecurityPolicy })

const WRONG: readonly (readonly [setting: unknown, complaint: string])[] = [
  [
    csp({ 'default-src': ['self'] }),
    `contentSecurityPolicy["default-src"][0]: without quotes this is the name of a host, received "self"; write "'self'"`,
  ],
  [
    csp({ 'default-src': ['none'] }),
    `contentSecurityPolicy["default-src"][0]: without quotes this is the name of a host, received "none"; write "'none'"`,
  ],
  [
    csp({ 'script-src': ['unsafe-inline'] }),
    `contentSecurityPolicy["script-src"][0]: without quotes this is the name of a host, received "unsafe-inline"; write "'unsafe-inline'"`,
  ],
  [
    csp({ 'script-src': ['nonce-abc'] }),
    `contentSecurityPolicy["script-src"][0]: without quotes this is the name of a host, received "nonce-abc"; write "'nonce-abc'"`,
  ],
  [
    csp({ 'default-src': ["'selff'"] }),
    `contentSecurityPolicy["default-src"][0]: browsers know no such word, received "'selff'"; did you mean "'self'"?`,
  ],
  [
    csp({ 'default-src': ["'SELF'"] }),
    `contentSecurityPolicy["default-src"][0]: words are written in small letters here, received "'SELF'"; write "'self'"`,
  ],
  [
    csp({ 'default-src': ["'none'", 'https:'] }),
    `contentSecurityPolicy["default-src"][0]: 'none' is ignored beside https:, received "'none'"; remove 'none' or everything else`,
  ],
  [
    csp({ 'script-src': ["'nonce'", "'unsafe-inline'"] }),
    `contentSecurityPolicy["script-src"][1]: browsers ignore 'unsafe-inline' beside 'nonce', received "'unsafe-inline'"; remove 'unsafe-inline'`,
  ],
  [
    csp({ 'img-src': ["'nonce'"] }),
    `contentSecurityPolicy["img-src"][0]: img-src takes no nonce, received "'nonce'"; move it to script-src`,
  ],
  [
    csp({ 'style-src-attr': ["'nonce'"] }),
    `contentSecurityPolicy["style-src-attr"][0]: style-src-attr takes no nonce, received "'nonce'"; move it to style-src`,
  ],
  [
    csp({ 'frame-ancestors': ["'unsafe-inline'"] }),
    `contentSecurityPolicy["frame-ancestors"][0]: frame-ancestors takes no 'unsafe-inline', received "'unsafe-inline'"; move it to script-src`,
  ],
  [
    csp({ 'script-src': ["'nonce-abc123'"] }),
    `contentSecurityPolicy["script-src"][0]: a nonce that stands in the policy is the same in every answer, received "'nonce-abc123'"; write "'nonce'", which is filled with a fresh one`,
  ],
  [
    csp({ 'script-src': ["'strict-dynamic'"] }),
    `contentSecurityPolicy["script-src"][0]: 'strict-dynamic' without a nonce or a hash blocks every script, received "'strict-dynamic'"; add 'nonce'`,
  ],
  [
    csp({ 'script-src': ["'unsafe-hashes'"] }),
    `contentSecurityPolicy["script-src"][0]: 'unsafe-hashes' has no hash to extend, received "'unsafe-hashes'"; add the hash or remove it`,
  ],
  [
    csp({ 'img-src': ['http://a.example'] }),
    'contentSecurityPolicy["img-src"][0]: what comes over http: can be changed on the way, received "http://a.example"; write https: instead',
  ],
  [
    csp({ 'connect-src': ['ws:'] }),
    'contentSecurityPolicy["connect-src"][0]: what comes over ws: can be changed on the way, received "ws:"; write wss: instead',
  ],
  [
    csp({ 'img-src': ['https//a.example'] }),
    `contentSecurityPolicy["img-src"][0]: this is no source expression, so browsers ignore it, received "https//a.example"; write 'self', "https:" or a host such as "https://cdn.example"`,
  ],
  [
    csp({ 'img-src': [] }),
    `contentSecurityPolicy["img-src"]: an empty list allows nothing without saying so, received []; write ["'none'"]`,
  ],
  [
    csp({}),
    `contentSecurityPolicy: a policy without directives allows everything, received {}; write false, or { "default-src": ["'none'"] }`,
  ],
  [
    csp({ 'defualt-src': ["'none'"] }),
    'contentSecurityPolicy["defualt-src"]: this name is not a directive of Content-Security-Policy, received "defualt-src"; write one such as default-src, script-src or frame-ancestors',
  ],
  [
    csp({ 'report-to': ['csp'] }),
    'contentSecurityPolicy["report-to"]: reportingEndpoints has no endpoint of this name, received "csp"; add reportingEndpoints: { "csp": "https://reports.example/csp" }',
  ],
  [
    { ...csp({ 'report-to': ['csp'] }), reportingEndpoints: { csp1: 'https://r.example/' } },
    'contentSecurityPolicy["report-to"]: reportingEndpoints has no endpoint of this name, received "csp"; did you mean "csp1"?',
  ],
  [
    csp({ 'report-to': ['a', 'b'] }),
    'contentSecurityPolicy["report-to"]: it takes the name of one endpoint, received ["a","b"]; write ["csp"] and reportingEndpoints: { csp: "https://…" }',
  ],
  [
    csp({ 'report-uri': ['http://r.example'] }),
    'contentSecurityPolicy["report-uri"]: it takes https URLs or paths, received ["http://r.example"]; write ["https://reports.example/csp"]',
  ],
  [
    csp({ sandbox: ['allow-script'] }),
    'contentSecurityPolicy.sandbox[0]: browsers know no such sandbox word, received "allow-script"; did you mean "allow-scripts"?',
  ],
  [
    csp({ 'upgrade-insecure-requests': ["'self'"] }),
    `contentSecurityPolicy["upgrade-insecure-requests"]: it takes no values, received ["'self'"]; write []`,
  ],
  [
    csp({ 'require-trusted-types-for': ['script'] }),
    `contentSecurityPolicy["require-trusted-types-for"]: it takes 'script' only, received ["script"]; write ["'script'"]`,
  ],
  [
    csp({ 'trusted-types': ["'none'", 'a'] }),
    `contentSecurityPolicy["trusted-types"]: 'none' is ignored beside other names, received ["'none'","a"]; remove 'none' or everything else`,
  ],
  [
    { contentSecurityPolicyReportOnly: { 'default-src': ["'none'"] } },
    'contentSecurityPolicyReportOnly: a policy that only reports has nobody to report to; add "report-to" with the name of one of reportingEndpoints',
  ],
  [
    { contentSecurityPolicyReportOnly: { sandbox: [], 'report-uri': ['/r'] } },
    'contentSecurityPolicyReportOnly.sandbox: browsers ignore sandbox in a policy that only reports, received []; move it to contentSecurityPolicy',
  ],
  [
    { frameOptions: 'DENY', ...csp({ 'frame-ancestors': ["'self'"] }) },
    `frameOptions: frame-ancestors decides in browsers and lets more pages frame ('self' is allowed), received "DENY"; write frameOptions: false, or narrow frame-ancestors`,
  ],
  [
    { frameOptions: 'SAMEORIGIN', ...csp({ 'frame-ancestors': ["'self'", 'https://a.example'] }) },
    'frameOptions: frame-ancestors decides in browsers and lets more pages frame (https://a.example is allowed), received "SAMEORIGIN"; write frameOptions: false, or narrow frame-ancestors',
  ],
  [
    { permissionsPolicy: { camara: [] } },
    'permissionsPolicy.camara: browsers know no such feature, received "camara"; did you mean "camera"?',
  ],
  [
    { permissionsPolicy: { camera: ['*', 'self'] } },
    'permissionsPolicy.camera: "*" grants everyone, the others too, received ["*","self"]; write ["*"] or remove "*"',
  ],
  [
    { permissionsPolicy: { camera: ['src'] } },
    'permissionsPolicy.camera[0]: expected "*", "self" or an https origin, received "src"; write [] to switch the feature off, ["self"], or ["https://app.example"]',
  ],
  [
    { permissionsPolicy: {} },
    'permissionsPolicy: without features the header says nothing, received {}; write false, or features such as { camera: [] }',
  ],
  [
    {
      crossOriginOpenerPolicy: 'same-origin',
      crossOriginEmbedderPolicy: 'require-corp',
      originAgentCluster: '?0',
    },
    'originAgentCluster: a cross-origin isolated page (COOP same-origin with COEP) always has its own agent cluster, received "?0"; write "?1" or leave it out',
  ],
  [
    { frameOptions: 'DENY', strip: { 'x-frame-options': 'no' } },
    'strip["x-frame-options"]: frameOptions decides on this header, received "x-frame-options"; remove it here, and write frameOptions: false where it is not to be sent',
  ],
  [
    { strip: { 'content-type': 'no' } },
    'strip["content-type"]: this header cannot be left out: the message cannot be read without it, received "content-type"; remove it',
  ],
  [
    { strip: { 'set-cookie': 'no' } },
    'strip["set-cookie"]: this header cannot be left out: sessions depend on it, received "set-cookie"; remove it',
  ],
  [
    { strip: { location: 'no' } },
    'strip.location: this header cannot be left out: a redirect leads nowhere without it, received "location"; remove it',
  ],
  [
    { strip: { 'cache-control': 'no' } },
    'strip["cache-control"]: this header cannot be left out: the control "cache" decides on it, received "cache-control"; remove it',
  ],
  [
    { strip: { 'strict-transport-security': 'no' } },
    'strip["strict-transport-security"]: this header cannot be left out: the control "transport" decides on it, received "strict-transport-security"; remove it',
  ],
  [
    { strip: { Server: 'no' } },
    'strip.Server: this name is not a header name in small letters, received "Server"; write the name in small letters, such as x-powered-by',
  ],
  [
    csp({ 'img-src': Array.from({ length: 99 }, (_, i) => `https://${'a'.repeat(50)}${i}.example`) }),
    'contentSecurityPolicy: Content-Security-Policy would be longer than 4096 bytes, which proxies refuse, received 6828; shorten the lists',
  ],
]

describe('a wrong headers setting is refused', () => {
  for (const [setting, complaint] of WRONG)
    it(complaint.slice(0, 120), () => assert.deepEqual(complaints(setting), [complaint]))
})

describe('a right headers setting is not', () => {
  const right: readonly unknown[] = [
    headersDefaults,
    { strip: { constructor: 'a name like any other', server: false } },
    { frameOptions: 'SAMEORIGIN', ...csp({ 'frame-ancestors': ["'none'"] }) },
    { frameOptions: false, ...csp({ 'frame-ancestors': ['https://a.example', 'https://*.b.example:8443'] }) },
    csp({
      'default-src': ["'none'"],
      'script-src': ["'nonce'", "'strict-dynamic'", "'report-sample'"],
      'style-src': ["'self'", "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"],
      'img-src': ["'self'", 'data:', 'https://cdn.example/img/'],
      'connect-src': ["'self'", 'wss://live.example'],
      sandbox: [],
      'trusted-types': ['default', "'allow-duplicates'"],
      'require-trusted-types-for': ["'script'"],
      'upgrade-insecure-requests': [],
      'report-uri': ['/csp'],
    }),
    {
      reportingEndpoints: { csp: 'https://r.example/csp' },
      contentSecurityPolicyReportOnly: { 'default-src': ["'self'"], 'report-to': ['csp'] },
    },
    { permissionsPolicy: { camera: ['self', 'https://*.example:8443'], usb: [] } },
  ]
  for (const setting of right)
    it(JSON.stringify(setting).slice(0, 100), () => assert.deepEqual(complaints(setting), []))
})
