// What proves `cors` from outside: one preflight or request for each class, look-alikes of the listed origins, and
// what must be left alone.

import type { Resolved } from '../../guard/cell.ts'
import type { Finding, Observation, Probe, ProbeRequest } from '../../guard/control.ts'
import { headerValues, samplePath } from '../faces.ts'
import { OWNED } from './enforce.ts'
import { exampleOrigin, lookAlikes } from './examples.ts'
import { compilePatterns } from './matcher.ts'
import { sameNames } from './name-list.ts'
import { isOriginFault, type ListedOrigin, parseOrigin } from './origin.ts'
import { type CorsSetting, type FullCorsSetting, fullSetting, isOpen } from './setting.ts'

/** An origin that no policy lists: the name is kept from registration (RFC 2606). */
const FOREIGN = 'https://sallyport-probe.invalid'

export function probeCors(cells: readonly Resolved<CorsSetting>[]): readonly Probe[] {
  return cells.flatMap((resolved) => {
    const full =
      (resolved.setting.mode ?? 'enforce') === 'enforce' ? fullSetting(resolved.setting) : undefined
    return full && resolved.cell.origin !== 'strict' ? cellProbes(full, resolved) : []
  })
}

function cellProbes(full: FullCorsSetting, { cell }: Resolved<CorsSetting>): readonly Probe[] {
  const open = isOpen(full, cell)
  const varies = full.origins.length > 0
  const path = samplePath(cell.path)
  const method = cell.method ?? 'GET'
  const probe = (
    id: string,
    title: string,
    request: ProbeRequest,
    expect: (seen: Observation) => readonly Finding[],
  ): Probe => ({ id: `cors/${id} ${cell.id}`, title, cell: cell.id, request, expect })
  const actual = (origin?: string): ProbeRequest => ({
    method,
    path,
    headers: origin === undefined ? [] : [['Origin', origin]],
  })
  const preflight = (origin: string): ProbeRequest => ({
    method: 'OPTIONS',
    path,
    headers: [
      ['Origin', origin],
      ['Access-Control-Request-Method', method],
    ],
  })
  const vary = (seen: Observation) => (varies ? judgeVary(seen) : [])
  const stranger = (seen: Observation, origin: string, finding: string) => [
    ...judgeStranger(seen, origin, open, finding),
    ...vary(seen),
  ]
  const listed = full.origins[0] === undefined ? undefined : exampleOrigin(full.origins[0])
  return [
    ...(listed === undefined
      ? []
      : [
          probe('preflight-allowed', `a preflight from ${listed} is allowed`, preflight(listed), (seen) => [
            ...judgePreflight(seen, full, listed),
            ...vary(seen),
          ]),
          probe('listed', `a page of ${listed} may read answers`, actual(listed), (seen) => [
            ...judgeListed(seen, full, listed),
            ...vary(seen),
          ]),
          probe('no-origin', 'Vary names Origin on answers to requests without it', actual(), vary),
        ]),
    open
      ? probe(
          'preflight-open',
          'a preflight from any other origin is allowed without credentials',
          preflight(FOREIGN),
          (seen) => [...judgePreflight(seen, full, undefined), ...vary(seen)],
        )
      : probe(
          'preflight-denied',
          'a preflight from any other origin is refused',
          preflight(FOREIGN),
          (seen) => [
            ...(seen.status === 403
              ? []
              : [drift(`a preflight from ${FOREIGN} got ${seen.status}`, 'answer it with 403')]),
            ...stranger(seen, FOREIGN, 'cors.reflect'),
          ],
        ),
    probe(
      'unlisted',
      open
        ? 'a page of any other origin may read answers without cookies only'
        : 'a page of any other origin may read nothing',
      actual(FOREIGN),
      (seen) => stranger(seen, FOREIGN, 'cors.reflect'),
    ),
    probe('null', 'the origin "null" is never listed', actual('null'), (seen) =>
      stranger(seen, 'null', 'cors.null-origin'),
    ),
    ...full.origins.slice(0, 1).flatMap((text) => {
      const origin = parseOrigin(text)
      return isOriginFault(origin)
        ? []
        : strangers(lookAlikes(origin), full.origins).map(([name, lookAlike]) =>
            probe(`look-alike-${name}`, `${lookAlike} is not taken for ${text}`, actual(lookAlike), (seen) =>
              stranger(
                seen,
                lookAlike,
                lookAlike.startsWith('http:') ? 'cors.http-origin' : 'cors.lax-match',
              ),
            ),
          )
    }),
    probe(
      'plain-options',
      'an OPTIONS request that is no preflight is left to the application',
      { method: 'OPTIONS', path, headers: [['Origin', FOREIGN]] },
      judgePlainOptions,
    ),
  ]
}

// What looks like one entry of the list may stand there as another.
function strangers(
  made: ReturnType<typeof lookAlikes>,
  origins: readonly string[],
): ReturnType<typeof lookAlikes> {
  const listed = origins.map(parseOrigin).filter((origin) => !isOriginFault(origin)) as ListedOrigin[]
  const exact = new Set(listed.flatMap(({ text, isPattern }) => (isPattern ? [] : [text])))
  const matches = compilePatterns(listed)
  return made.filter(([, origin]) => !exact.has(origin) && !matches(origin))
}

