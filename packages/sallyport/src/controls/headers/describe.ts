// How `headers` stands on the posture page: each value with the reason, what is left out on purpose, what can't be done.

import type { Resolved } from '../../guard/cell.ts'
import type { Entry, Place, Section } from '../../guard/control.ts'
import { sameForAll } from '../faces.ts'
import { FIXED, type HeaderField } from './enforce.ts'
import { type HeadersSetting, strippedNames } from './setting.ts'

type Cells = readonly Resolved<HeadersSetting>[]

/** Why a header is sent. */
const WHY: Readonly<Record<HeaderField, string>> = {
  contentTypeOptions:
    'A browser takes an answer only for what its Content-Type says, never for what its bytes look like.',
  frameOptions: 'No page of another site can put an answer in a frame and lead a user to click on it.',
  referrerPolicy:
    'URLs of the API can hold identifiers; pages that a user goes on to learn no more than this.',
  dnsPrefetchControl:
    'A browser does not tell its resolver which links stand in an answer before anybody follows one.',
  contentSecurityPolicy:
    'Should an answer ever be shown as a page, it may do nothing beyond this: injected markup stays without effect.',
  contentSecurityPolicyReportOnly:
    'A stricter policy on trial: violations are reported, nothing is blocked by it.',
  permissionsPolicy:
    'Sensors, devices and other powers of the browser that no answer of an API needs are switched off.',
  crossOriginResourcePolicy:
    'Says which pages may load an answer without CORS, as an image or a script, into their own process.',
  crossOriginOpenerPolicy: 'A page that opens an answer in a window loses its hold on that window.',
  crossOriginEmbedderPolicy: 'A document among the answers embeds only what agreed to be embedded.',
  originAgentCluster: 'Documents of this origin share no process with those of sibling subdomains.',
  permittedCrossDomainPolicies: 'Old plugins and document readers get no cross-domain policy from here.',
  reportingEndpoints: 'Browsers know where to report violations.',
}

/** Why a header is left out; where the reason differs from header to header. */
const WHY_NOT: Readonly<Partial<Record<HeaderField, string>>> = {
  contentSecurityPolicy:
    'The answers are data, not pages, and what they may do as pages is left to the client.',
  crossOriginEmbedderPolicy:
    'It governs documents that embed others; an API’s answers embed nothing, so it would only promise what is not there.',
  crossOriginOpenerPolicy: 'It governs windows; an API’s answers are not opened in one.',
  frameOptions: 'frame-ancestors of the Content-Security-Policy says the same, and decides in every browser.',
  originAgentCluster: 'An API’s answers run no scripts, so there is nothing to keep apart.',
}

export function describeHeaders(cells: Cells, place: Place): Section {
  return {
    control: 'headers',
    id: 'SP-HEADERS-01',
    title: 'Security headers',
    entries: [coverage(place), ...sent(cells), ...leftOut(cells)],
    limits: limits(cells, place),
  }
}

function coverage(place: Place): Entry {
  const handlers =
    '2xx to 5xx, HEAD and OPTIONS, redirects, errors, streams, thrown exceptions, refusals by the policy itself'
  return {
    name: 'Answers that carry them',
    value:
      place === 'fetch'
        ? `${handlers}; not what the host answers before it calls the handler`
        : `${handlers}, and the answers of Node’s own parser (400, 408, 413, 417, 431)`,
    why: 'Each header stands exactly once, with this value, whatever the application or an upstream sets or removes.',
    cells: [],
  }
}

function sent(cells: Cells): Entry[] {
  return FIXED.flatMap(([name, valueIn, field]) =>
    sameForAll(cells, name, (setting) => valueIn(setting) || undefined, WHY[field]),
  )
}

const NEVER = 'never sent'

function leftOut(cells: Cells): Entry[] {
  const entries = FIXED.flatMap(([name, , field]) =>
    sameForAll(
      cells,
      name,
      (setting) => (setting[field] === false ? NEVER : undefined),
      WHY_NOT[field] ?? 'It is left out on purpose, and an application’s own is removed.',
    ),
  )
  const names = [...new Set(cells.flatMap(({ setting }) => strippedNames(setting)))]
  for (const name of names)
    for (const { why, cells: ids } of sameForAll(
      cells,
      name,
      ({ strip }) => (strip ? strip[name] || undefined : undefined),
      (reason) => reason,
    ))
      entries.push({ name: spelled(name), value: NEVER, why, cells: ids })
  return entries
}

const SPELLINGS = new Map(
  [
    'X-AspNet-Version',
    'X-AspNetMvc-Version',
    'X-XSS-Protection',
    'Expect-CT',
    'SourceMap',
    'X-SourceMap',
  ].map((name) => [name.toLowerCase(), name]),
)

/** A header name as it is usually written. */
function spelled(name: string): string {
  return SPELLINGS.get(name) ?? name.replace(/(?:^|-)[a-z]/g, (start) => start.toUpperCase())
}

function limits(cells: Cells, place: Place): readonly string[] {
  const found: string[] = []
  if (place === 'fetch')
    found.push(
      'Requests that the host refuses before it calls the handler (malformed, too large, too slow) are answered by the host, with its own headers.',
    )
  found.push(
    'The answer to a protocol upgrade (101) is written by the application; browsers ignore these headers there.',
  )
  const left = FIXED.filter(([, , field]) => cells.some(({ setting }) => setting[field] === undefined))
  if (left.length > 0)
    found.push(
      `The policy says nothing of these, so they are the application’s own: ${left.map(([name]) => name).join(', ')}.`,
    )
  if (cells.some(({ setting }) => setting.frameOptions && setting.contentSecurityPolicy === undefined))
    found.push(
      'Where the Content-Security-Policy is left to the application, a frame-ancestors of its own would decide instead of X-Frame-Options.',
    )
  if (cells.some(({ setting }) => setting.mode === 'report'))
    found.push('In report mode nothing is changed: what would have been is only counted.')
  if (cells.some(({ setting }) => setting.mode === 'off'))
    found.push('Where the control is off, nothing of this holds.')
  return found
}
