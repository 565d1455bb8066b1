// Orders two settings of `keys`: more that is accepted, for longer, is weaker.

import type { CellInfo } from '../../guard/cell.ts'
import type { Change } from '../../guard/control.ts'
import { compareModes } from '../faces.ts'
import { KEYS_PATH } from './self-service/paths.ts'
import { type FullKeysSetting, fullSelfService, fullSetting, type KeysSetting } from './setting.ts'

export function compareKeys(
  before: KeysSetting,
  after: KeysSetting,
  cell: CellInfo,
  was: CellInfo = cell,
): readonly Change[] {
  const modes = compareModes(before, after)
  if ((before.mode ?? 'enforce') !== 'enforce' || (after.mode ?? 'enforce') !== 'enforce') return modes
  const a = fullSetting(before, was)
  const b = fullSetting(after, cell)
  if (a === undefined && b === undefined) return modes
  if (a === undefined || b === undefined) return [...modes, begins(a, b, before, after, cell)]
  return [
    ...modes,
    ...vendorChanges(a, b),
    ...setChanges('environment', worlds(a), worlds(b), (names) => `keys of the ${names} environment`),
    ...setChanges('header', a.header, b.header, (names) => `keys in ${names}`),
    ...numberChanges(a, b),
    ...publishableChanges(a, b, cell),
    ...leakChanges(before, after),
    ...serviceChanges(before, after),
  ]
}

function serviceChanges(before: KeysSetting, after: KeysSetting): readonly Change[] {
  const what = 'selfService'
  const [a, b] = [fullSelfService(before), fullSelfService(after)]
  if (a === undefined && b === undefined) return []
  if (a === undefined)
    return [
      change(
        what,
        'weaker',
        `who holds a key with ${b!.writeScope} that leaked can make further ones of its rights at ${KEYS_PATH}, which live on when it is revoked`,
      ),
    ]
  if (b === undefined)
    return [change(what, 'stronger', `no credential makes, rotates or revokes keys at ${KEYS_PATH} any more`)]
  return [
    ...(['readScope', 'writeScope'] as const).flatMap((name) =>
      a[name] === b[name]
        ? []
        : [
            change(
              `${what}.${name}`,
              'incomparable',
              `who has ${b[name]} ${name === 'readScope' ? 'sees' : 'changes'} keys now, and who has ${a[name]} alone does not any more`,
            ),
          ],
    ),
    ...setChanges(`${what}.roles`, a.roles, b.roles, (names) => `changes of keys by the role ${names}`),
  ]
}

function leakChanges(before: KeysSetting, after: KeysSetting): readonly Change[] {
  const [had, has] = [before, after].map(({ leakReports }) => Boolean(leakReports))
  if (had === has) return []
  return [
    has
      ? change('leakReports', 'stronger', 'whoever finds a key that leaked can have it revoked')
      : change(
          'leakReports',
          'weaker',
          'a key that a scanner finds in public stays good until its owner hears of it',
        ),
  ]
}

// Where a route stops to take keys, because it takes other credentials or none, that change speaks for itself.
function begins(
  a: FullKeysSetting | undefined,
  b: FullKeysSetting | undefined,
  before: KeysSetting,
  after: KeysSetting,
  { id }: CellInfo,
): Change {
  if (before.vendor !== undefined && after.vendor !== undefined)
    return a === undefined
      ? change(
          'credentials',
          'incomparable',
          `keys open ${id} now: who holds one could not use it there before`,
        )
      : change('credentials', 'incomparable', `no key is read on ${id} any more, good or bad`)
  return b === undefined
    ? change('vendor', 'weaker', `a revoked or made-up key reaches the application on ${id}`)
    : change('vendor', 'stronger', `bad keys are refused on ${id} before the application sees them`)
}

function vendorChanges(a: FullKeysSetting, b: FullKeysSetting): readonly Change[] {
  return a.vendor === b.vendor
    ? []
    : [
        change(
          'vendor',
          'incomparable',
          `keys of "${b.vendor}" are taken instead of those of "${a.vendor}", which all end`,
        ),
      ]
}

function worlds({ environment }: FullKeysSetting): readonly string[] {
  return environment === 'both' ? ['live', 'test'] : [environment]
}

function setChanges(
  what: string,
  a: readonly string[],
  b: readonly string[],
  named: (names: string) => string,
): readonly Change[] {
  const added = b.filter((name) => !a.includes(name))
  const removed = a.filter((name) => !b.includes(name))
  return [
    ...(added.length > 0 ? [change(what, 'weaker', `${named(added.join(' and '))} are taken now`)] : []),
    ...(removed.length > 0
      ? [change(what, 'stronger', `${named(removed.join(' and '))} are not taken any more`)]
      : []),
  ]
}

const NUMBERS = {
  overlapSeconds: (value: number) => `after a rotation the old key is good for ${value} seconds`,
  expiresAfterDays: (value: number) => `a forgotten key is good for ${value} days`,
  failuresPerMinute: (value: number) => `${value} keys a minute can be tried from an address`,
} as const

function numberChanges(a: FullKeysSetting, b: FullKeysSetting): readonly Change[] {
  return (Object.keys(NUMBERS) as (keyof typeof NUMBERS)[]).flatMap((what) => {
    const [from, to] = [a[what], b[what]]
    if (from === to) return []
    return [change(what, to > from ? 'weaker' : 'stronger', `${NUMBERS[what](to)} instead of ${from}`)]
  })
}

function publishableChanges(a: FullKeysSetting, b: FullKeysSetting, { id }: CellInfo): readonly Change[] {
  const what = 'publishable'
  const [from, to] = [a.publishable, b.publishable]
  if (from === undefined && to === undefined) return []
  if (from === undefined)
    return [change(what, 'weaker', `a key that stands in a page can ${to!.methods.join(', ')} ${id}`)]
  if (to === undefined) return [change(what, 'stronger', `no key that stands in a page opens ${id} any more`)]
  return [
    ...setChanges(what, from.methods, to.methods, (names) => `publishable keys for ${names} ${id}`),
    ...setChanges(what, from.scopes, to.scopes, (names) => `publishable keys with ${names} on ${id}`),
  ]
}

function change(what: string, strength: Change['strength'], because: string): Change {
  return { what, strength, because }
}
