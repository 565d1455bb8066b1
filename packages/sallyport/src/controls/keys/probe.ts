// What proves `keys` from outside, without a key of anybody's: made-up ones, with the right checksum and with a wrong one.

import type { Resolved } from '../../guard/cell.ts'
import type { Finding, Observation, Probe } from '../../guard/control.ts'
import { type KeyKind, keyFormat } from '../../keys/format.ts'
import { headerValues, samplePath } from '../faces.ts'
import { inForce } from './describe.ts'
import type { FullKeysSetting, KeysSetting } from './setting.ts'

/** An origin that nobody lists: the name is kept from registration (RFC 2606). */
const FOREIGN = 'https://sallyport-probe.invalid'

export function probeKeys(cells: readonly Resolved<KeysSetting>[]): readonly Probe[] {
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
