// Which of two settings lets more callers in. What a cell requires is a list of clauses that must all hold, each of
// which names what is enough for it: a clause is kept where the other side has one that asks for no more than it.

import type { CellInfo } from '../../guard/cell.ts'
import type { Change, Strength } from '../../guard/control.ts'
import { compareModes, placeWords } from '../faces.ts'
import { compareIdentity, compareRoles, compareSources } from './compare-sources.ts'
import { type Requirement, requirementOf } from './requirement.ts'
import type { AccessSetting } from './setting.ts'

export function compareAccess(
  before: AccessSetting,
  after: AccessSetting,
  cell: CellInfo,
  was: CellInfo = cell,
): readonly Change[] {
  const where = placeWords(cell)
  const asked = [requirementOf(before, was), requirementOf(after, cell)]
  const modes = asked.some(({ level }) => level !== 'open') ? compareModes(before, after) : []
  const [a, b] = [inForce(before, was), inForce(after, cell)]
  const level = levelChange(a, b, where)
  if (a.level === 'open' || b.level === 'open') return [...modes, ...level]
  return [
    ...modes,
    ...level,
    ...clauseChanges(a, b, where),
    ...ageChange(a, b, where),
    ...compareRoles(before, after),
    ...compareSources(before, after, [was, cell], where),
    ...compareIdentity(before, after),
    ...(!before.selfService === !after.selfService
      ? []
      : [change('selfService', 'neutral', 'callers are answered about themselves by somebody else')]),
  ]
}

function inForce(setting: AccessSetting, cell: CellInfo): Requirement {
  return (setting.mode ?? 'enforce') === 'enforce'
    ? requirementOf(setting, cell)
    : requirementOf({}, { ...cell, credentials: 'none' })
}

function change(what: string, strength: Strength, because: string): Change {
  return { what, strength, because }
}

const LEVELS = { open: 0, optional: 1, credential: 2 } as const

function levelChange(a: Requirement, b: Requirement, where: string): readonly Change[] {
  const difference = LEVELS[b.level] - LEVELS[a.level]
  if (difference === 0) return []
  if (difference < 0)
    return [
      change(
        'authenticated',
        'weaker',
        b.level === 'open'
          ? `anybody can call ${where}: no credential is looked at`
          : `${where} can be called without a credential`,
      ),
    ]
  return [
    change(
      'authenticated',
      'stronger',
      b.level === 'credential'
        ? `${where} can’t be called without a valid credential`
        : `a credential that is shown at ${where} must be valid`,
    ),
  ]
}

type Field = 'scopes' | 'anyScope' | 'roles' | 'kinds' | 'methods'

/** One of `enough` must be there. */
interface Clause {
  readonly field: Field
  /** Of scopes both fields speak. */
  readonly about: 'scope' | 'role' | 'kind' | 'method'
  readonly enough: readonly string[]
}

function clausesOf({ scopes, anyScope, roles, kinds, methods }: Requirement): readonly Clause[] {
  const one = (field: Field, about: Clause['about'], enough: readonly string[]): Clause[] =>
    enough.length > 0 ? [{ field, about, enough }] : []
  return [
    ...scopes.map((scope): Clause => ({ field: 'scopes', about: 'scope', enough: [scope] })),
    ...one('anyScope', 'scope', anyScope),
    ...one('roles', 'role', roles),
    ...one('kinds', 'kind', kinds),
    ...one('methods', 'method', methods),
  ]
}

function clauseChanges(a: Requirement, b: Requirement, where: string): readonly Change[] {
  const [olds, nows] = [clausesOf(a), clausesOf(b)]
  return [
    ...unkept(olds, nows).map(({ field, about, enough }) =>
      change(fieldOf(field), 'weaker', `${WITHOUT[about](enough)} can call ${where}`),
    ),
    ...unkept(nows, olds).map(({ field, about, enough }) =>
      change(fieldOf(field), 'stronger', `${WITHOUT[about](enough)} can’t call ${where}`),
    ),
  ]
}

/** The clauses of one side that the other side does not keep. */
function unkept(some: readonly Clause[], others: readonly Clause[]): readonly Clause[] {
  return some.filter(
    ({ about, enough }) =>
      !others.some((other) => other.about === about && other.enough.every((each) => enough.includes(each))),
  )
}

const fieldOf = (field: Field) => (field === 'methods' ? 'signIn.methods' : field)

const WITHOUT: Readonly<Record<Clause['about'], (enough: readonly string[]) => string>> = {
  scope: (enough) => `a credential without ${enough.join(' or ')}`,
  role: (enough) => `a caller who is not ${enough.join(' or ')}`,
  kind: (enough) => `a credential that is no ${enough.join(' or ')}`,
  method: (enough) => `a person who did not sign in by ${enough.join(' or ')}`,
}

function ageChange(a: Requirement, b: Requirement, where: string): readonly Change[] {
  const [from, to] = [
    a.maxAgeSeconds ?? Number.POSITIVE_INFINITY,
    b.maxAgeSeconds ?? Number.POSITIVE_INFINITY,
  ]
  if (from === to) return []
  const what = 'signIn.maxAgeSeconds'
  return to > from
    ? [change(what, 'weaker', `a sign-in of ${from + 1} seconds ago is recent enough for ${where}`)]
    : [change(what, 'stronger', `a sign-in of ${to + 1} seconds ago is not recent enough for ${where}`)]
}