function drift(detail: string, mend: string): Finding {
  return { id: 'drift.cors', detail, mend }
}

function one(seen: Observation, name: string): string | undefined {
  return headerValues(seen, name)[0]
}

function judgeVary(seen: Observation): readonly Finding[] {
  const names = headerValues(seen, 'vary')
    .flatMap((value) => value.split(','))
    .map((name) => name.trim().toLowerCase())
  return names.includes('origin') || names.includes('*')
    ? []
    : [{ id: 'cors.vary-missing', detail: `Vary is ${names.join(', ') || 'missing'}`, mend: 'Vary: Origin' }]
}

// Several lines or a list are a grant to nobody: browsers compare the whole value ("CORS check", step 4).
function judgeSingle(seen: Observation): readonly Finding[] {
  const values = headerValues(seen, 'access-control-allow-origin')
  return values.length > 1 || values.some((value) => value.includes(','))
    ? [{ id: 'cors.multiple-origins', detail: values.join(' | '), mend: 'send one value' }]
    : []
}

function judgeListed(seen: Observation, full: FullCorsSetting, origin: string): readonly Finding[] {
  return [
    ...judgeSingle(seen),
    ...judgeValues(seen, [
      ['access-control-allow-origin', origin],
      ['access-control-allow-credentials', 'true'],
      ['access-control-expose-headers', full.exposeHeaders.join(', ') || undefined],
    ]),
  ]
}

function judgePreflight(
  seen: Observation,
  full: FullCorsSetting,
  origin: string | undefined,
): readonly Finding[] {
  const star = [full.allowMethods, full.allowHeaders].some((names) => names.includes('*'))
  return [
    ...(seen.status === 204 ? [] : [drift(`a preflight got ${seen.status}`, 'answer it with 204')]),
    ...judgeSingle(seen),
    ...judgeValues(seen, [
      ['access-control-allow-origin', origin ?? '*'],
      ['access-control-allow-credentials', origin === undefined ? undefined : 'true'],
      ['access-control-allow-methods', full.allowMethods.join(', ') || undefined],
      ['access-control-allow-headers', full.allowHeaders.join(', ') || undefined],
      ['access-control-max-age', String(full.maxAgeSeconds)],
    ]),
    ...(star && one(seen, 'access-control-allow-credentials') === 'true'
      ? [{ id: 'cors.literal-star', detail: '"*" in a list with credentials', mend: 'list the names' }]
      : []),
    ...(Number(one(seen, 'access-control-max-age')) > 86_400
      ? [
          {
            id: 'cors.max-age',
            detail: one(seen, 'access-control-max-age')!,
            mend: `Access-Control-Max-Age: ${full.maxAgeSeconds}`,
          },
        ]
      : []),
  ]
}

const LISTS: ReadonlySet<string> = new Set([
  'access-control-allow-methods',
  'access-control-allow-headers',
  'access-control-expose-headers',
])

function judgeValues(
  seen: Observation,
  wanted: readonly (readonly [name: string, value: string | undefined])[],
): readonly Finding[] {
  return wanted.flatMap(([name, value]) => {
    const found = headerValues(seen, name).join(' | ') || undefined
    if (found === value) return []
    if (found !== undefined && value !== undefined && LISTS.has(name)) {
      if (sameNames(found.replaceAll(' | ', ','), value, name !== 'access-control-allow-methods')) return []
    }
    return [
      drift(`${name} is ${found ?? 'missing'}`, value === undefined ? `remove ${name}` : `${name}: ${value}`),
    ]
  })
}

// What an unlisted origin sees: `*` at most, and nothing at all where the route is not open to it.
function judgeStranger(
  seen: Observation,
  origin: string,
  open: boolean,
  finding: string,
): readonly Finding[] {
  const allowed = one(seen, 'access-control-allow-origin')
  const credentials = one(seen, 'access-control-allow-credentials') === 'true'
  const mend = open ? 'Access-Control-Allow-Origin: *' : 'remove every Access-Control line'
  if (allowed === origin) {
    const id = credentials && finding === 'cors.reflect' ? 'cors.reflect-credentials' : finding
    return [{ id, detail: `${origin} is allowed${credentials ? ' with credentials' : ''}`, mend }]
  }
  if (allowed === '*' && credentials)
    return [{ id: 'cors.wildcard-credentials', detail: '"*" with credentials', mend }]
  if (open)
    return allowed === '*'
      ? judgeSingle(seen)
      : [drift(`access-control-allow-origin is ${allowed ?? 'missing'}`, mend)]
  if (allowed === '*') return [{ id: 'cors.wildcard-private', detail: '"*" on a route for cookies', mend }]
  const leaked = OWNED.filter((name) => one(seen, name) !== undefined)
  return leaked.length === 0 ? [] : [drift(`${leaked.join(', ')} sent to ${origin}`, mend)]
}

function judgePlainOptions(seen: Observation): readonly Finding[] {
  const names = ['access-control-allow-methods', 'access-control-allow-headers', 'access-control-max-age']
  const found = names.filter((name) => one(seen, name) !== undefined)
  return found.length === 0
    ? []
    : [drift(`an OPTIONS request that is no preflight got ${found.join(', ')}`, `remove ${found.join(', ')}`)]
}
