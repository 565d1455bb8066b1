// `cache`: what shared caches and browsers may keep, by the class of the data.

import type { CellInfo } from '../../guard/cell.ts'
import { MODES } from '../../guard/control.ts'
import type { PolicyProblem } from '../../policy/problem.ts'
import { type Infer, integer, object, oneOf, problem } from '../../policy/schema.ts'
import { meetsFloor, parseCacheControl } from './directives.ts'

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

/** What a cell's answers say to caches, for a person. */
export function cacheWords(cell: Pick<CellInfo, 'data'>, setting: CacheSetting): string {
  if (setting.mode === 'off') return "the application's"
  if (setting.owner !== 'handler') return classValue(cell, setting)
  const floor = setting.floor === undefined || setting.floor === 'none' ? '' : ` down to ${setting.floor}`
  return `the application's${floor}, else ${classValue(cell, setting)}`
}

/**
 * What the cell says of itself against what it lets caches do. The class and the credentials are the route's; the owner
 * and the floor may come from a layer below it.
 */
export function cacheContradictions(setting: CacheSetting, cell: CellInfo): readonly PolicyProblem[] {
  if (setting.mode === 'off' || cell.origin === 'strict') return []
  const problems: PolicyProblem[] = []
  const shareable = cell.data === 'public' || cell.data === 'asset'
  if (setting.maxAgeSeconds !== undefined && !shareable)
    problems.push(
      problem(
        'maxAgeSeconds',
        'insecure',
        `${cell.data} data is never cached, so it has no age`,
        setting.maxAgeSeconds,
        'leave it out, or declare data: "public" on the route',
      ),
    )
  if (
    cell.origin === 'route' &&
    cell.namesData === true &&
    cell.data === 'private' &&
    setting.owner === 'handler' &&
    (setting.floor ?? 'none') === 'none'
  )
    problems.push(
      problem(
        'floor',
        'insecure',
        'the route is private, but its handler may let shared caches keep the answers',
        'none',
        'write cache: { owner: "policy" }, or floor: "private"',
      ),
    )
  if (shareable && (cell.credentials === 'cookie' || cell.credentials === 'bearer'))
    problems.push(
      problem(
        '',
        'insecure',
        `${cell.data} answers are kept for everybody, but the route answers to a ${cell.credentials} credential`,
        { data: cell.data, credentials: cell.credentials },
        'declare data: "private", or credentials: "none"',
      ),
    )
  if (
    setting.owner === 'handler' &&
    !meetsFloor(parseCacheControl(classValue(cell, setting)), setting.floor ?? 'none')
  )
    problems.push(
      problem(
        'floor',
        'contradiction',
        `the value of ${cell.data} data, "${classValue(cell, setting)}", is itself below this floor`,
        setting.floor,
        'write floor: "none", or declare data: "private"',
      ),
    )
  return problems
}
