// Origins beside the reserved ones: what a developer's machine is called, and a name that anybody could own. A list of
// origins that is a pattern, or left over from development, lets them in.

import { samplePath } from '../../controls/faces.ts'
import type { ProbeRequest } from '../../guard/control.ts'
import type { ResolvedCell } from '../../guard/resolve.ts'

const ORIGINS = ['http://localhost:3000', 'https://evil.com'] as const

/** One request of each origin for each kind of cross-origin settings. */
export function strangers(cells: readonly ResolvedCell[]): readonly ProbeRequest[] {
  const asked = cells.filter(({ origin, method = 'GET' }) => origin !== 'strict' && method === 'GET')
  const kinds = Map.groupBy(asked, ({ settings, credentials }) =>
    JSON.stringify([settings['cors'], credentials]),
  )
  return [...kinds.values()].flatMap(([first]) =>
    ORIGINS.map((origin) => ({
      method: 'GET',
      path: samplePath(first!.path),
      headers: [['Origin', origin]] as const,
    })),
  )
}

/** True where an answer may be another for a caller that asks for a page. */
export function takesPages({ origin, method = 'GET', data, path }: ResolvedCell): boolean {
  return origin !== 'strict' && method === 'GET' && data !== 'stream' && !path.startsWith('/.well-known/')
}
