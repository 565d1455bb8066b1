// Content-Security-Policy and framing, as a browser takes them: several policies hold together, a directive's fallback
// counts, a nonce or hash cancels 'unsafe-inline' (CSP Level 3).

import { headerValues } from '../../controls/faces.ts'
import { type CspSetting, parseCsp } from '../../controls/headers/csp.ts'
import type { WireAnswer } from '../wire/send.ts'
import type { Graded, Weighed } from './context.ts'

const FOR_DATA = "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'"
const FOR_PAGES =
  "Content-Security-Policy: default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"

/** Judges the policy of a document in full, that of data by presence alone. */
export function judgeCsp({ answer, context }: Graded): readonly Weighed[] {
  const isDocument = context === 'document'
  const found: Weighed[] = []
  for (const legacy of ['x-content-security-policy', 'x-webkit-csp'])
    if (
      headerValues(answer, legacy).length > 0 &&
      headerValues(answer, 'content-security-policy').length === 0
    )
      found.push({ id: 'csp.legacy-header', detail: legacy, mend: FOR_PAGES })
  const values = headerValues(answer, 'content-security-policy')
  if (values.length === 0) {
    const trial = headerValues(answer, 'content-security-policy-report-only')
    if (trial.length > 0)
      found.push({ id: 'csp.report-only', detail: trial[0]!, mend: 'send it as Content-Security-Policy' })
    else if (context !== 'redirect' && context !== 'asset')
      found.push({
        id: 'csp.missing',
        detail: 'no Content-Security-Policy',
        mend: isDocument ? FOR_PAGES : FOR_DATA,
        ...(isDocument ? {} : { severity: 'low' as const }),
      })
    return found
  }
  const observed = parseCsp(values)
  const policies = observed.map(({ csp }) => csp)
  for (const name of observed.flatMap(({ unknown }) => unknown))
    found.push({ id: 'csp.unknown-directive', detail: name, mend: `remove ${name}, or mend its spelling` })
  if (!isDocument) return found
  // What one policy forbids is forbidden: a weakness counts only where every policy has it.
  const every = (has: (policy: CspSetting) => boolean) => policies.every(has)
  const scripts = (policy: CspSetting) => policy['script-src'] ?? policy['default-src'] ?? ['*']
  const isInline = (sources: readonly string[]) =>
    sources.includes("'unsafe-inline'") &&
    !sources.some((source) => /^'(?:nonce|sha(?:256|384|512)-|strict-dynamic)/i.test(source))
  const say = (id: string, detail: string, mend: string) => found.push({ id, detail, mend })
  if (every((policy) => isInline(scripts(policy))))
    say('csp.unsafe-inline', scripts(policies[0]!).join(' '), "script-src 'nonce-…'")
  if (every((policy) => scripts(policy).includes("'unsafe-eval'")))
    say('csp.unsafe-eval', scripts(policies[0]!).join(' '), "script-src without 'unsafe-eval'")
  const isWide = (sources: readonly string[]) =>
    sources.some((source) => /^(?:\*|https?:|data:|wss?:)$/i.test(source)) &&
    !sources.some((source) => /strict-dynamic/i.test(source))
  if (every((policy) => isWide(scripts(policy))))
    say('csp.wildcard', scripts(policies[0]!).join(' '), "script-src 'self'")
  const objects = (policy: CspSetting) => policy['object-src'] ?? policy['default-src']
  if (every((policy) => objects(policy) === undefined))
    say('csp.no-object-src', 'plugins are not restricted', "object-src 'none'")
  if (every((policy) => policy['base-uri'] === undefined))
    say('csp.no-base-uri', 'base-uri has no fallback', "base-uri 'none'")
  if (
    answer.encrypted &&
    policies.some((policy) =>
      Object.values(policy).some((sources) => sources.some((source) => /^http:\/\//i.test(source))),
    )
  )
    say('csp.http-source', 'a source in clear on an encrypted page', 'name the source with https:')
  return found
}

/** Who may frame an answer: frame-ancestors decides, X-Frame-Options where it is missing. */
export function judgeFraming({ answer, context }: Graded): readonly Weighed[] {
  if (context === 'redirect' || context === 'asset' || context === 'preflight') return []
  const policies = parseCsp(headerValues(answer, 'content-security-policy'))
  const xfo = headerValues(answer, 'x-frame-options')
    .flatMap((value) => value.split(','))
    .map((value) => value.trim().toUpperCase())
  const isDocument = context === 'document'
  if (policies.some(({ csp }) => csp['frame-ancestors'] !== undefined)) return []
  const found: Weighed[] = []
  const valid = xfo.filter((value) => value === 'DENY' || value === 'SAMEORIGIN')
  if (xfo.length > 0 && (valid.length === 0 || new Set(xfo).size > 1))
    found.push({ id: 'xfo.invalid', detail: xfo.join(', '), mend: 'X-Frame-Options: DENY' })
  if (valid.length === 0)
    found.push({
      id: 'framing.missing',
      detail: 'any page may frame this answer',
      mend: isDocument ? "Content-Security-Policy: frame-ancestors 'none'" : 'X-Frame-Options: DENY',
      ...(isDocument ? {} : { severity: 'low' as const }),
    })
  else if (isDocument && policies.length > 0)
    found.push({
      id: 'csp.no-frame-ancestors',
      detail: 'only X-Frame-Options says who may frame',
      mend: "frame-ancestors 'none'",
      severity: 'low',
    })
  return found
}

/** The nonces of an answer, to see whether one comes again. */
export function noncesOf(answer: WireAnswer): readonly string[] {
  return parseCsp(headerValues(answer, 'content-security-policy')).flatMap(({ nonces }) => nonces)
}
