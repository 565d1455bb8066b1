// Compares a Cache-Control that is there with the one that must be, by what caches do with each (RFC 9111).

import { isBare, meetsFloor, parseCacheControl } from '../../controls/cache/directives.ts'
import { headerValues } from '../../controls/faces.ts'
import type { DataClass } from '../../guard/cell.ts'
import type { Finding, Observation } from '../../guard/control.ts'

/** Judges the header of one answer. */
export function compareCache(wanted: string, data: DataClass, seen: Observation): readonly Finding[] {
  const value = headerValues(seen, 'cache-control').join(', ')
  const mend = `Cache-Control: ${wanted}`
  const finding = (id: string, detail: string): Finding[] => [{ id, detail, mend }]
  if (value === '')
    return finding(data === 'private' ? 'cache.private-missing' : 'drift.cache', 'Cache-Control is missing')
  const [declared, observed] = [parseCacheControl(wanted), parseCacheControl(value)]
  const same =
    declared.size === observed.size &&
    [...declared].every(([name, argument]) => observed.has(name) && observed.get(name) === argument)
  // Where the application decides above a floor, what passed is what was wanted.
  if (same) return []
  const isShared = !meetsFloor(observed, 'private')
  const age = observed.get('s-maxage') ?? observed.get('max-age')
  if (isShared && headerValues(seen, 'set-cookie').length > 0)
    return finding('cache.set-cookie', `an answer that sets a cookie says ${value}`)
  if (observed.has('no-store') && (observed.has('public') || Number(age ?? 0) > 0))
    return finding('cache.conflict', value)
  if (declared.has('no-store')) {
    if (isBare(observed, 'no-store')) return []
    if (seen.status >= 400 && (data === 'public' || data === 'asset'))
      return finding('cache.error-cacheable', value)
    if (data === 'stream') return finding('cache.stream', value)
    return finding(isShared ? 'cache.private-storable' : 'cache.private-browser', value)
  }
  if (data === 'stream') {
    if (!observed.has('no-store') && !observed.has('no-cache')) return finding('cache.stream', value)
    return !declared.has('no-transform') || observed.has('no-transform') ? [] : finding('drift.cache', value)
  }
  return finding('drift.cache', value)
}
