// An identity of a request that comes twice in one run names no request.

import { headerValues } from '../../controls/faces.ts'
import type { Finding, ProbeRequest } from '../../guard/control.ts'
import type { WireAnswer } from '../wire/send.ts'

/**
 * Remembers the identities that a run has seen, and judges each answer's; `undefined` where it has none to judge.
 *
 * One that was sent may come back, and what a cache kept is one answer, whoever asks for it.
 */
export function repeatedIdentities(): (
  request: ProbeRequest,
  owners: ReadonlyMap<string, string>,
  answer: WireAnswer,
) => readonly Finding[] | undefined {
  const seen = new Set<string>()
  return (request, owners, answer) => {
    const name = [...owners].find(([, control]) => control === 'client')?.[0]
    if (name === undefined || isSent(request, name) || headerValues(answer, 'age').length > 0)
      return undefined
    const [value, ...more] = headerValues(answer, name)
    if (value === undefined || more.length > 0) return undefined
    if (!seen.has(value)) {
      seen.add(value)
      return []
    }
    return [
      {
        id: 'drift.header-value',
        detail: `${name} is ${value} on two answers`,
        mend: `${name}: another one for each request`,
      },
    ]
  }
}

function isSent(request: ProbeRequest, name: string): boolean {
  if ('raw' in request) return request.raw.toLowerCase().includes(`\n${name}`)
  return request.headers.some(([key]) => key.toLowerCase() === name)
}
