// Puts the fixed headers on every answer, and takes away what is deliberately not set.

import type { EmitStage } from '../../guard/control.ts'
import { type Lines, lines } from '../../guard/lines.ts'
import { type CspSetting, cspValue, usesNonce } from './csp.ts'
import type { HeadersSetting } from './setting.ts'

/** The headers in the order in which they are sent: name, and the value that a setting gives. */
export const FIXED: readonly (readonly [
  name: string,
  valueOf: (setting: HeadersSetting) => string | false | undefined,
])[] = [
  ['X-Content-Type-Options', (s) => s.contentTypeOptions],
  ['X-Frame-Options', (s) => s.frameOptions],
  ['Referrer-Policy', (s) => s.referrerPolicy && s.referrerPolicy.join(', ')],
  ['X-DNS-Prefetch-Control', (s) => s.dnsPrefetchControl],
  ['Content-Security-Policy', (s) => s.contentSecurityPolicy && cspValue(s.contentSecurityPolicy)],
  [
    'Content-Security-Policy-Report-Only',
    (s) => s.contentSecurityPolicyReportOnly && cspValue(s.contentSecurityPolicyReportOnly),
  ],
  ['Permissions-Policy', (s) => s.permissionsPolicy && permissionsValue(s.permissionsPolicy)],
  ['Cross-Origin-Resource-Policy', (s) => s.crossOriginResourcePolicy],
  ['Cross-Origin-Opener-Policy', (s) => s.crossOriginOpenerPolicy],
  ['Cross-Origin-Embedder-Policy', (s) => s.crossOriginEmbedderPolicy],
  ['Origin-Agent-Cluster', (s) => s.originAgentCluster],
  ['X-Permitted-Cross-Domain-Policies', (s) => s.permittedCrossDomainPolicies],
  ['Reporting-Endpoints', (s) => s.reportingEndpoints && endpointsValue(s.reportingEndpoints)],
]

export function emitHeaders(setting: HeadersSetting): EmitStage {
  const owns: string[] = Object.keys(setting.strip ?? {})
  const fixed: [string, string][] = []
  for (const [name, valueOf] of FIXED) {
    const value = valueOf(setting)
    if (value === undefined) continue
    owns.push(name.toLowerCase())
    if (value !== false && !nonced(setting, name)) fixed.push([name, value])
  }
  const perNonce = (['Content-Security-Policy', 'Content-Security-Policy-Report-Only'] as const).filter(
    (name) => nonced(setting, name),
  )
  if (perNonce.length === 0) return { owns, fixed: lines(fixed) }
  return {
    owns,
    fixed: lines(fixed),
    perAnswer: (exchange): Lines =>
      lines(
        perNonce.map((name) => [name, cspValue(cspOf(setting, name) as CspSetting, exchange.nonce)] as const),
      ),
  }
}

function nonced(setting: HeadersSetting, name: string): boolean {
  const csp = cspOf(setting, name)
  return csp ? usesNonce(csp) : false
}

function cspOf(setting: HeadersSetting, name: string): CspSetting | false | undefined {
  if (name === 'Content-Security-Policy') return setting.contentSecurityPolicy
  return name === 'Content-Security-Policy-Report-Only' ? setting.contentSecurityPolicyReportOnly : undefined
}

/** A structured dictionary (RFC 9651): `camera=(), fullscreen=(self "https://app.example")`. */
export function permissionsValue(features: Readonly<Record<string, readonly string[]>>): string {
  return Object.entries(features)
    .map(([feature, allowed]) =>
      allowed.includes('*')
        ? `${feature}=*`
        : `${feature}=(${allowed.map((who) => (who.startsWith('https:') ? `"${who}"` : who)).join(' ')})`,
    )
    .join(', ')
}

function endpointsValue(endpoints: Readonly<Record<string, string>>): string {
  return Object.entries(endpoints)
    .map(([name, url]) => `${name}="${url}"`)
    .join(', ')
}
