// Sets Cache-Control by class, whatever the handler or the upstream sets, unless the cell delegates it above a floor.

import type { CellInfo } from '../../guard/cell.ts'
import type { EmitStage, Seen, Stage } from '../../guard/control.ts'
import type { Exchange } from '../../guard/exchange.ts'
import { isHeaderValue, joinLines, type Lines, lines } from '../../guard/lines.ts'
import { meetsFloor, parseCacheControl } from './directives.ts'
import { type CacheSetting, classValue } from './setting.ts'

const NAME = 'Cache-Control'
const NO_STORE = lines([[NAME, 'no-store']])
const PRIVATE = lines([[NAME, 'no-store, private']])
const PRIVATE_STREAM = lines([[NAME, 'no-store, private, no-transform']])

/**
 * What caches read beside or instead of Cache-Control: the old headers, targeted ones (RFC 9213), and what single
 * caches obey first (nginx takes X-Accel-Expires before Cache-Control).
 */
export const BESIDE = [
  'Pragma',
  'Expires',
  'Surrogate-Control',
  'CDN-Cache-Control',
  'Cloudflare-CDN-Cache-Control',
  'Vercel-CDN-Cache-Control',
  'Netlify-CDN-Cache-Control',
  'Edge-Control',
  'X-Accel-Expires',
] as const

const BESIDE_LOWER = BESIDE.map((name) => name.toLowerCase())
const OWNS = ['cache-control', ...BESIDE_LOWER]

export function compileCache(setting: CacheSetting, cell: CellInfo): Stage {
  return { emit: setting.owner === 'handler' ? delegated(setting, cell) : owned(setting, cell) }
}

function owned(setting: CacheSetting, cell: CellInfo): EmitStage {
  const own = lines([[NAME, classValue(cell, setting)]])
  if (cell.data === 'private') return { owns: OWNS, fixed: own }
  // A cache may keep what it must ask for before each reuse, and a cookie with it.
  if (cell.data === 'stream')
    return {
      owns: OWNS,
      watches: ['set-cookie'],
      perAnswer: (_exchange, _status, seen) => (seen.get('set-cookie') === undefined ? own : PRIVATE_STREAM),
    }
  return {
    owns: OWNS,
    watches: ['set-cookie'],
    perAnswer: (exchange, status, seen) => shareable(own, cell, exchange, status, seen),
  }
}

function isShareable({ data }: CellInfo): boolean {
  return data === 'public' || data === 'asset'
}

// A public route's errors and the guard's own redirects must not be kept for the next caller, a cookie must never be
// shared, and an answer to somebody who showed a credential may be that caller's own.
function shareable(own: Lines, cell: CellInfo, exchange: Exchange, status: number, seen: Seen): Lines {
  // A 304 freshens what a cache has, so it says what the 200 said (RFC 9111, section 4.3.4).
  if (status >= 400 || (status >= 300 && status !== 304 && exchange.answeredByGuard)) return NO_STORE
  if (seen.get('set-cookie') !== undefined) return PRIVATE
  if (cell.credentials === 'none') return own
  return exchange.header('authorization') === undefined && exchange.header('cookie') === undefined
    ? own
    : PRIVATE
}

// Without a word of the application the class's own value holds.
const UNSAID = { accepted: undefined, keepsPrivate: false }

// Applications send few different values; the memory of them is bounded all the same.
const REMEMBERED = 64

function delegated(setting: CacheSetting, cell: CellInfo): EmitStage {
  const own = lines([[NAME, classValue(cell, setting)]])
  const floor = setting.floor ?? 'none'
  const known = new Map<string, { accepted: Lines | undefined; keepsPrivate: boolean }>()
  const judge = (wanted: string) => {
    let judged = known.get(wanted)
    if (judged) return judged
    const directives = parseCacheControl(wanted)
    const acceptable = isHeaderValue(wanted) && meetsFloor(directives, floor)
    judged = {
      accepted: acceptable ? lines([[NAME, wanted]]) : undefined,
      keepsPrivate: meetsFloor(directives, 'private'),
    }
    if (known.size < REMEMBERED) known.set(wanted, judged)
    return judged
  }
  return {
    owns: OWNS,
    watches: [...OWNS, 'set-cookie'],
    perAnswer(exchange, status, seen) {
      const wanted = seen.get('cache-control')
      const hasCookie = seen.get('set-cookie') !== undefined
      if (wanted === undefined && isShareable(cell)) return shareable(own, cell, exchange, status, seen)
      const { accepted, keepsPrivate } = wanted === undefined ? UNSAID : judge(wanted)
      if (hasCookie && !keepsPrivate) return cell.data === 'stream' ? PRIVATE_STREAM : PRIVATE
      if (accepted === undefined) return own
      // Above a floor nothing beside Cache-Control may speak, since a cache may obey it first.
      return floor === 'none' ? withBeside(accepted, seen) : accepted
    },
  }
}

function withBeside(accepted: Lines, seen: Seen): Lines {
  const pairs = BESIDE.flatMap((name, index) => {
    const value = seen.get(BESIDE_LOWER[index]!)
    return value !== undefined && isHeaderValue(value) ? [[name, value] as const] : []
  })
  return pairs.length === 0 ? accepted : joinLines(accepted, lines(pairs))
}
