// How `transport` is described and proved.

import type { Resolved } from '../../guard/cell.ts'
import type { Entry, Finding, Observation, Place, Probe, Section } from '../../guard/control.ts'
import { headerValues, sameForAll, sampleRequest } from '../faces.ts'
import { hstsValue, PRELOAD_MIN_SECONDS, type TransportSetting } from './setting.ts'

type Cells = readonly Resolved<TransportSetting>[]

export function describeTransport(cells: Cells, place: Place): Section {
  const entries: Entry[] = [
    ...sameForAll(
      cells,
      'TLS',
      ({ tls, minVersion }) =>
        tls === 'here'
          ? `ends at this listener, ${minVersion} or newer`
          : 'ends at the front of this service',
      'Nothing of a request or an answer can be read or changed on the way.',
    ),
    ...sameForAll(
      cells,
      'Plain HTTP',
      ({ plainHttp }) =>
        plainHttp === 'redirect' ? '308 for GET and HEAD without credentials, else 403' : '403',
      'A credential sent in clear is exposed, and a redirect would hide that.',
    ),
    ...sameForAll(
      cells,
      'Strict-Transport-Security',
      (setting) => (setting.hsts === false ? 'never sent' : hstsValue(setting)),
      (value) =>
        value === 'never sent'
          ? 'It is left to the front, and an application’s own is removed.'
          : `Browsers speak HTTPS only to this host for as long${value.includes('includeSubDomains') ? ', and to its subdomains' : ''}${value.includes('preload') ? '; with the built-in list even on the first visit' : ''}.`,
    ),
  ]
  return { control: 'transport', id: 'SP-TLS-01', title: 'Transport', entries, limits: limits(cells, place) }
}

function limits(cells: Cells, place: Place): readonly string[] {
  const found: string[] = []
  const has = (test: (setting: TransportSetting) => boolean) => cells.some(({ setting }) => test(setting))
  if (has(({ tls }) => tls === 'in-front'))
    found.push(
      'TLS versions and the refusal of plain HTTP are the duty of the front; here they are judged only from what declared proxies forward.',
    )
  if (place === 'fetch' && has(({ tls }) => tls === 'here'))
    found.push(
      'The host ends TLS, so its versions are the host’s; plain HTTP is judged by the URL that it hands over.',
    )
  if (has(({ hsts }) => hsts === undefined))
    found.push('The policy says nothing of Strict-Transport-Security there, so it is the application’s own.')
  if (has(({ mode }) => mode === 'off')) found.push('Where the control is off, nothing of this holds.')
  if (has(({ mode }) => mode === 'report'))
    found.push('In report mode nothing is refused or changed: what would have been is only counted.')
  return found
}

export function probeTransport(cells: Cells): readonly Probe[] {
  return cells
    .filter(({ setting }) => (setting.mode ?? 'enforce') === 'enforce' && setting.hsts !== undefined)
    .map(({ cell, setting }) => {
      const value = hstsValue(setting)
      return {
        id: `transport/hsts ${cell.id}`,
        title:
          value === undefined
            ? 'no answer carries Strict-Transport-Security'
            : `every answer carries Strict-Transport-Security: ${value}`,
        cell: cell.id,
        request: sampleRequest(cell),
        expect: (seen: Observation) => [...judgePlain(setting, seen), ...judgeHsts(setting, value, seen)],
      }
    })
}

// Where TLS ends here, an answer seen over plain HTTP is a refusal or a redirect to HTTPS, never content.
function judgePlain(setting: TransportSetting, seen: Observation): readonly Finding[] {
  if (seen.encrypted || setting.tls !== 'here') return []
  const location = headerValues(seen, 'location')[0] ?? ''
  const redirected = seen.status === 308 && /^https:\/\//i.test(location)
  if (seen.status === 403 || (redirected && setting.plainHttp === 'redirect')) return []
  return [
    redirected
      ? { id: 'http.api-redirect', detail: `308 to ${location}`, mend: 'answer plain HTTP with 403' }
      : {
          id: 'http.cleartext',
          detail: `plain HTTP is answered with ${seen.status}`,
          mend: 'answer plain HTTP with 403',
        },
  ]
}

/** Judges the header by meaning: `value` is what must be seen, `undefined` where it must not be there. */
export function judgeHsts(
  setting: TransportSetting,
  value: string | undefined,
  seen: Observation,
): readonly Finding[] {
  const mend = `Strict-Transport-Security: ${value}`
  const found = headerValues(seen, 'strict-transport-security')
  if (value === undefined)
    return found.length === 0
      ? []
      : [{ id: 'drift.header-extra', detail: found.join(' | '), mend: 'remove Strict-Transport-Security' }]
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
  if (observed.preload && (!observed.sub || observed.maxAge < PRELOAD_MIN_SECONDS))
    return [{ id: 'hsts.preload-inconsistent', detail: found[0]!, mend }]
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
