// What a caller must have in one cell: the setting in the form in which it is enforced, described and compared.

import type { CellInfo } from '../../guard/cell.ts'
import type { CREDENTIAL_KINDS } from '../../guard/principal.ts'
import { type AccessSetting, hasSource } from './setting.ts'

type Kind = (typeof CREDENTIAL_KINDS)[number]

/** What is required; empty lists ask for nothing. */
export interface Requirement {
  /** `open`: nobody is looked at. `optional`: a credential that is shown must be valid. `credential`: one is required. */
  readonly level: 'open' | 'optional' | 'credential'
  readonly scopes: readonly string[]
  readonly anyScope: readonly string[]
  readonly roles: readonly string[]
  readonly kinds: readonly Kind[]
  readonly maxAgeSeconds: number | undefined
  readonly methods: readonly string[]
}

const OPEN: Requirement = {
  level: 'open',
  scopes: [],
  anyScope: [],
  roles: [],
  kinds: [],
  maxAgeSeconds: undefined,
  methods: [],
}

/** What the setting requires in this cell. */
export function requirementOf(setting: AccessSetting, cell: CellInfo): Requirement {
  const declared = declares(setting)
  // A public route looks at nobody; without a source of credentials there is nobody to look at.
  if (cell.credentials === 'none' || !(declared || hasSource(setting, cell.settings))) return OPEN
  const { scopes = [], anyScope = [], roles = [], kinds = [], signIn = {} } = setting
  const { maxAgeSeconds, methods = [] } = signIn
  const asks = asksForMore(setting)
  // Where no route says otherwise, and where two programs may take the path for two routes, a credential is required.
  const isRequired = asks || cell.origin === 'strict' || (setting.authenticated ?? cell.origin === 'default')
  return {
    level: isRequired ? 'credential' : 'optional',
    scopes,
    anyScope,
    roles,
    kinds,
    maxAgeSeconds,
    methods,
  }
}

/** True where the setting asks for more than a valid credential. */
export function asksForMore({ scopes, anyScope, roles, kinds, signIn }: AccessSetting): boolean {
  return (
    [scopes, anyScope, roles, kinds, signIn?.methods].some((each) => each !== undefined && each.length > 0) ||
    signIn?.maxAgeSeconds !== undefined
  )
}

/** True where the setting says who may call. */
export function declares(setting: AccessSetting): boolean {
  return setting.authenticated !== undefined || asksForMore(setting)
}

// No role can have this name.
const NOBODY = '!'

/** At least as strict as both: for a path that two programs may take for two routes. */
export function strictAccess(setting: AccessSetting, other: AccessSetting): AccessSetting {
  if (!declares(setting) && !declares(other)) return setting
  const scopes = new Set([...(setting.scopes ?? []), ...(other.scopes ?? [])])
  const anyScope = both(setting.anyScope, other.anyScope)
  // Where no scope is of both lists, one of each is asked for.
  if (anyScope === undefined) for (const each of [setting, other]) scopes.add(each.anyScope![0]!)
  const roles = both(setting.roles, other.roles)
  const kinds = both(setting.kinds, other.kinds)
  const methods = both(setting.signIn?.methods, other.signIn?.methods)
  const ages = [setting.signIn?.maxAgeSeconds, other.signIn?.maxAgeSeconds].filter((age) => age !== undefined)
  const nobody = roles === undefined || kinds === undefined || methods === undefined
  return {
    ...setting,
    authenticated: true,
    scopes: [...scopes],
    anyScope: anyScope ?? [],
    roles: nobody ? [NOBODY] : roles,
    kinds: kinds ?? [],
    signIn: {
      ...(ages.length > 0 && { maxAgeSeconds: Math.min(...ages) }),
      methods: methods ?? [],
    },
  }
}

// Of two lists of which one entry is enough: what is enough for both; `undefined` where nothing is.
function both<T>(a: readonly T[] = [], b: readonly T[] = []): readonly T[] | undefined {
  if (a.length === 0) return b
  if (b.length === 0) return a
  const common = a.filter((each) => b.includes(each))
  return common.length > 0 ? common : undefined
}
