// What changes in a region, where one cell takes the place of another: each control by its own order, the class of the data, and the
// credentials that are taken.

import { compareDataClass } from '../../controls/cache/faces.ts'
import type { CellInfo } from '../../guard/cell.ts'
import type { Change, Mode } from '../../guard/control.ts'
import type { ResolvedCell } from '../../guard/resolve.ts'
import { controls } from '../register.ts'
import type { Region } from './regions.ts'

/** A change with the control that it is of. */
export interface ControlChange extends Change {
  /** The control's name; `route` for what the cell says of itself. */
  readonly control: string
  /** What stood there and what stands there now: the setting's field where `what` names one, else the whole setting. */
  readonly from: unknown
  readonly to: unknown
}

/**
 * Every change in a region.
 *
 * @param place how sentences name it
 */
export function compareRegion(region: Region, place: string): readonly ControlChange[] {
  const changes = compareCells(region.before, region.after, place)
  return region.strictOnly === undefined ? changes : [asOne(region.strictOnly, changes, place)]
}

// Another spelling of a route's path is refused, or held to the strictest reading, as long as there is the route that it
// could be taken for; without it, it is a path like any other. All that this brings along is one change: somebody wrote
// one route, or took one away.
function asOne(
  strictOnly: 'before' | 'after',
  changes: readonly ControlChange[],
  place: string,
): ControlChange {
  const isStricter = strictOnly === 'after'
  const own: Change = { what: 'readings', strength: isStricter ? 'stronger' : 'weaker', because: '' }
  const isPlain = changes.every(({ strength }) => strength === own.strength || strength === 'neutral')
  return {
    ...own,
    strength: isPlain ? own.strength : 'incomparable',
    because: `${place} ${isStricter ? 'are refused now, or held to' : 'are no longer refused, nor held to'} the strictest reading${isPlain ? '' : ', but that allows what the other one does not'}`,
    control: 'route',
    from: !isStricter,
    to: changes.map(({ control, what, from, to }) => ({ control, what, from, to })),
  }
}

function compareCells(before: ResolvedCell, after: ResolvedCell, place: string): readonly ControlChange[] {
  const [was, cell]: readonly [CellInfo, CellInfo] = [
    { ...before, id: place },
    { ...after, id: place },
  ]
  return [
    ...controls.flatMap((control) => {
      const [from, to] = [before.settings[control.name], after.settings[control.name]]
      const found = control.compare(from as never, to as never, cell, was)
      return found.map(
        (change): ControlChange => ({ ...change, control: control.name, ...fieldOf(change.what, from, to) }),
      )
    }),
    // Where nobody sets Cache-Control, the class of the data has no effect.
    ...(enforcesCache(before) && enforcesCache(after) ? compareDataClass(was, cell) : []).map(
      (change): ControlChange => ({ ...change, control: 'cache', from: was.data, to: cell.data }),
    ),
    ...compareCredentials(was, cell).map(
      (change): ControlChange => ({
        ...change,
        control: 'route',
        from: was.credentials,
        to: cell.credentials,
      }),
    ),
  ]
}

function fieldOf(what: string, from: unknown, to: unknown): { readonly from: unknown; readonly to: unknown } {
  const field = what.split('.', 1)[0]!
  const [a, b] = [from, to] as [Readonly<Record<string, unknown>>, Readonly<Record<string, unknown>>]
  return field in a || field in b ? { from: a[field], to: b[field] } : { from, to }
}

function enforcesCache({ settings }: ResolvedCell): boolean {
  return ((settings['cache'] as { readonly mode?: Mode }).mode ?? 'enforce') === 'enforce'
}

// What a route takes: `mixed` is either credential, `none` is nobody's.
const TAKES = { bearer: ['bearer'], cookie: ['cookie'], mixed: ['bearer', 'cookie'], none: [] } as const

function compareCredentials(before: CellInfo, after: CellInfo): readonly Change[] {
  const [a, b] = [before.credentials, after.credentials]
  if (a === b) return []
  const what = 'credentials'
  const { id } = after
  if (b === 'none')
    return [{ what, strength: 'weaker', because: `anybody can call ${id} without a credential` }]
  if (a === 'none') return [{ what, strength: 'stronger', because: `${id} takes a ${b} credential` }]
  const beyond = (some: typeof a, others: typeof a) =>
    TAKES[some].filter((each) => !(TAKES[others] as readonly string[]).includes(each))
  return [
    ...beyond(b, a).map(
      (more): Change => ({ what, strength: 'weaker', because: `${id} also takes a ${more} credential` }),
    ),
    ...beyond(a, b).map(
      (less): Change => ({ what, strength: 'stronger', because: `${id} takes no ${less} credential` }),
    ),
  ]
}
