// Cache-Control as a list of directives (RFC 9111, section 5.2).

/** Directive names in small letters, and their arguments. */
export type Directives = ReadonlyMap<string, string | undefined>

// One directive and its argument, up to the next comma outside quotes. Every part may be empty, so it never goes back.
const MEMBER = /[\t ]*([^=,"\t ]*)[\t ]*(?:=[\t ]*("(?:[^"\\]|\\[\s\S])*"?|[^,]*))?[^,]*,?/y

/**
 * Reads the directives; of repeated ones the first counts (RFC 9111, section 4.2.1). A comma in a quoted argument parts
 * nothing: `x="a, no-store"` does not say no-store.
 */
export function parseCacheControl(value: string): Directives {
  const directives = new Map<string, string | undefined>()
  MEMBER.lastIndex = 0
  while (MEMBER.lastIndex < value.length) {
    const match = MEMBER.exec(value)
    if (!match) break
    const name = match[1]!.toLowerCase()
    if (name === '' || directives.has(name)) continue
    directives.set(name, match[2]?.trim().replace(/^"|"$/g, ''))
  }
  return directives
}

/** True where the directive stands without an argument: many caches look for the bare word and miss `no-store=1`. */
export function isBare(directives: Directives, name: string): boolean {
  return directives.has(name) && directives.get(name) === undefined
}

/** True where the directives keep what the floor asks: no shared cache, or no cache at all. */
export function meetsFloor(directives: Directives, floor: 'none' | 'private' | 'no-store'): boolean {
  if (floor === 'none' || isBare(directives, 'no-store')) return true
  if (floor === 'no-store') return false
  // `private="set-cookie"` keeps only the named fields from shared caches (RFC 9111, section 5.2.2.7).
  return isBare(directives, 'private') && !directives.has('public') && !directives.has('s-maxage')
}
