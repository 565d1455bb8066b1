// Cache-Control as a list of directives (RFC 9111, section 5.2).

/** Directive names in small letters, and their arguments. */
export type Directives = ReadonlyMap<string, string | undefined>

/** Reads the directives; of repeated ones the first counts (RFC 9111, section 4.2.1). */
export function parseCacheControl(value: string): Directives {
  const directives = new Map<string, string | undefined>()
  for (const part of value.split(',')) {
    const equals = part.indexOf('=')
    const name = (equals < 0 ? part : part.slice(0, equals)).trim().toLowerCase()
    if (name === '' || directives.has(name)) continue
    directives.set(
      name,
      equals < 0
        ? undefined
        : part
            .slice(equals + 1)
            .trim()
            .replace(/^"|"$/g, ''),
    )
  }
  return directives
}

/** True where the directives keep what the floor asks: no shared cache, or no cache at all. */
export function meetsFloor(directives: Directives, floor: 'none' | 'private' | 'no-store'): boolean {
  if (floor === 'none' || directives.has('no-store')) return true
  if (floor === 'no-store') return false
  // `private="set-cookie"` keeps only the named fields from shared caches (RFC 9111, section 5.2.2.7).
  return (
    directives.has('private') &&
    directives.get('private') === undefined &&
    !directives.has('public') &&
    !directives.has('s-maxage')
  )
}
