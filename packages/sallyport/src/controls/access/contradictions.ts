// What can't be meant, or would leave a door open: found when the policy is loaded, before a request comes.

import type { CellInfo } from '../../guard/cell.ts'
import { childPath, nearest, type PolicyProblem } from '../../policy/problem.ts'
import { problem } from '../../policy/schema.ts'
import { issuerProblems } from './issuers.ts'
import { asksForMore, declares } from './requirement.ts'
import { type AccessSetting, hasSource } from './setting.ts'

export function accessContradictions(setting: AccessSetting, cell: CellInfo): readonly PolicyProblem[] {
  if (setting.mode === 'off') return []
  return [
    ...issuerProblems(setting.tokens ?? []),
    ...catalogueProblems(setting),
    ...nameProblems(setting),
    ...sourceProblems(setting, cell),
    ...reachProblems(setting, cell),
  ]
}

const contradiction = (path: string, message: string, received: unknown, mend: string) =>
  problem(path, 'contradiction', message, received, mend)

function catalogueProblems({ catalogue = {} }: AccessSetting): readonly PolicyProblem[] {
  const scopes = Object.keys(catalogue.scopes ?? {})
  return Object.entries(catalogue.roles ?? {}).flatMap(([role, names]) =>
    unknownNames(names, scopes).map(([name, index, mend]) =>
      contradiction(
        `${childPath('catalogue.roles', role)}[${index}]`,
        'the catalogue has no such scope',
        name,
        mend('catalogue.scopes'),
      ),
    ),
  )
}

function nameProblems({ catalogue = {}, scopes = [], anyScope = [], roles = [] }: AccessSetting) {
  const known = Object.keys(catalogue.scopes ?? {})
  const knownRoles = Object.keys(catalogue.roles ?? {})
  const wrong = (path: string, names: readonly string[], of: readonly string[], what: string, home: string) =>
    unknownNames(names, of).map(([name, index, mend]) =>
      contradiction(`${path}[${index}]`, `the catalogue has no such ${what}`, name, mend(home)),
    )
  return [
    ...wrong('scopes', scopes, known, 'scope', 'catalogue.scopes'),
    ...wrong('anyScope', anyScope, known, 'scope', 'catalogue.scopes'),
    ...wrong('roles', roles, knownRoles, 'role', 'catalogue.roles'),
  ]
}

type Unknown = readonly [name: string, index: number, mend: (home: string) => string]

function unknownNames(names: readonly string[], known: readonly string[]): readonly Unknown[] {
  return names.flatMap((name, index): Unknown[] => {
    if (known.includes(name)) return []
    const meant = nearest(name, known)
    return [
      [
        name,
        index,
        (home) => (meant ? `did you mean ${JSON.stringify(meant)}?` : `add it to access.${home}`),
      ],
    ]
  })
}

function sourceProblems(setting: AccessSetting, cell: CellInfo): readonly PolicyProblem[] {
  const { identity, selfService } = setting
  const found: PolicyProblem[] = []
  if (identity && identity.audience === undefined)
    found.push(
      problem(
        'identity.audience',
        'missing',
        'the service behind the gateway could not tell its own identity lines from those for another',
        undefined,
        'name the service, such as "https://orders.internal"',
      ),
    )
  if (hasSource(setting, cell.settings)) return found
  const asking = [
    ...(identity ? ['identity'] : []),
    ...(selfService ? ['selfService'] : []),
    ...(setting.authenticated ? ['authenticated'] : []),
    ...(asksForMore(setting) ? [''] : []),
  ]
  const [first] = asking
  // A public route of such a policy asks for nothing.
  if (first === undefined || (cell.credentials === 'none' && !identity && !selfService)) return found
  return [
    ...found,
    contradiction(
      first,
      'a caller must show a credential here, and nothing says which ones are taken',
      undefined,
      'set keys.vendor, access.tokens or access.sessions',
    ),
  ]
}

// Who can come in at all.
function reachProblems(setting: AccessSetting, cell: CellInfo): readonly PolicyProblem[] {
  if (!hasSource(setting, cell.settings)) return []
  if (cell.credentials === 'none') {
    // What the top level asks for is not meant for public routes.
    const own = (cell.origin === 'route' ? cell.own?.['access'] : setting) as AccessSetting | undefined
    return own && (own.authenticated === true || asksForMore(own))
      ? [
          contradiction(
            '',
            'the route takes no credentials, so nobody can have what it asks for',
            undefined,
            'leave credentials: "none" out, or what the route asks for',
          ),
        ]
      : []
  }
  if (cell.origin === 'route' && !declares(setting))
    return [
      contradiction(
        '',
        'the route does not say who may call it',
        undefined,
        'write access: { authenticated: true } or the scopes that it asks for, or credentials: "none" where everybody may',
      ),
    ]
  const { kinds = [], signIn = {} } = setting
  const taken = kindsTaken(setting, cell)
  const left =
    kinds.length === 0 ? taken : taken.filter((kind) => (kinds as readonly string[]).includes(kind))
  if (left.length === 0)
    return [
      contradiction(
        kinds.length > 0 ? 'kinds' : '',
        `no credential can be shown here: the route takes ${taken.length > 0 ? taken.map((kind) => `a ${kind}`).join(' or ') : `none of what the policy takes, since its credentials are "${cell.credentials}"`}`,
        kinds.length > 0 ? kinds : undefined,
        'set keys.vendor, access.tokens or access.sessions, or change the credentials of the route',
      ),
    ]
  const asksSignIn = signIn.maxAgeSeconds !== undefined || (signIn.methods ?? []).length > 0
  if (asksSignIn && left.every((kind) => kind === 'key'))
    return [
      contradiction(
        'signIn',
        'nobody signs in with a key, and nothing else is taken here',
        undefined,
        'leave it out, or take tokens or sessions',
      ),
    ]
  return []
}

function kindsTaken({ tokens = [], sessions }: AccessSetting, cell: CellInfo): readonly string[] {
  const keys = cell.settings?.['keys'] as { readonly vendor?: unknown; readonly mode?: string } | undefined
  const isBearer = cell.credentials === 'bearer' || cell.credentials === 'mixed'
  return [
    ...(isBearer && keys?.vendor !== undefined && keys.mode !== 'off' ? ['key'] : []),
    ...(isBearer && tokens.length > 0 ? ['token'] : []),
    ...(cell.credentials !== 'bearer' && sessions ? ['session'] : []),
  ]
}
