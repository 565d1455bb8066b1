// `cache`: what shared caches and browsers may keep, by the class of the data.

import type { CellInfo } from '../../guard/cell.ts'
import { MODES } from '../../guard/control.ts'
import type { PolicyProblem } from '../../policy/problem.ts'
import { type Infer, integer, object, oneOf, problem } from '../../policy/schema.ts'

export const cacheSchema = object(
  {
    mode: oneOf(MODES, 'How the control acts.'),
    maxAgeSeconds: integer(
      { min: 0, max: 31_536_000, example: 30 },
      'How long caches may keep a public answer or an asset, in seconds.',
    ),
    owner: oneOf(
      ['policy', 'handler'],
      'Who sets Cache-Control: the policy, or the application above a floor.',
    ),
    floor: oneOf(
      ['none', 'private', 'no-store'],
      'The weakest that an application may set where it is the owner; weaker values are replaced by the class’s own.',
    ),
  },
  'Cache-Control by data class (RFC 9111).',
)

export type CacheSetting = Infer<typeof cacheSchema>

export const cacheDefaults: CacheSetting = { owner: 'policy', floor: 'none' }

/** The value that a class of data gets from the policy. */
export function classValue(cell: Pick<CellInfo, 'data'>, setting: CacheSetting): string {
  switch (cell.data) {
    case 'private':
      return 'no-store, private'
    case 'public':
      return `public, max-age=${setting.maxAgeSeconds ?? 30}`
    case 'stream':
      return 'no-cache, no-transform'
    case 'asset':
      return `public, max-age=${setting.maxAgeSeconds ?? 31_536_000}, immutable`
  }
}

export function cacheContradictions(setting: CacheSetting, cell: CellInfo): readonly PolicyProblem[] {
  if (setting.mode === 'off' || cell.origin === 'strict') return []
  const problems: PolicyProblem[] = []
  if (
    setting.maxAgeSeconds !== undefined &&
    (cell.data === 'private' || cell.data === 'stream') &&
    setting.owner === 'policy'
  )
    problems.push(
      problem(
        'maxAgeSeconds',
        'insecure',
        `${cell.data} data is never cached, so it has no age`,
        setting.maxAgeSeconds,
        'leave it out, or declare data: "public" on the route',
      ),
    )
  return problems
}
