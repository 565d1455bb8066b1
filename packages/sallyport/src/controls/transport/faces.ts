// How `transport` is described, proved and compared.

import type { Resolved } from '../../guard/cell.ts'
import type { Change, Entry, Finding, Observation, Probe, Section } from '../../guard/control.ts'
import { headerValues, sameForAll, samplePath } from '../faces.ts'
import { hstsValue, PRELOAD_MIN_SECONDS, type TransportSetting } from './setting.ts'

type Cells = readonly Resolved<TransportSetting>[]

export function describeTransport(cells: Cells): Section {
  const { setting } = cells.at(-2)!
  const entries: Entry[] = [
    {
      name: 'TLS',
      value:
        setting.tls === 'here'
          ? `ends at this listener, ${setting.minVersion} or newer`
          : 'ends at the front of this service',
      why: 'Nothing of a request or an answer can be read or changed on the way.',
      cells: [],
    },
    {
      name: 'Plain HTTP',
      value: setting.plainHttp === 'redirect' ? '308 for GET and HEAD without credentials, else 403' : '403',
      why: 'A credential sent in clear is exposed; a redirect would hide that.',
      cells: [],
    },
    ...sameForAll(
      cells,
      'Strict-Transport-Security',
      (each) => hstsValue(each),
      'Browsers never connect over plain HTTP again.',
    ),
  ]
  const limits =
    setting.tls === 'in-front'
      ? [
          'TLS versions and the refusal of plain HTTP are the duty of the front; they are judged here only from what declared proxies forward.',
        ]
      : []
  return { control: 'transport', id: 'SP-TLS-01', title: 'Transport', entries, limits }
}

export function probeTransport(cells: Cells): readonly Probe[] {
  return cells
    .filter(({ cell }) => cell.origin !== 'strict')
    .flatMap(({ cell, setting }) => {
      const value = hstsValue(setting)
      if (value === undefined) return []
      return [
        {
          id: `transport/hsts ${cell.id}`,
          title: `every answer carries Strict-Transport-Security: ${value}`,
          cell: cell.id,
          request: { method: cell.method ?? 'GET', path: samplePath(cell.path), headers: [] },
          expect: (seen: Observation) => judgeHsts(setting, value, seen),
        },
      ]
    })
}

function judgeHsts(setting: TransportSetting, value: string, seen: Observation): readonly Finding[] {
  const mend = `Strict-Transport-Security: ${value}`
  const found = headerValues(seen, 'strict-transport-security')
  // RFC 6797, section 7.2: not sent over plain HTTP where TLS ends here.
  if (!seen.encrypted && setting.tls === 'here') return []
  if (found.length === 0) return [{ id: 'hsts.missing', detail: 'the header is missing', mend }]
  if (found.length > 1) return [{ id: 'hsts.duplicate', detail: `${found.length} lines`, mend }]
  const observed = parseHsts(found[0]!)
  if (!observed) return [{ id: 'hsts.malformed', detail: found[0]!, mend }]
  const hsts = setting.hsts
  if (!hsts) return []
  if (observed.maxAge === 0 && hsts.maxAgeSeconds !== 0)
    return [{ id: 'hsts.disabled', detail: found[0]!, mend }]
  if (observed.maxAge < (hsts.maxAgeSeconds ?? 0))
    return [{ id: 'hsts.short-max-age', detail: found[0]!, mend }]
  if (hsts.includeSubDomains && !observed.sub) return [{ id: 'hsts.no-subdomains', detail: found[0]!, mend }]
  if (hsts.preload && !observed.preload) return [{ id: 'drift.header-value', detail: found[0]!, mend }]
  return []
}

/** Reads the header as a browser does: RFC 6797, section 6.1; `undefined` where it would be ignored. */
export function parseHsts(value: string): { maxAge: number; sub: boolean; preload: boolean } | undefined {
  let maxAge: number | undefined
  let sub = false
  let preload = false
  const names = new Set<string>()
  for (const part of value.split(';')) {
    const directive = part.trim()
    if (directive === '') continue
    const equals = directive.indexOf('=')
    const name = (equals < 0 ? directive : directive.slice(0, equals)).trim().toLowerCase()
    if (names.has(name)) return undefined
    names.add(name)
    const argument = equals < 0 ? undefined : directive.slice(equals + 1).trim()
    if (name === 'max-age') {
      const match = argument === undefined ? null : /^(?:"(\d+)"|(\d+))$/.exec(argument)
      if (!match) return undefined
      maxAge = Number(match[1] ?? match[2])
    } else if (name === 'includesubdomains') sub = true
    else if (name === 'preload') preload = true
  }
  return maxAge === undefined ? undefined : { maxAge, sub, preload }
}

/** HSTS is the vector (max-age, subdomains, effective preload), compared part by part. */
export function compareTransport(before: TransportSetting, after: TransportSetting): readonly Change[] {
  const changes: Change[] = []
  const order = <T>(
    what: string,
    a: T,
    b: T,
    rank: (value: T) => number,
    weaker: string,
    stronger: string,
  ) => {
    const difference = rank(b) - rank(a)
    if (difference !== 0)
      changes.push({
        what,
        strength: difference > 0 ? 'stronger' : 'weaker',
        because: difference > 0 ? stronger : weaker,
      })
  }
  const hstsOf = (setting: TransportSetting) => (setting.hsts ? setting.hsts : undefined)
  const a = hstsOf(before)
  const b = hstsOf(after)
  const age = (hsts: typeof a) =>
    hsts === undefined ? 0.5 : hsts.maxAgeSeconds === 0 ? 0 : (hsts.maxAgeSeconds ?? 0) + 1
  order(
    'hsts.maxAgeSeconds',
    a,
    b,
    age,
    'a browser may be led to plain HTTP sooner after its last visit',
    'browsers insist on HTTPS for longer',
  )
  order(
    'hsts.includeSubDomains',
    a,
    b,
    (hsts) => (hsts?.includeSubDomains && hsts.maxAgeSeconds ? 1 : 0),
    'a subdomain can be reached over plain HTTP',
    'subdomains are covered as well',
  )
  const preloads = (hsts: typeof a) =>
    hsts?.preload && hsts.includeSubDomains && (hsts.maxAgeSeconds ?? 0) >= PRELOAD_MIN_SECONDS ? 1 : 0
  order(
    'hsts.preload',
    a,
    b,
    preloads,
    'the very first visit can be taken over plain HTTP',
    'the very first visit is HTTPS',
  )
  order(
    'minVersion',
    before.minVersion,
    after.minVersion,
    (version) => (version === 'TLSv1.2' ? 0 : 1),
    'a client may negotiate TLS 1.2',
    'TLS 1.2 is refused',
  )
  order(
    'plainHttp',
    before.plainHttp,
    after.plainHttp,
    (value) => (value === 'redirect' ? 0 : 1),
    'a request over plain HTTP is redirected instead of refused',
    'plain HTTP is refused',
  )
  if (before.tls !== after.tls)
    changes.push({
      what: 'tls',
      strength: 'incomparable',
      because: 'TLS ends at another place, whose strength is not in this policy',
    })
  return changes
}
