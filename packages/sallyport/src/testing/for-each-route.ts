// `forEachRoute`: holds the handlers of an app against the routes of its policy. A handler that no route covers has only
// what the policy says of every other path, which nobody may have thought of.

import { AssertionError } from 'node:assert'
import type { CellInfo } from '../guard/cell.ts'
import type { PolicyDocument } from '../guard/policy.ts'
import { type ResolvedCell, type ResolvedPolicy, resolvePolicy } from '../guard/resolve.ts'
import type { Pattern } from '../policy/pattern.ts'
import { buildRouter } from '../policy/router.ts'
import { type Handler, handlersOf, type RoutedApp, type Unreadable } from './handlers.ts'
import { ANY, overlap, REST, type Shape, samplesOf, shapesOf } from './route-shapes.ts'

/** A handler and the route of the policy that judges it. */
export interface ServedRoute {
  readonly method: string
  /** As the framework writes it. */
  readonly path: string
  /** The route's key in the policy. */
  readonly route: string
  readonly cell: CellInfo
}

/** What was found, where nothing is uncovered. */
export interface RouteCoverage {
  readonly served: readonly ServedRoute[]
  /** Routes of the policy that no handler serves: left over, or misspelt. */
  readonly unserved: readonly string[]
}

export interface ForEachRouteOptions {
  /** Called for each handler with its route; what it throws is thrown on. */
  readonly each?: (route: ServedRoute) => void
  /** Paths that need no route: `/healthz`, `GET /metrics`, `/static/*`, as the framework writes them or above. */
  readonly except?: readonly string[]
  /** Where the app is mounted, such as `/api`. */
  readonly prefix?: string
  /** Also fails where a route of the policy is served by no handler. */
  readonly noneUnserved?: boolean
}

/**
 * Holds every handler of an app of Express 5, Fastify or Hono against the policy's routes.
 *
 * @throws AssertionError where a handler has no route in the policy
 * @throws TypeError where the app does not list its routes
 * @example
 * await forEachRoute(app, policy, { except: ['/healthz'] })
 */
export async function forEachRoute(
  app: RoutedApp,
  policy: PolicyDocument | ResolvedPolicy,
  options: ForEachRouteOptions = {},
): Promise<RouteCoverage> {
  const resolved = 'cells' in policy ? policy : resolvePolicy(policy)
  const { handlers, unreadable } = await handlersOf(app)
  const routes = resolved.cells.filter(isRoute)
  const find = buildRouter(routes.map((cell) => [cell.pattern, cell] as const)).find
  const excepted = (options.except ?? []).map(readException)
  const served: ServedRoute[] = []
  const uncovered: string[] = []
  const known = new Set<string>()
  for (const { method, path: own } of handlers) {
    const path = (options.prefix ?? '') + own
    if (isExcepted(excepted, method, path) || known.has(`${method} ${path}`)) continue
    known.add(`${method} ${path}`)
    const cells = cellsOf(find, method, path)
    if (cells.includes(undefined)) uncovered.push(`${method === '*' ? '' : `${method} `}${path}`)
    for (const cell of new Set(cells)) if (cell) served.push({ method, path, route: cell.id, cell })
  }
  const hidden = unreadable.filter(({ path }) => !isExcepted(excepted, '*', path))
  // What the guard itself serves is no handler's.
  const written = Object.keys(resolved.document.routes ?? {})
  const unserved = routes
    .filter(({ id }) => written.includes(id))
    .filter((cell) => !handlers.some((handler) => canMeet(cell, handler, options.prefix ?? '')))
    .map(({ id }) => id)
  if (uncovered.length > 0 || hidden.length > 0 || (options.noneUnserved === true && unserved.length > 0))
    throw failure(uncovered, hidden, unserved)
  for (const each of served) options.each?.(each)
  return { served, unserved }
}

type RouteCell = ResolvedCell & { readonly pattern: Pattern }

function isRoute(cell: ResolvedCell): cell is RouteCell {
  return cell.origin === 'route' && cell.pattern !== undefined
}

function cellsOf(
  find: (method: string, path: string) => RouteCell | undefined,
  method: string,
  path: string,
): readonly (RouteCell | undefined)[] {
  // A handler of every method is covered where its least covered method is.
  const methods = method === '*' ? ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] : [method]
  return shapesOf(path).flatMap((shape) =>
    samplesOf(shape).flatMap((sample) => methods.map((each) => find(each, sample))),
  )
}

function canMeet(cell: RouteCell, handler: Handler, prefix: string): boolean {
  const { method, segments } = cell.pattern
  if (method !== undefined && handler.method !== '*' && handler.method !== method) {
    if (!(method === 'HEAD' && handler.method === 'GET')) return false
  }
  const wanted: Shape = segments.map((segment) =>
    segment.kind === 'static' ? segment.text : segment.kind === 'param' ? ANY : REST,
  )
  return shapesOf(prefix + handler.path).some((shape) => overlap(wanted, shape))
}

interface Exception {
  readonly method: string | undefined
  readonly path: string
}

function readException(text: string): Exception {
  const space = text.startsWith('/') ? -1 : text.indexOf(' ')
  return { method: space < 0 ? undefined : text.slice(0, space), path: text.slice(space + 1) }
}

function isExcepted(list: readonly Exception[], method: string, path: string): boolean {
  return list.some(
    (each) =>
      (each.method === undefined || each.method === method) &&
      (each.path === path ||
        (each.path.endsWith('/*') &&
          (path === each.path.slice(0, -2) || path.startsWith(each.path.slice(0, -1))))),
  )
}

function failure(
  uncovered: readonly string[],
  hidden: readonly Unreadable[],
  unserved: readonly string[],
): AssertionError {
  const lines = [
    ...uncovered.map(
      (handler) =>
        `${handler}: no route of the policy covers this handler; mend: routes: { '${suggest(handler)}': { data: 'private' } }`,
    ),
    ...hidden.map(({ what, mend }) => `${what}; mend: ${mend}`),
    ...(unserved.length > 0 ? [`routes of the policy that no handler serves: ${unserved.join(', ')}`] : []),
  ]
  return new AssertionError({
    message: [
      'handlers and the routes of the policy do not agree:',
      ...lines.map((line) => `  ${line}`),
    ].join('\n'),
    actual: uncovered,
    expected: [],
    operator: 'forEachRoute',
    stackStartFn: forEachRoute,
  })
}

// The framework's path in the way that a policy writes it.
function suggest(handler: string): string {
  const space = handler.startsWith('/') ? -1 : handler.indexOf(' ')
  const [shape = []] = shapesOf(handler.slice(space + 1)).toReversed()
  let count = 0
  const parts = shape.map((part) => (part === REST ? '*' : part === ANY ? `:p${++count}` : part))
  const named = parts.map((part) => (part === ':p1' && count === 1 ? ':id' : part))
  return `${handler.slice(0, space + 1)}/${named.join('/')}`
}
