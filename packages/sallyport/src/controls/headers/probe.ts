// What `headers` claims, proved on an answer by meaning: as a browser reads the lines, not as strings.

import type { CellInfo, Resolved } from '../../guard/cell.ts'
import type { Finding, Observation, Probe } from '../../guard/control.ts'
import { headerValues, sampleRequest, verdictOf } from '../faces.ts'
import { type CspSetting, parseCsp } from './csp.ts'
import { compareCsp } from './csp-compare.ts'
import { FIXED, type HeaderField } from './enforce.ts'
import { framingOf, framingSurplus, observedFraming } from './framing.ts'
import { COEP, COOP, CORP, compareWords, type WordOrder } from './orders.ts'
import { comparePermissions, parsePermissions } from './permissions.ts'
import { compareReferrer, DEFAULT_REFERRER_POLICY, effectiveReferrerPolicy } from './referrer.ts'
import { type HeadersSetting, strippedNames } from './setting.ts'

type Judge = (lines: readonly string[], wanted: Wanted) => readonly Finding[]

interface Wanted {
  readonly name: string
  readonly value: string
  readonly setting: HeadersSetting
  readonly seen: Observation
  /** Nonces seen in this run, and where. */
  readonly nonces: Map<string, Observation>
}

export function probeHeaders(cells: readonly Resolved<HeadersSetting>[]): readonly Probe[] {
  const nonces = new Map<string, Observation>()
  return cells.flatMap(({ cell, setting }) =>
    (setting.mode ?? 'enforce') === 'enforce'
      ? [
          ...FIXED.flatMap(([name, valueIn, field]) =>
            headerProbes(cell, setting, name, valueIn(setting), field, nonces),
          ),
          ...stripProbe(cell, setting),
        ]
      : [],
  )
}

function headerProbes(
  cell: CellInfo,
  setting: HeadersSetting,
  name: string,
  value: string | false | undefined,
  field: HeaderField,
  nonces: Map<string, Observation>,
): readonly Probe[] {
  if (value === undefined) return []
  const id = `headers/${name.toLowerCase()} ${cell.id}`
  if (value === false)
    return [
      {
        id,
        title: `${name} is never sent`,
        cell: cell.id,
        request: sampleRequest(cell),
        expect: (seen) => absent(seen, [name.toLowerCase()]),
      },
    ]
  const probe: Probe = {
    id,
    title: `${name} stands once and means "${value}"`,
    cell: cell.id,
    request: sampleRequest(cell),
    expect: (seen) => judgeLine(setting, name, value, field, seen, nonces),
  }
  // A nonce is seen to be fresh on two answers only.
  return value.includes("'nonce'") ? [probe, { ...probe, id: `${id} again` }] : [probe]
}

/**
 * Judges one header of an answer by meaning, against the setting of its cell.
 *
 * @param name in small letters
 * @param nonces those seen in this run, and where
 */
export function judgeHeader(
  setting: HeadersSetting,
  name: string,
  seen: Observation,
  nonces: Map<string, Observation>,
): readonly Finding[] {
  const known = FIXED.find(([each]) => each.toLowerCase() === name)
  const value = known?.[1](setting)
  return known === undefined || value === undefined || value === false
    ? absent(seen, [name])
    : judgeLine(setting, known[0], value, known[2], seen, nonces)
}

function judgeLine(
  setting: HeadersSetting,
  name: string,
  value: string,
  field: HeaderField,
  seen: Observation,
  nonces: Map<string, Observation>,
): readonly Finding[] {
  const lines = headerValues(seen, name.toLowerCase())
  if (lines.length === 0) return [missing(field, name, value, seen)]
  const found = JUDGES[field](lines, { name, value, setting, seen, nonces })
  if (found.length > 0 || lines.length === 1) return found
  return [
    finding('header.conflict', `${name} stands ${lines.length} times: ${lines.join(' | ')}`, name, value),
  ]
}

function finding(id: string, detail: string, name: string, value: string): Finding {
  return { id, detail, mend: `${name}: ${value}` }
}

function missing(field: HeaderField, name: string, value: string, seen: Observation): Finding {
  const reportOnly = headerValues(seen, 'content-security-policy-report-only').length > 0
  if (field === 'contentSecurityPolicy' && reportOnly)
    return finding('csp.report-only', 'only a policy that reports is sent', name, value)
  const ids: Partial<Record<HeaderField, string>> = {
    contentTypeOptions: 'xcto.missing',
    frameOptions: 'framing.missing',
    contentSecurityPolicy: 'csp.missing',
    referrerPolicy: 'referrer.missing',
    crossOriginOpenerPolicy: 'coop.missing',
  }
  return finding(ids[field] ?? 'drift.header-missing', `${name} is missing`, name, value)
}

function differs(
  lines: readonly string[],
  { name, value }: Wanted,
  id = 'drift.header-value',
): readonly Finding[] {
  return [finding(id, `${name} is ${lines.join(' | ') || 'empty'}`, name, value)]
}

/** Fetch standard, section 2.2.2 ("get, decode, and split"): lines joined by commas. */
function members(lines: readonly string[]): readonly string[] {
  return lines.flatMap((line) => line.split(',')).map((member) => member.trim())
}

// The tokens of these headers are structured items: case matters, and a list is no item.
function token(order: WordOrder, what: string, invalid?: string): Judge {
  return (lines, wanted) => {
    const [word = ''] = lines.length === 1 ? (lines[0] ?? '').split(';') : []
    const known = Object.hasOwn(order.above, word.trim()) || word.trim() === order.absent
    if (!known) return differs(lines, wanted, invalid)
    const verdict = verdictOf(compareWords(what, order)(wanted.value, word.trim()))
    return verdict === 'neutral' || verdict === 'stronger' ? [] : differs(lines, wanted)
  }
}

