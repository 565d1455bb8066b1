// Sets Cache-Control by class, whatever the handler or the upstream sets, unless the cell delegates it above a floor.

import type { CellInfo } from '../../guard/cell.ts'
import type { EmitStage, Seen, Stage } from '../../guard/control.ts'
import { type Lines, lines } from '../../guard/lines.ts'
import { meetsFloor, parseCacheControl } from './directives.ts'
import { type CacheSetting, classValue } from './setting.ts'

const NAME = 'Cache-Control'
const NO_STORE = lines([[NAME, 'no-store']])
const PRIVATE = lines([[NAME, 'no-store, private']])

export function compileCache(setting: CacheSetting, cell: CellInfo): Stage {
  return { emit: setting.owner === 'handler' ? delegated(setting, cell) : owned(setting, cell) }
}

function owned(setting: CacheSetting, cell: CellInfo): EmitStage {
  const owns = ['cache-control', 'pragma', 'expires', 'surrogate-control', 'cdn-cache-control']
  const own = lines([[NAME, classValue(cell, setting)]])
  if (cell.data === 'private' || cell.data === 'stream') return { owns, fixed: own }
  return {
    owns,
    watches: ['set-cookie'],
    perAnswer: (_exchange, status, seen) => shareable(own, status, seen),
  }
}

// A public route's errors must not be kept for the next caller, and a cookie must never be shared.
function shareable(own: Lines, status: number, seen: Seen): Lines {
  if (status >= 400) return NO_STORE
  return seen.get('set-cookie') === undefined ? own : PRIVATE
}

function delegated(setting: CacheSetting, cell: CellInfo): EmitStage {
  const own = lines([[NAME, classValue(cell, setting)]])
  const floor = setting.floor ?? 'none'
  return {
    owns: ['cache-control'],
    watches: ['cache-control', 'set-cookie'],
    perAnswer(_exchange, status, seen) {
      const wanted = seen.get('cache-control')
      if (wanted === undefined)
        return cell.data === 'private' || cell.data === 'stream' ? own : shareable(own, status, seen)
      if (!meetsFloor(parseCacheControl(wanted), floor)) return own
      return lines([[NAME, wanted.replace(/[^\t\x20-\x7e]/g, '')]])
    },
  }
}
