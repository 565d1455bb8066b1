// How `cache` is described, proved and compared: who may store an answer, and for how long it is reused unasked.

import type { CellInfo, Resolved } from '../../guard/cell.ts'
import type { Change, Entry, Finding, Observation, Probe, Section } from '../../guard/control.ts'
import { compareModes, headerValues, sameForAll, sampleRequest } from '../faces.ts'
import { type Directives, meetsFloor, parseCacheControl } from './directives.ts'
import { BESIDE } from './enforce.ts'
import { type CacheSetting, classValue } from './setting.ts'

type Cells = readonly Resolved<CacheSetting>[]

const WHY: Readonly<Record<CellInfo['data'], string>> = {
  private:
    'Nobody keeps a copy: a shared proxy has nothing to hand to another caller, and the back button nothing to show after sign-out.',
  public:
    'The same for everybody, so caches may take load off. Errors are never kept; an answer that sets a cookie, or that goes to a caller with a credential, is not shared.',
  stream: 'Each event reaches its reader at once: no cache keeps it and no proxy rewrites it.',
  asset: 'The content of an asset’s URL never changes, so it may be kept for long. Errors are never kept.',
}

export function describeCache(cells: Cells): Section {
  const active = cells.filter(({ setting }) => setting.mode !== 'off')
  const entries = (['private', 'public', 'stream', 'asset'] as const).flatMap((data): readonly Entry[] =>
    sameForAll(
      active,
      'Cache-Control',
      (setting, { cell }) => (cell.data === data ? spoken(setting, cell) : undefined),
      WHY[data],
    ),
  )
  const limits = [
    'A cache that ignores Cache-Control (RFC 9111) is out of reach; headers that some caches obey first (Pragma, Expires, Surrogate-Control, CDN-Cache-Control, X-Accel-Expires) are removed.',
  ]
  if (active.some(({ setting }) => setting.owner === 'handler'))
    limits.push('Where the application decides, this page states the least that holds, not the value sent.')
  if (active.length < cells.length)
    limits.push('Where the control is off, caching is whatever the application says.')
  if (cells.some(({ setting }) => setting.mode === 'report'))
    limits.push('In report mode nothing is changed: what would have been is only counted.')
  return { control: 'cache', id: 'SP-CACHE-01', title: 'Caching', entries, limits }
}

function spoken(setting: CacheSetting, cell: CellInfo): string {
  const own = classValue(cell, setting)
  if (setting.owner !== 'handler') return own
  const floor = setting.floor ?? 'none'
  return floor === 'none'
    ? `what the application says; where it says nothing, ${own}`
    : `what the application says, where it is at least "${floor}"; otherwise ${own}`
}

export function probeCache(cells: Cells): readonly Probe[] {
  return cells
    .filter(({ setting }) => (setting.mode ?? 'enforce') === 'enforce')
    .map(({ cell, setting }) => ({
      id: `cache/value ${cell.id}`,
      title: `Cache-Control is ${spoken(setting, cell)}`,
      cell: cell.id,
      request: sampleRequest(cell),
      expect: (seen) => judge(setting, cell, seen),
    }))
}

function judge(setting: CacheSetting, cell: CellInfo, seen: Observation): readonly Finding[] {
  const own = classValue(cell, setting)
  const mend = `Cache-Control: ${own}`
  const value = headerValues(seen, 'cache-control').join(', ')
  const finding = (id: string, detail: string): Finding[] => [{ id, detail, mend }]
  if (value === '')
    return finding(
      cell.data === 'private' ? 'cache.private-missing' : 'drift.cache',
      'Cache-Control is missing',
    )
  const directives = parseCacheControl(value)
  const shared = isShared(directives)
  if (shared && headerValues(seen, 'set-cookie').length > 0)
    return finding('cache.set-cookie', `an answer that sets a cookie says ${value}`)
  if (directives.has('no-store') && (directives.has('public') || (lifetime(directives) ?? 0) > 0))
    return finding('cache.conflict', value)
  if (setting.owner === 'handler')
    return meetsFloor(directives, setting.floor ?? 'none')
      ? []
      : finding('drift.cache', `${value} is below the floor`)
  const beside = BESIDE.find((name) => headerValues(seen, name.toLowerCase()).length > 0)
  if (beside !== undefined)
    return [{ id: 'drift.header-extra', detail: `${beside} is there`, mend: `remove the line ${beside}` }]
  switch (cell.data) {
    case 'private':
      if (directives.has('no-store')) return []
      return finding(shared ? 'cache.private-storable' : 'cache.private-browser', value)
    case 'stream': {
      if (!directives.has('no-store') && !directives.has('no-cache')) return finding('cache.stream', value)
      return directives.has('no-transform') || seen.status >= 400 ? [] : finding('drift.cache', value)
    }
    default:
      if (seen.status >= 400) return directives.has('no-store') ? [] : finding('cache.error-cacheable', value)
      if (headerValues(seen, 'set-cookie').length > 0) return []
      return same(directives, parseCacheControl(own)) ? [] : finding('drift.cache', value)
  }
}

// RFC 9111, sections 3 and 3.5: what is neither private nor no-store may be kept by a shared cache.
function isShared(directives: Directives): boolean {
  return !meetsFloor(directives, 'private')
}

