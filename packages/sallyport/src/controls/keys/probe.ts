// What proves `keys` from outside, without a key of anybody's: made-up ones, with the right checksum and with a wrong one.

import type { Resolved } from '../../guard/cell.ts'
import type { Finding, Observation, Probe } from '../../guard/control.ts'
import { type KeyKind, keyFormat } from '../../keys/format.ts'
import { headerValues, samplePath } from '../faces.ts'
import { inForce } from './describe.ts'
import { isKeysPath, KEYS_PATH } from './self-service/paths.ts'
import { type FullKeysSetting, fullSelfService, type KeysSetting } from './setting.ts'

/** An origin that nobody lists: the name is kept from registration (RFC 2606). */
const FOREIGN = 'https://sallyport-probe.invalid'

export function probeKeys(cells: readonly Resolved<KeysSetting>[]): readonly Probe[] {
  return [...probeReading(cells), ...probeService(cells)]
}

/** Without a credential nobody works on keys, and no answer there is kept. */
function probeService(cells: readonly Resolved<KeysSetting>[]): readonly Probe[] {
  const own = cells.find(
    ({ cell, setting }) =>
      cell.origin === 'route' &&
      cell.method === undefined &&
      isKeysPath(cell.path) &&
      fullSelfService(setting) !== undefined,
  )
  if (own === undefined) return []
  const { cell } = own
  const probe = (id: string, title: string, method: string): Probe => ({
    id: `keys/${id}`,
    title,
    cell: cell.id,
    request: {
      method,
      path: KEYS_PATH,
      headers: method === 'POST' ? [['Content-Type', 'application/json']] : [],
      ...(method === 'POST' ? { body: '{}' } : {}),
    },
    expect: (seen) => judgeStranger(seen, method),
  })
  return [
    probe('list-nobody', 'without a credential no key is listed, and the answer is not kept', 'GET'),
    probe('make-nobody', 'without a credential no key is made, and the answer is not kept', 'POST'),
  ]
}

function judgeStranger(seen: Observation, method: string): readonly Finding[] {
  if (seen.status === 429 || seen.status === 503) return []
  const isRefused = seen.status === 401 || (method === 'POST' && seen.status === 403)
  const kept = headerValues(seen, 'cache-control').join(', ')
  return [
    ...(isRefused
      ? []
      : [
          drift(
            `${method} ${KEYS_PATH} without a credential was answered ${seen.status} instead of 401`,
            'let the guard answer it before the application does',
          ),
        ]),
    ...(/\bno-store\b/.test(kept)
      ? []
      : [
          drift(
            `an answer at ${KEYS_PATH} may be kept: Cache-Control is ${kept === '' ? 'missing' : JSON.stringify(kept.slice(0, 120))}`,
            'Cache-Control: no-store, private',
          ),
        ]),
  ]
}

function probeReading(cells: readonly Resolved<KeysSetting>[]): readonly Probe[] {
  // One place is enough, and a harmless one: bad keys are counted, and too many would be answered otherwise.
  const chosen = cells.find(
    (resolved) =>
      inForce(resolved) !== undefined &&
      resolved.cell.origin !== 'strict' &&
      (resolved.cell.method === undefined || resolved.cell.method === 'GET'),
  )
  if (chosen === undefined) return []
  const full = inForce(chosen)!
  const { cell } = chosen
  const path = samplePath(cell.path)
  const probe = (
    id: string,
    title: string,
    request: { readonly path?: string; readonly headers?: readonly (readonly [string, string])[] },
    expect: (seen: Observation) => readonly Finding[],
  ): Probe => ({
    id: `keys/${id}`,
    title,
    cell: cell.id,
    request: { method: 'GET', path: request.path ?? path, headers: request.headers ?? [] },
    expect,
  })
  const secret = madeUp(full, 'secret')
  const mistyped = `${secret.slice(0, -1)}${secret.endsWith('z') ? 'y' : 'z'}`
  const refused = (status: number, what: string) => (seen: Observation) =>
    seen.status === status || seen.status === 429
      ? []
      : [drift(`${what} was answered ${seen.status} instead of ${status}`, `refuse it with ${status}`)]
  return [
    probe(
      'mistyped',
      'a key with a wrong checksum is refused',
      { headers: shownIn(full, mistyped) },
      judgeInvalid,
    ),
    probe('unknown', 'a key that nobody made is refused', { headers: shownIn(full, secret) }, judgeInvalid),
    probe(
      'in-url',
      'a key in the query is refused',
      { path: `${path}?api_key=${secret}` },
      refused(400, 'a key in the query'),
    ),
    probe(
      'secret-in-browser',
      'a secret key that comes with an Origin is refused',
      { headers: [...shownIn(full, secret), ['Origin', FOREIGN]] },
      refused(403, 'a secret key with an Origin'),
    ),
    ...(full.publishable === undefined
      ? [
          probe(
            'publishable',
            'a publishable key is refused where none is declared to open anything',
            { headers: shownIn(full, madeUp(full, 'publishable')) },
            refused(403, 'a publishable key'),
          ),
        ]
      : []),
  ]
}

// Its digits are all zero: no generator makes it.
function madeUp({ vendor, environment }: FullKeysSetting, kind: KeyKind): string {
  return keyFormat(vendor).make({ kind, environment: environment === 'test' ? 'test' : 'live' }, (bytes) =>
    bytes.fill(0),
  )
}

function shownIn({ header }: FullKeysSetting, key: string): readonly (readonly [string, string])[] {
  return header.includes('authorization') ? [['Authorization', `Bearer ${key}`]] : [['X-API-Key', key]]
}

function judgeInvalid(seen: Observation): readonly Finding[] {
  if (seen.status === 429) return []
  if (seen.status !== 401)
    return [drift(`a bad key was answered ${seen.status} instead of 401`, 'refuse it with 401')]
  return headerValues(seen, 'www-authenticate').some((value) => /error="invalid_token"/.test(value))
    ? []
    : [
        {
          id: 'auth.no-challenge',
          detail: 'the refusal of a bad key does not say what is wrong',
          mend: 'WWW-Authenticate: Bearer error="invalid_token"',
        },
      ]
}

function drift(detail: string, mend: string): Finding {
  return { id: 'drift.keys', detail, mend }
}
