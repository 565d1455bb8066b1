// Which cell judges a request: that of the most specific route, or, where two programs may read the path as two different
// ones, what is made of both. The guard and whoever compares policies look here, so that they never disagree.

import { pathFault } from '../policy/canonical.ts'
import { foldPath, loosePath } from '../policy/pattern.ts'
import { buildRouter } from '../policy/router.ts'
import type { ResolvedCell } from './resolve.ts'

/**
 * @param plain the cell of an index
 * @param both what is made of the cells of two indexes, the more specific reading first
 */
export function cellLocator<T>(
  cells: readonly ResolvedCell[],
  plain: (index: number) => T,
  both: (first: number, second: number) => T,
): (method: string, path: string) => T {
  const router = buildRouter<number>(
    cells.flatMap(({ pattern }, index) => (pattern ? [[pattern, index] as const] : [])),
  )
  // The default cell stands before the strict one.
  const fallback = cells.length - 2
  return (method, path) => {
    if (pathFault(path) !== undefined)
      return both(router.findFolded(method, loosePath(path)) ?? fallback, fallback)
    const found = router.find(method, path) ?? fallback
    if (!router.isAmbiguous(method, path)) return plain(found)
    return both(router.findFolded(method, foldPath(path)) ?? fallback, found)
  }
}
