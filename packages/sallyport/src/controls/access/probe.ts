// What proves `access` from outside: nobody comes in without a credential, nor with a made-up one.

import type { Resolved } from '../../guard/cell.ts'
import type { Finding, Observation, Probe } from '../../guard/control.ts'
import { headerValues, samplePath } from '../faces.ts'
import { requirementOf } from './requirement.ts'
import { type AccessSetting, hasSource } from './setting.ts'

// No issuer gives it out, and it does not look like a key.
const MADE_UP = 'Bearer sallyport-probe-no-such-token'

export function probeAccess(cells: readonly Resolved<AccessSetting>[]): readonly Probe[] {
  return cells.flatMap(({ cell, setting }) => {
    const isEnforced = (setting.mode ?? 'enforce') === 'enforce'
    if (!isEnforced || cell.origin === 'strict') return []
    const { level } = requirementOf(setting, cell)
    const method = cell.method ?? 'GET'
    const path = samplePath(cell.path)
    const probes: Probe[] = []
    // Without a header it could not be told from a request that does write.
    if (level === 'credential' && (method === 'GET' || method === 'HEAD'))
      probes.push({
        id: `access/no-credential ${cell.id}`,
        title: 'without a credential nobody comes in, and is told which kind to bring',
        cell: cell.id,
        request: { method, path, headers: [] },
        expect: (seen) => judge(seen, undefined),
      })
    if (level !== 'open' && cell.credentials !== 'cookie' && hasSource(setting, cell.settings))
      probes.push({
        id: `access/made-up-token ${cell.id}`,
        title: 'with a made-up token nobody comes in',
        cell: cell.id,
        request: { method, path, headers: [['Authorization', MADE_UP]] },
        expect: (seen) => judge(seen, 'invalid_token'),
      })
    return probes
  })
}

function judge(seen: Observation, error: string | undefined): readonly Finding[] {
  // Whoever asks too often, or where nobody can say, is not let in either.
  if (seen.status === 429 || seen.status === 503) return []
  if (seen.status !== 401)
    return [
      {
        id: 'drift.access',
        detail: `${error === undefined ? 'a request without a credential' : 'a made-up token'} is answered with ${seen.status} instead of 401`,
        mend: 'let the guard judge the request before the application does',
      },
    ]
  const challenge = headerValues(seen, 'www-authenticate').join(', ')
  const isTold = /^bearer\b/i.test(challenge)
  const isRight = error === undefined ? !challenge.includes('error=') : challenge.includes(`error="${error}"`)
  return isTold && isRight
    ? []
    : [
        {
          id: 'drift.header-value',
          detail: `WWW-Authenticate is ${challenge === '' ? 'missing' : JSON.stringify(challenge.slice(0, 120))}`,
          mend: `WWW-Authenticate: Bearer${error === undefined ? '' : ` error="${error}"`}`,
        },
      ]
}
