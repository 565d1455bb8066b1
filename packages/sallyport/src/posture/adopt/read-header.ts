// Reads the value of a security header back into the setting that writes it. What no setting can say in the same
// meaning stays the application's.

import { CSP_DIRECTIVES } from '../../controls/headers/csp.ts'

/** Where a setting stands in the policy, and what it is. */
export interface ReadSetting {
  readonly control: 'headers' | 'transport'
  readonly key: string
  readonly value: unknown
}

/** The setting of a header's value; `undefined` where the policy has none for it, or can't say this value. */
export function readHeader(name: string, value: string): ReadSetting | undefined {
  const read = READERS[name]
  if (read === undefined) return undefined
  const [control, key, parse] = read
  const setting = parse(value.trim())
  return setting === undefined ? undefined : { control, key, value: setting }
}

/** The headers that a policy can set, in small letters. */
export const READABLE: readonly string[] = [
  'strict-transport-security',
  'x-content-type-options',
  // Before X-Frame-Options: frame-ancestors wins in browsers, so where the two contradict, it is the one to take over.
  'content-security-policy',
  'x-frame-options',
  'content-security-policy-report-only',
  'referrer-policy',
  'permissions-policy',
  'cross-origin-resource-policy',
  'cross-origin-opener-policy',
  'cross-origin-embedder-policy',
  'origin-agent-cluster',
  'x-dns-prefetch-control',
  'x-permitted-cross-domain-policies',
]

type Reader = readonly [ReadSetting['control'], key: string, parse: (value: string) => unknown]

const word =
  (...words: readonly string[]) =>
  (value: string) =>
    words.find((each) => each.toLowerCase() === value.toLowerCase())

const READERS: Readonly<Record<string, Reader>> = {
  'strict-transport-security': ['transport', 'hsts', readHsts],
  'x-content-type-options': ['headers', 'contentTypeOptions', word('nosniff')],
  'x-frame-options': ['headers', 'frameOptions', word('DENY', 'SAMEORIGIN')],
  'content-security-policy': ['headers', 'contentSecurityPolicy', readCsp],
  'content-security-policy-report-only': ['headers', 'contentSecurityPolicyReportOnly', readCsp],
  'referrer-policy': ['headers', 'referrerPolicy', (value) => value.toLowerCase().split(/ *, */)],
  'permissions-policy': ['headers', 'permissionsPolicy', readPermissions],
  'cross-origin-resource-policy': [
    'headers',
    'crossOriginResourcePolicy',
    word('same-origin', 'same-site', 'cross-origin'),
  ],
  'cross-origin-opener-policy': [
    'headers',
    'crossOriginOpenerPolicy',
    word('same-origin', 'same-origin-allow-popups', 'noopener-allow-popups', 'unsafe-none'),
  ],
  'cross-origin-embedder-policy': [
    'headers',
    'crossOriginEmbedderPolicy',
    word('require-corp', 'credentialless', 'unsafe-none'),
  ],
  'origin-agent-cluster': ['headers', 'originAgentCluster', word('?1', '?0')],
  'x-dns-prefetch-control': ['headers', 'dnsPrefetchControl', word('off', 'on')],
  'x-permitted-cross-domain-policies': [
    'headers',
    'permittedCrossDomainPolicies',
    word('none', 'master-only'),
  ],
}

/** @see RFC 6797, section 6.1 */
function readHsts(value: string): unknown {
  const parts = value.toLowerCase().split(/ *; */)
  const age = parts
    .map((part) => /^max-age="?(\d{1,10})"?$/.exec(part)?.[1])
    .find((each) => each !== undefined)
  if (age === undefined || parts.some((part) => !/^(?:max-age=.*|includesubdomains|preload|)$/.test(part)))
    return undefined
  return {
    maxAgeSeconds: Number(age),
    ...(parts.includes('includesubdomains') ? { includeSubDomains: true } : {}),
    ...(parts.includes('preload') ? { preload: true } : {}),
  }
}

/** @see W3C CSP Level 3, section 2.2.1; a nonce is another each time, and can't be a fixed value */
function readCsp(value: string): unknown {
  const policy: Record<string, readonly string[]> = {}
  for (const part of value.split(';')) {
    const [name, ...values] = part.trim().split(/[ \t]+/)
    if (name === undefined || name === '') continue
    const directive = name.toLowerCase()
    if (!(CSP_DIRECTIVES as readonly string[]).includes(directive)) return undefined
    if (values.some((each) => /^'nonce-/i.test(each)) || value.includes(',')) return undefined
    // The first of a name counts.
    policy[directive] ??= values
  }
  return policy
}

/** @see RFC 9651, section 3.2: a dictionary of inner lists, as Permissions-Policy uses it */
function readPermissions(value: string): unknown {
  const policy: Record<string, readonly string[]> = {}
  for (const part of value.split(/ *, */)) {
    const match = /^([a-z][a-z0-9-]{0,63})=(?:\(([^()]*)\)|(\*|self))$/.exec(part.trim())
    if (match === null) return undefined
    const members = (match[2] ?? match[3]!)
      .trim()
      .split(/ +/)
      .filter((each) => each !== '')
    policy[match[1]!] = members.map((each) => each.replace(/^"(.*)"$/, '$1'))
  }
  return policy
}
