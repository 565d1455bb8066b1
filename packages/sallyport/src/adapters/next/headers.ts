// The policy's fixed lines as Next's `headers()`: what holds on hosts that serve the build without our guard.

import type { CompiledCell } from '../../guard/compile.ts'
import { OWNED } from '../../guard/compile.ts'
import type { Guard } from '../../guard/guard.ts'
import { isPatternFault, type Pattern, parsePattern, type Segment } from '../../policy/pattern.ts'

/** An entry of Next's `headers()`; what else an entry may hold is passed on. */
export interface HeaderRoute {
  source: string
  basePath?: false
  locale?: false
  headers: { key: string; value: string }[]
}

interface Surroundings {
  /** The app lies under a base path, which Next would put before each source; routes of a policy are whole paths. */
  readonly basePath: boolean
  /** The app has i18n routing, which would put a locale before each source. */
  readonly locales: boolean
}

/**
 * The app's own entries without what the policy owns everywhere, then the policy's: everywhere first, then its routes
 * from the broadest to the most specific, since in Next the last entry of a name wins.
 *
 * A list has no methods and can't take a header away again: a route of one method is left to its broader cell, and
 * what a route does not send stands there all the same. Under a server of ours the guard puts both right.
 */
export function staticHeaders(
  guard: Guard,
  own: readonly HeaderRoute[],
  { basePath, locales }: Surroundings,
): HeaderRoute[] {
  const whole = { ...(basePath && { basePath: false as const }), ...(locales && { locale: false as const }) }
  const fallback = guard.cells.find((cell) => cell.origin === 'default')!
  const routes = guard.cells
    .flatMap((cell) => {
      if (cell.origin !== 'route' || cell.method !== undefined) return []
      const pattern = parsePattern(cell.id)
      return isPatternFault(pattern) ? [] : [{ pattern, compiled: cell.compiled }]
    })
    .sort((a, b) => compareBreadth(a.pattern.segments, b.pattern.segments))
  return [
    ...own.flatMap((entry) => withoutOwned(guard, entry)),
    ...entry('/(.*)', fallback.compiled),
    ...routes.flatMap(({ pattern, compiled }) => entry(sourceOf(pattern), compiled)),
  ]

  function entry(source: string, compiled: CompiledCell): HeaderRoute[] {
    const pairs = [...compiled.fixed.pairs, ...compiled.varyLines.pairs]
    if (pairs.length === 0) return []
    return [{ source, ...whole, headers: pairs.map(([key, value]) => ({ key, value })) }]
  }
}

function withoutOwned(guard: Guard, entry: HeaderRoute): HeaderRoute[] {
  const headers = entry.headers.filter(
    ({ key }) => !guard.cells.every((cell) => cell.compiled.names(key) & OWNED),
  )
  // Next refuses an entry without headers.
  return headers.length === 0 ? [] : [{ ...entry, headers }]
}

const RANK = { wildcard: 0, param: 1, static: 2 } as const
const END = 3

// The order in which the guard itself prefers routes, the least preferred first.
function compareBreadth(a: readonly Segment[], b: readonly Segment[]): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const difference = rankAt(a, i) - rankAt(b, i)
    if (difference !== 0) return difference
  }
  return 0
}

function rankAt(segments: readonly Segment[], index: number): number {
  const segment = segments[index]
  return segment ? RANK[segment.kind] : END
}

// Groups without names: Next fills named ones into the values of headers. `/x/*` covers `/x` itself as well.
function sourceOf(pattern: Pattern): string {
  const source = pattern.segments
    .map((segment) =>
      segment.kind === 'static'
        ? `/${segment.text.replace(/[\\:(){}*+?]/g, '\\$&')}`
        : segment.kind === 'param'
          ? '/([^/]+)'
          : '{/(.*)}?',
    )
    .join('')
  return source === '{/(.*)}?' ? '/(.*)' : source
}
