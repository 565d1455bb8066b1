// What changes where one cell takes the place of another: the classes of data and credentials, the mode of each control,
// and its setting by its own order.

import { compareDataClass } from '../../controls/cache/faces.ts'
import { type CorsSetting, fullSetting, isOpen } from '../../controls/cors/setting.ts'
import { compareModes } from '../../controls/faces.ts'
import type { Change, Mode } from '../../guard/control.ts'
import type { ResolvedCell } from '../../guard/resolve.ts'
import { controls } from '../register.ts'

/** A change with the control that it is of. */
export interface ControlChange extends Change {
  /** The control's name; `route` for what the cell says of itself. */
  readonly control: string
}

/** Every change from one cell to the other. */
export function compareCells(before: ResolvedCell, after: ResolvedCell): readonly ControlChange[] {
  const changes: ControlChange[] = []
  const add = (control: string, found: readonly Change[]) => {
    for (const change of found) changes.push({ ...change, control })
  }
  for (const control of controls) {
    const [a, b] = [before.settings[control.name], after.settings[control.name]] as [Moded, Moded]
    const modes = compareModes(a, b)
    if (modes.length > 0) {
      add(control.name, switched(control, before, after, modes))
      continue
    }
    // The class of the data and the credentials change apart, below; so the settings meet in one cell.
    const found = control.compare(a as never, b as never, { ...before, id: after.id })
    const mode = a.mode ?? 'enforce'
    add(
      control.name,
      mode === 'enforce'
        ? found
        : found.map((change) => ({
            ...change,
            strength: 'neutral' as const,
            because: `${change.because}; the control ${mode === 'report' ? 'only counts' : 'is off'}`,
          })),
    )
  }
  if (enforces(before, 'cache') || enforces(after, 'cache')) add('cache', compareDataClass(before, after))
  add('route', compareCredentials(before, after))
  return changes
}

// A control that is switched on or off takes its setting along: rules for other origins grant as well as refuse, and a
// header can say less than a browser's default. What a control does not enforce, the application decides.
function switched(
  control: (typeof controls)[number],
  before: ResolvedCell,
  after: ResolvedCell,
  modes: readonly Change[],
): readonly Change[] {
  const { name } = control
  const isOn = [before, after].map((cell) => enforces(cell, name))
  if (isOn[0] === isOn[1] || (name !== 'cors' && name !== 'headers')) return modes
  const inForce = (cell: ResolvedCell) => (enforces(cell, name) ? cell.settings[name] : {})
  const found = control.compare(inForce(before) as never, inForce(after) as never, {
    ...before,
    id: after.id,
  })
  return name === 'cors'
    ? [...modes.map((change) => ({ ...change, strength: 'neutral' as const })), ...found]
    : // What goes the way of the switch itself is said by it.
      [...modes, ...found.filter(({ strength }) => strength !== 'neutral' && strength !== modes[0]?.strength)]
}

interface Moded {
  readonly mode?: Mode
}

function enforces(cell: ResolvedCell, control: string): boolean {
  return ((cell.settings[control] as Moded).mode ?? 'enforce') === 'enforce'
}

// What a route takes: `mixed` is either credential, `none` is nobody's.
const TAKES = { bearer: ['bearer'], cookie: ['cookie'], mixed: ['bearer', 'cookie'], none: [] } as const

function compareCredentials(before: ResolvedCell, after: ResolvedCell): readonly Change[] {
  if (before.credentials === after.credentials) return []
  const what = 'credentials'
  const [a, b] = [before.credentials, after.credentials]
  const changes: Change[] = []
  if (b === 'none')
    changes.push({ what, strength: 'weaker', because: `anybody can call ${after.id} without a credential` })
  else if (a === 'none')
    changes.push({ what, strength: 'stronger', because: `${after.id} takes a ${b} credential` })
  else {
    const more = TAKES[b].filter((each) => !(TAKES[a] as readonly string[]).includes(each))
    const less = TAKES[a].filter((each) => !(TAKES[b] as readonly string[]).includes(each))
    if (more.length > 0)
      changes.push({ what, strength: 'weaker', because: `${after.id} also takes a ${more[0]} credential` })
    if (less.length > 0)
      changes.push({ what, strength: 'stronger', because: `${after.id} takes no ${less[0]} credential` })
  }
  return [...changes, ...openness(before, after)]
}

// Whether any page may call without cookies hangs on the credentials too.
function openness(before: ResolvedCell, after: ResolvedCell): readonly Change[] {
  const full = fullSetting(after.settings['cors'] as CorsSetting)
  if (full === undefined || !enforces(after, 'cors')) return []
  const [a, b] = [isOpen(full, before), isOpen(full, after)]
  if (a === b) return []
  return [
    b
      ? {
          what: 'credentials',
          strength: 'weaker',
          because: `https://evil.example can now call ${after.id} without cookies and read the answer`,
        }
      : {
          what: 'credentials',
          strength: 'stronger',
          because: `no page of an unlisted origin can read ${after.id} any more`,
        },
  ]
}
