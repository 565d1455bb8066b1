// Security headers that browsers would ignore or read otherwise, and the exact sentences that refuse them.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PolicyError } from '../policy/problem.ts'
import { resolvePolicy } from './resolve.ts'

type Row = readonly [policy: unknown, ...messages: string[]]

const wrongHeaders: readonly Row[] = [
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
]

for (const [policy, ...messages] of wrongHeaders)
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