const exact: Judge = (lines, wanted) =>
  lines.every((line) => line.trim() === wanted.value) ? [] : differs(lines, wanted)

const JUDGES: Readonly<Record<HeaderField, Judge>> = {
  // Fetch standard, section 2.2.6: the first member counts, in any case.
  contentTypeOptions: (lines, wanted) =>
    members(lines)[0]?.toLowerCase() === 'nosniff' ? [] : differs(lines, wanted, 'xcto.invalid'),
  frameOptions(lines, wanted) {
    const words = new Set(members(lines).map((word) => word.toUpperCase()))
    if (words.size !== 1 || !(words.has('DENY') || words.has('SAMEORIGIN')))
      return differs(lines, wanted, 'xfo.invalid')
    const csp = headerValues(wanted.seen, 'content-security-policy')
    const more = framingSurplus(framingOf(wanted.setting) ?? [], observedFraming(csp, lines))
    return more === undefined ? [] : differs(lines, wanted)
  },
  referrerPolicy(lines, wanted) {
    const observed = effectiveReferrerPolicy(lines)
    if (observed === undefined) return differs(lines, wanted, 'referrer.invalid')
    const declared = effectiveReferrerPolicy([wanted.value]) ?? DEFAULT_REFERRER_POLICY
    const verdict = verdictOf(compareReferrer(declared, observed))
    if (verdict === 'neutral' || verdict === 'stronger') return []
    const unsafe = ['unsafe-url', 'no-referrer-when-downgrade'].includes(observed)
    return differs(lines, wanted, unsafe ? 'referrer.unsafe' : 'drift.header-value')
  },
  dnsPrefetchControl: (lines, wanted) =>
    lines.every((line) => line.trim().toLowerCase() === wanted.value) ? [] : differs(lines, wanted),
  contentSecurityPolicy: judgeCsp,
  contentSecurityPolicyReportOnly: judgeCsp,
  permissionsPolicy(lines, wanted) {
    const observed = parsePermissions(lines.join(', '))
    if (!observed) return differs(lines, wanted, 'permissions.invalid')
    const worse = comparePermissions(wanted.setting.permissionsPolicy || {}, observed).find(
      ({ strength }) => strength === 'weaker' || strength === 'incomparable',
    )
    return worse ? [finding('drift.header-value', worse.because, wanted.name, wanted.value)] : []
  },
  crossOriginResourcePolicy: token(CORP, 'crossOriginResourcePolicy', 'corp.invalid'),
  crossOriginOpenerPolicy: token(COOP, 'crossOriginOpenerPolicy'),
  crossOriginEmbedderPolicy: token(COEP, 'crossOriginEmbedderPolicy'),
  originAgentCluster: exact,
  permittedCrossDomainPolicies: exact,
  reportingEndpoints: exact,
}

function judgeCsp(lines: readonly string[], wanted: Wanted): readonly Finding[] {
  const reportOnly = wanted.name.endsWith('Report-Only')
  const declared = (
    reportOnly ? wanted.setting.contentSecurityPolicyReportOnly : wanted.setting.contentSecurityPolicy
  ) as CspSetting
  const observed = parseCsp(lines)
  const findings: Finding[] = []
  const note = (id: string, detail: string) => findings.push(finding(id, detail, wanted.name, wanted.value))
  for (const { unknown } of observed)
    if (unknown.length > 0) note('csp.unknown-directive', `browsers know no directive ${unknown.join(', ')}`)
  for (const nonce of observed.flatMap(({ nonces }) => nonces)) {
    const before = wanted.nonces.get(nonce)
    if (before !== undefined && before !== wanted.seen)
      note('csp.static-nonce', 'two answers carry the same nonce')
    wanted.nonces.set(nonce, wanted.seen)
    // CSP3, section 8.1: at least 128 bits, so 22 characters of base64.
    if (nonce.length < 22) note('csp.static-nonce', 'the nonce is too short to be unguessable')
  }
  const policies = observed.map(({ csp }) => csp)
  for (const { strength, because } of compareCsp([declared], policies))
    if (strength === 'weaker' || strength === 'incomparable') note('drift.header-value', because)
  const framed = declared['frame-ancestors'] ? framingSurplus([declared], policies) : undefined
  if (framed !== undefined && !reportOnly) note('csp.no-frame-ancestors', `framing: ${framed}`)
  return findings
}

const LEAK_IDS: Readonly<Record<string, string>> = {
  server: 'leak.server-version',
  'x-powered-by': 'leak.framework',
  'x-aspnet-version': 'leak.framework',
  'x-aspnetmvc-version': 'leak.framework',
  'x-generator': 'leak.framework',
  'x-debug-token': 'leak.debug-header',
  'x-debug-token-link': 'leak.debug-header',
  'x-chromelogger-data': 'leak.debug-header',
  'x-chromephp-data': 'leak.debug-header',
}

function stripProbe(cell: CellInfo, setting: HeadersSetting): readonly Probe[] {
  const names = strippedNames(setting)
  if (names.length === 0) return []
  return [
    {
      id: `headers/strip ${cell.id}`,
      title: 'none of the headers that are left out on purpose is there',
      cell: cell.id,
      request: sampleRequest(cell),
      expect: (seen) => absent(seen, names),
    },
  ]
}

function absent(seen: Observation, names: readonly string[]): readonly Finding[] {
  return names.flatMap((name) => {
    const lines = headerValues(seen, name)
    if (lines.length === 0) return []
    const id = Object.hasOwn(LEAK_IDS, name) ? LEAK_IDS[name]! : 'drift.header-extra'
    return [{ id, detail: `${name}: ${lines.join(' | ')}`, mend: `remove the line ${name}` }]
  })
}
