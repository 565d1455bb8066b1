// What can't be meant in a setting of `keys`.

import type { CellInfo } from '../../guard/cell.ts'
import { nearest, type PolicyProblem, show } from '../../policy/problem.ts'
import { problem } from '../../policy/schema.ts'
import { fullSelfService, type KeysSetting } from './setting.ts'

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
  return serviceProblems(setting, cell)
}

// Who may work on keys is said in names of the catalogue: one that it lacks nobody can have.
function serviceProblems(setting: KeysSetting, { settings }: CellInfo): readonly PolicyProblem[] {
  const service = fullSelfService(setting)
  const { catalogue, mode } = (settings?.['access'] ?? {}) as {
    readonly mode?: string
    readonly catalogue?: { readonly scopes?: object; readonly roles?: object }
  }
  if (service === undefined || catalogue === undefined || mode === 'off') return []
  const unknown = (
    what: 'scope' | 'role',
    path: string,
    name: string,
    known: object | undefined,
  ): readonly PolicyProblem[] => {
    if (known === undefined || Object.hasOwn(known, name)) return []
    const meant = nearest(name, Object.keys(known))
    return [
      problem(
        `selfService.${path}`,
        'value',
        `access.catalogue has no ${what} ${show(name)}, so nobody can work on keys by it`,
        name,
        meant === undefined
          ? `add it to access.catalogue.${what}s, or name another ${what} here`
          : `did you mean ${show(meant)}?`,
      ),
    ]
  }
  return [
    ...unknown('scope', 'readScope', service.readScope, catalogue.scopes),
    ...unknown('scope', 'writeScope', service.writeScope, catalogue.scopes),
    // The role that is taken where none is named need not be there.
    ...((setting.selfService || undefined)?.roles ?? []).flatMap((role, at) =>
      unknown('role', `roles[${at}]`, role, catalogue.roles),
    ),
  ]
}
