// What can't be meant in a setting of `keys`.

import type { CellInfo } from '../../guard/cell.ts'
import type { PolicyProblem } from '../../policy/problem.ts'
import { problem } from '../../policy/schema.ts'
import type { KeysSetting } from './setting.ts'

export function keysContradictions(setting: KeysSetting, cell: CellInfo): readonly PolicyProblem[] {
  const { vendor, mode: _mode, ...rest } = setting
  const said = Object.entries(rest).filter(([, value]) => value !== undefined && value !== false)
  if (vendor === undefined && said.length > 0)
    return [
      problem(
        said[0]![0],
        'contradiction',
        'this says something of keys, but no key is read: the name that they carry is not set',
        undefined,
        'set keys.vendor, such as "acme"',
      ),
    ]
  if (setting.publishable && (cell.credentials === 'none' || cell.credentials === 'cookie'))
    return [
      problem(
        'publishable',
        'contradiction',
        `no key is read here: the route takes ${cell.credentials === 'none' ? 'no credentials' : 'cookies alone'}`,
        undefined,
        'set credentials to "bearer" or "mixed", or leave publishable out',
      ),
    ]
  return []
}
