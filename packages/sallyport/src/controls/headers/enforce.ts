// Puts the fixed headers on every answer, and takes away what is deliberately not set.

import type { EmitStage } from '../../guard/control.ts'
import { type Lines, lines } from '../../guard/lines.ts'
import { type CspSetting, cspAroundNonce, cspValue, usesNonce } from './csp.ts'
import { permissionsValue } from './permissions.ts'
import { type HeadersSetting, strippedNames } from './setting.ts'

/** A field of the setting that stands for one header. */
export type HeaderField = Exclude<keyof HeadersSetting, 'mode' | 'strip'>

/** The headers in the order in which they are sent: name, the value that a setting gives, the setting's field. */
export const FIXED: readonly (readonly [
  name: string,
  valueIn: (setting: HeadersSetting) => string | false | undefined,
  field: HeaderField,
])[] = [
  ['X-Content-Type-Options', (s) => s.contentTypeOptions, 'contentTypeOptions'],
  ['X-Frame-Options', (s) => s.frameOptions, 'frameOptions'],
  [
    'Referrer-Policy',
    (s) => (s.referrerPolicy ? s.referrerPolicy.join(', ') : s.referrerPolicy),
    'referrerPolicy',
  ],
  ['X-DNS-Prefetch-Control', (s) => s.dnsPrefetchControl, 'dnsPrefetchControl'],
  [
    'Content-Security-Policy',
    (s) => s.contentSecurityPolicy && cspValue(s.contentSecurityPolicy),
    'contentSecurityPolicy',
  ],
  [
    'Content-Security-Policy-Report-Only',
    (s) => s.contentSecurityPolicyReportOnly && cspValue(s.contentSecurityPolicyReportOnly),
    'contentSecurityPolicyReportOnly',
  ],
  [
    'Permissions-Policy',
    (s) => s.permissionsPolicy && permissionsValue(s.permissionsPolicy),
    'permissionsPolicy',
  ],
  ['Cross-Origin-Resource-Policy', (s) => s.crossOriginResourcePolicy, 'crossOriginResourcePolicy'],
  ['Cross-Origin-Opener-Policy', (s) => s.crossOriginOpenerPolicy, 'crossOriginOpenerPolicy'],
  ['Cross-Origin-Embedder-Policy', (s) => s.crossOriginEmbedderPolicy, 'crossOriginEmbedderPolicy'],
  ['Origin-Agent-Cluster', (s) => s.originAgentCluster, 'originAgentCluster'],
  [
    'X-Permitted-Cross-Domain-Policies',
    (s) => s.permittedCrossDomainPolicies,
    'permittedCrossDomainPolicies',
  ],
  [
    'Reporting-Endpoints',
    (s) => s.reportingEndpoints && endpointsValue(s.reportingEndpoints),
    'reportingEndpoints',
  ],
]

export function emitHeaders(setting: HeadersSetting): EmitStage {
  const owns: string[] = [...strippedNames(setting)]
  const fixed: [string, string][] = []
  for (const [name, valueIn] of FIXED) {
    const value = valueIn(setting)
    if (value === undefined) continue
    owns.push(name.toLowerCase())
    if (value !== false && !nonced(setting, name)) fixed.push([name, value])
  }
  const perNonce = NONCED.filter((name) => nonced(setting, name)).map((name) => ({
    name,
    around: cspAroundNonce(cspOf(setting, name) as CspSetting),
  }))
  // Checked once with a nonce of the right form; after that only the nonce changes, and it is base64.
  lines(perNonce.map(({ name, around }) => [name, around.join('AAAA')]))
  if (perNonce.length === 0) return { owns, fixed: lines(fixed) }
  return {
    owns,
    fixed: lines(fixed),
    perAnswer: (exchange): Lines => {
      const pairs = perNonce.map(({ name, around }) => [name, around.join(exchange.nonce)] as const)
      return { pairs, wire: pairs.map(([name, value]) => `${name}: ${value}\r\n`).join(''), once: true }
    },
  }
}

const NONCED = ['Content-Security-Policy', 'Content-Security-Policy-Report-Only'] as const

function nonced(setting: HeadersSetting, name: string): boolean {
  const csp = cspOf(setting, name)
  return csp ? usesNonce(csp) : false
}

function cspOf(setting: HeadersSetting, name: string): CspSetting | false | undefined {
  if (name === 'Content-Security-Policy') return setting.contentSecurityPolicy
  return name === 'Content-Security-Policy-Report-Only' ? setting.contentSecurityPolicyReportOnly : undefined
}

function endpointsValue(endpoints: Readonly<Record<string, string>>): string {
  return Object.entries(endpoints)
    .map(([name, url]) => `${name}="${url}"`)
    .join(', ')
}
