// Which of two `headers` settings is the stronger, header by header, by what each lets a browser do.

import type { Change } from '../../guard/control.ts'
import { compareModes } from '../faces.ts'
import type { CspSetting } from './csp.ts'
import { compareCsp } from './csp-compare.ts'
import { compareFraming, framingOf } from './framing.ts'
import {
  AGENT_CLUSTER,
  COEP,
  COOP,
  CORP,
  CROSS_DOMAIN,
  compareOwned,
  compareWords,
  DNS_PREFETCH,
  NOSNIFF,
  type WordOrder,
} from './orders.ts'
import { comparePermissions } from './permissions.ts'
import { compareReferrer, DEFAULT_REFERRER_POLICY, effectiveReferrerPolicy } from './referrer.ts'
import { type HeadersSetting, strippedNames } from './setting.ts'

const WORDS: readonly (readonly [
  field:
    | 'contentTypeOptions'
    | 'dnsPrefetchControl'
    | 'crossOriginResourcePolicy'
    | 'crossOriginOpenerPolicy'
    | 'crossOriginEmbedderPolicy'
    | 'originAgentCluster'
    | 'permittedCrossDomainPolicies',
  header: string,
  order: WordOrder,
])[] = [
  ['contentTypeOptions', 'X-Content-Type-Options', NOSNIFF],
  ['dnsPrefetchControl', 'X-DNS-Prefetch-Control', DNS_PREFETCH],
  ['crossOriginResourcePolicy', 'Cross-Origin-Resource-Policy', CORP],
  ['crossOriginOpenerPolicy', 'Cross-Origin-Opener-Policy', COOP],
  ['crossOriginEmbedderPolicy', 'Cross-Origin-Embedder-Policy', COEP],
  ['originAgentCluster', 'Origin-Agent-Cluster', AGENT_CLUSTER],
  ['permittedCrossDomainPolicies', 'X-Permitted-Cross-Domain-Policies', CROSS_DOMAIN],
]

export function compareHeaders(before: HeadersSetting, after: HeadersSetting): readonly Change[] {
  const a = inForce(before)
  const b = inForce(after)
  return [
    ...compareModes(before, after),
    ...WORDS.flatMap(([field, header, order]) =>
      compareOwned<string, string>(
        field,
        header,
        a[field],
        b[field],
        (word) => word ?? order.absent,
        compareWords(field, order),
      ),
    ),
    ...framingChanges(a, b),
    ...compareOwned(
      'referrerPolicy',
      'Referrer-Policy',
      a.referrerPolicy,
      b.referrerPolicy,
      (policies) => effectiveReferrerPolicy(policies ?? []) ?? DEFAULT_REFERRER_POLICY,
      compareReferrer,
    ),
    ...compareOwned(
      'contentSecurityPolicy',
      'Content-Security-Policy',
      a.contentSecurityPolicy,
      b.contentSecurityPolicy,
      policies,
      (from, to) => compareCsp(from, to),
    ),
    ...compareOwned(
      'permissionsPolicy',
      'Permissions-Policy',
      a.permissionsPolicy,
      b.permissionsPolicy,
      (permissions) => permissions ?? {},
      comparePermissions,
    ),
    ...compareOwned(
      'contentSecurityPolicyReportOnly',
      'Content-Security-Policy-Report-Only',
      a.contentSecurityPolicyReportOnly,
      b.contentSecurityPolicyReportOnly,
      policies,
      compareReportOnly,
    ),
    ...compareOwned(
      'reportingEndpoints',
      'Reporting-Endpoints',
      a.reportingEndpoints,
      b.reportingEndpoints,
      (endpoints) => endpoints ?? {},
      compareEndpoints,
    ),
    ...compareStripped(a, b),
  ]
}

// A control that does not enforce leaves every header to the application.
function inForce(setting: HeadersSetting): HeadersSetting {
  return (setting.mode ?? 'enforce') === 'enforce' ? setting : { strip: false }
}

function policies(csp: CspSetting | undefined): readonly CspSetting[] {
  return csp ? [csp] : []
}

function framingChanges(a: HeadersSetting, b: HeadersSetting): readonly Change[] {
  const changes = compareOwned(
    'framing',
    'a rule on framing',
    framingOf(a),
    framingOf(b),
    (f) => f ?? [],
    compareFraming,
  )
  if (changes.length > 0 || a.frameOptions === b.frameOptions) return changes
  return [
    {
      what: 'frameOptions',
      strength: 'neutral',
      because: 'frame-ancestors decides, or both words come to the same',
    },
  ]
}

// It enforces nothing: what counts is whether somebody would hear of a violation.
function compareReportOnly(before: readonly CspSetting[], after: readonly CspSetting[]): readonly Change[] {
  const what = 'contentSecurityPolicyReportOnly'
  if (before.length > after.length)
    return [{ what, strength: 'weaker', because: 'violations of the policy on trial are no longer reported' }]
  if (before.length < after.length)
    return [{ what, strength: 'stronger', because: 'violations of a policy on trial are reported' }]
  return JSON.stringify(before) === JSON.stringify(after)
    ? []
    : [{ what, strength: 'neutral', because: 'another policy is on trial, and none is enforced by it' }]
}

function compareEndpoints(
  before: Readonly<Record<string, string>>,
  after: Readonly<Record<string, string>>,
): readonly Change[] {
  const [from, to] = [new Map(Object.entries(before)), new Map(Object.entries(after))]
  return [...new Set([...from.keys(), ...to.keys()])].flatMap((name): Change[] => {
    const what = `reportingEndpoints.${name}`
    if (from.get(name) === to.get(name)) return []
    if (!to.has(name)) return [{ what, strength: 'weaker', because: `reports for "${name}" reach nobody` }]
    if (!from.has(name))
      return [{ what, strength: 'stronger', because: `reports for "${name}" are received` }]
    return [{ what, strength: 'neutral', because: `reports for "${name}" go to another address` }]
  })
}

function compareStripped(a: HeadersSetting, b: HeadersSetting): readonly Change[] {
  const [before, after] = [strippedNames(a), strippedNames(b)]
  return [
    ...before
      .filter((name) => !after.includes(name))
      .map(
        (name): Change => ({
          what: `strip.${name}`,
          strength: 'weaker',
          because: `an application's ${name} reaches the caller`,
        }),
      ),
    ...after
      .filter((name) => !before.includes(name))
      .map(
        (name): Change => ({
          what: `strip.${name}`,
          strength: 'stronger',
          because: `an application's ${name} is removed`,
        }),
      ),
  ]
}