function lifetime(directives: Directives): number | undefined {
  const age = directives.get('s-maxage') ?? directives.get('max-age')
  return age === undefined ? undefined : Number(age)
}

function same(a: Directives, b: Directives): boolean {
  return a.size === b.size && [...a].every(([name, value]) => b.has(name) && b.get(name) === value)
}

/**
 * Compares two settings of one cell. The ranks say who may end up with a copy of a private answer; for public data,
 * whether errors and cookies are kept out of shared caches.
 */
export function compareCache(
  before: CacheSetting,
  after: CacheSetting,
  cell: CellInfo,
  was: CellInfo = cell,
): readonly Change[] {
  if (was.data !== cell.data)
    return [...compareModes(before, after), ...compareAcross(before, after, cell, was)]
  const [from, to] = [rank(before, cell), rank(after, cell)]
  const changes: Change[] = [...compareModes(before, after)]
  if (to > from)
    changes.push({
      strength: 'stronger',
      what: 'owner',
      because: `${HOLDS[cell.data][to]}, where before ${HOLDS[cell.data][from]}`,
    })
  else if (to < from) changes.push({ strength: 'weaker', what: 'owner', because: HOLDS[cell.data][to]! })
  else if (ownerOf(before) !== ownerOf(after))
    changes.push({ strength: 'neutral', what: 'owner', because: `as before: ${HOLDS[cell.data][to]}` })
  const [value, other] = [classValue(cell, before), classValue(cell, after)]
  if (value !== other)
    changes.push({
      strength: 'neutral',
      what: 'maxAgeSeconds',
      because: `everybody may know the answer; caches say ${other} instead of ${value}`,
    })
  return changes
}

// Of two classes the values are compared as such, by `compareDataClass`; what an application may set instead of them is
// set against what it may have set before.
function compareAcross(
  before: CacheSetting,
  after: CacheSetting,
  cell: CellInfo,
  was: CellInfo,
): readonly Change[] {
  const isBest = (setting: CacheSetting, { data }: CellInfo) =>
    rank(setting, { ...cell, data }) === HOLDS[data].length - 1
  const holds = HOLDS[cell.data][rank(after, cell)]!
  if (isBest(after, cell))
    return isBest(before, was) ? [] : [{ strength: 'stronger', what: 'owner', because: holds }]
  const [from, to] = [rank(before, was), rank(after, was)]
  return from === to ? [] : [{ strength: from < to ? 'stronger' : 'weaker', what: 'owner', because: holds }]
}

function ownerOf(setting: CacheSetting): string {
  return setting.owner === 'handler' ? `handler above ${setting.floor ?? 'none'}` : 'policy'
}

// Who may hold a copy, from the worst case to the best.
const HOLDS: Readonly<Record<CellInfo['data'], readonly string[]>> = {
  private: [
    'the application alone decides, and an answer without Cache-Control can be kept by a shared cache',
    'an application can let a shared cache keep an answer and hand it to another caller',
    'an application can let the browser keep an answer, and the back button shows it after sign-out',
    'nobody keeps a copy',
  ],
  public: [
    'the application alone decides, and an error can be kept and shown to others',
    'an application can let an error be kept and shown to others',
    'errors and cookies are kept out of shared caches',
  ],
  stream: [
    'the application alone decides, and a proxy can keep or rewrite the stream',
    'an application can let a proxy keep or rewrite the stream',
    'no cache keeps the stream and no proxy rewrites it',
  ],
  asset: [
    'the application alone decides, and an error can be kept and shown to others',
    'an application can let an error be kept and shown to others',
    'errors and cookies are kept out of shared caches',
  ],
}

function rank(setting: CacheSetting, { data }: CellInfo): number {
  if ((setting.mode ?? 'enforce') !== 'enforce') return 0
  if (data !== 'private') return setting.owner === 'handler' ? 1 : 2
  if (setting.owner !== 'handler') return 3
  return { none: 1, private: 2, 'no-store': 3 }[setting.floor ?? 'none']
}

const CLASS_RANK: Readonly<Record<CellInfo['data'], number>> = { asset: 0, public: 0, stream: 1, private: 2 }

/** Compares the classes that two policies give to one place: private is stronger than all others. */
export function compareDataClass(before: CellInfo, after: CellInfo): readonly Change[] {
  if (before.data === after.data) return []
  const difference = CLASS_RANK[after.data] - CLASS_RANK[before.data]
  const what = 'data'
  // A public route keeps errors, cookies and whoever shows a credential out of every cache, and a stream does not.
  if (difference !== 0 && before.data !== 'private' && after.data !== 'private')
    return [
      {
        what,
        strength: 'incomparable',
        because: `the answers are ${after.data} instead of ${before.data}: a stream is asked for anew before each reuse, but its errors can be kept`,
      },
    ]
  if (difference === 0)
    return [
      {
        what,
        strength: 'neutral',
        because: `${after.data} instead of ${before.data}: both may be kept by everybody`,
      },
    ]
  return difference > 0
    ? [{ what, strength: 'stronger', because: `the answers are ${after.data} instead of ${before.data}` }]
    : [
        {
          what,
          strength: 'weaker',
          because: `answers that were ${before.data} are ${after.data}: ${after.data === 'stream' ? 'a cache can keep them, if it asks before each reuse' : 'a shared cache can keep them and hand them to anybody'}`,
        },
      ]
}
