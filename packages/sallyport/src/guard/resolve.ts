// Resolves a document once into cells: presets laid below, defaults filled in, contradictions found.

import { layer } from '../policy/merge.ts'
import { foldText, isPatternFault, type Pattern, parsePattern } from '../policy/pattern.ts'
import { childPath, PolicyError, type PolicyProblem, PROBLEM_LIMIT, pathParts } from '../policy/problem.ts'
import { problem } from '../policy/schema.ts'
import { presets } from '../presets/index.ts'
import type { PresetName } from '../presets/names.ts'
import type { CellInfo, Resolved } from './cell.ts'
import type { Rule } from './control.ts'
import { type PolicyDocument, type RoutePolicy, readDocument } from './policy.ts'
import { register } from './register.ts'
import { placeFinder } from './written.ts'

/** One cell with the setting of every control. */
export interface ResolvedCell extends CellInfo {
  readonly pattern: Pattern | undefined
  readonly settings: { readonly [control: string]: unknown }
}

/** A policy that has been checked, with all its cells. */
export interface ResolvedPolicy {
  /** The document with everything that it extends laid below it, without `$schema`; this is what is digested. */
  readonly document: PolicyDocument
  /** The cells of the routes, then the default cell, then the strict cell. */
  readonly cells: readonly ResolvedCell[]
}

/** The rules with their settings' types forgotten: for loops over the register. */
export const rules: readonly Rule[] = register as readonly unknown[] as readonly Rule[]

/**
 * Checks a document and resolves it into cells.
 *
 * @throws PolicyError with every problem, each with its path, what was received and how to mend it
 */
export function resolvePolicy(input: PolicyDocument): ResolvedPolicy {
  const read = readDocument(input)
  if (read.problems.length > 0) throw new PolicyError(read.problems)
  const document = flatten(read.document)
  const { routes = {}, name: _name, version: _version, ...base } = document
  const cells = Object.entries(layer(gainedRoutes(base), routes)).map(([key, route]) =>
    routeCell(key, base, route),
  )
  cells.push(cellOf({ id: '*', origin: 'default', method: undefined, path: '*' }, undefined, base, {}))
  cells.push(strictCell(base))
  const problems = [...routeConflicts(cells), ...contradictions(cells, read.document)]
  if (problems.length > 0) throw new PolicyError(problems.slice(0, PROBLEM_LIMIT))
  return { document, cells }
}

/** Routes that nobody wrote: those that controls bring along, such as a page of their own. */
export function gainedRoutes(base: RoutePolicy): { readonly [pattern: string]: RoutePolicy } {
  return Object.assign({}, ...rules.map((rule) => rule.routes?.(base)))
}

/** The cells of a resolved policy as one control sees them. */
export function resolvedFor<S>(
  policy: ResolvedPolicy,
  control: { readonly name: string },
): readonly Resolved<S>[] {
  return policy.cells.map((cell) => ({ cell, setting: cell.settings[control.name] as S }))
}

// `$schema` tells an editor where the schema lies; it is no part of what the policy says.
function flatten(document: PolicyDocument): PolicyDocument {
  const { extends: below = [], $schema: _schema, ...own } = document
  const layers = (Array.isArray(below) ? below : [below]) as readonly (PresetName | PolicyDocument)[]
  let merged: PolicyDocument = {}
  for (const entry of layers)
    merged = layer(merged, flatten(typeof entry === 'string' ? presets[entry] : entry))
  return layer(merged, own)
}

type CellPlace = Pick<CellInfo, 'id' | 'origin' | 'method' | 'path'>

function routeCell(key: string, base: RoutePolicy, route: RoutePolicy): ResolvedCell {
  const pattern = parsePattern(key)
  if (isPatternFault(pattern))
    throw new PolicyError([problem(childPath('routes', key), 'route', pattern.message, key, pattern.mend)])
  return cellOf(
    { id: key, origin: 'route', method: pattern.method, path: pattern.path },
    pattern,
    base,
    route,
  )
}

function cellOf(
  place: CellPlace,
  pattern: Pattern | undefined,
  base: RoutePolicy,
  route: RoutePolicy,
): ResolvedCell {
  const settings: Record<string, unknown> = {}
  for (const control of rules) {
    const name = control.name as keyof RoutePolicy
    settings[name] = layer(layer(control.defaults as unknown, base[name]), route[name])
  }
  return {
    ...place,
    pattern,
    data: route.data ?? base.data ?? 'private',
    namesData: route.data !== undefined,
    credentials: route.credentials ?? base.credentials ?? 'mixed',
    settings,
    ...(place.origin === 'route' && { own: route as CellInfo['own'] & object }),
  }
}

// The fixed cell of paths that two programs may read differently: private, no CORS, no exemption.
function strictCell(base: RoutePolicy): ResolvedCell {
  const cell = cellOf({ id: '!', origin: 'strict', method: undefined, path: '!' }, undefined, base, {
    data: 'private',
    credentials: 'mixed',
  })
  return strictlyBoth(cell, cell)
}

/** The cell of a path that one program takes for the first cell's, and another for the second's. */
export function strictlyBoth(first: ResolvedCell, second: ResolvedCell): ResolvedCell {
  const settings: Record<string, unknown> = { ...first.settings }
  for (const { name, strict } of rules)
    if (strict) settings[name] = strict(first.settings[name] as never, second.settings[name] as never)
  return {
    ...first,
    id: first.origin === 'route' ? `! ${first.id}` : '!',
    origin: 'strict',
    pattern: undefined,
    data: 'private',
    credentials: 'mixed',
    settings,
  }
}

function routeConflicts(cells: readonly ResolvedCell[]): PolicyProblem[] {
  const seen = new Map<string, string>()
  const problems: PolicyProblem[] = []
  for (const cell of cells) {
    if (!cell.pattern) continue
    const shape = cell.pattern.segments
      .map((segment) =>
        segment.kind === 'static' ? foldText(segment.text) : segment.kind === 'param' ? ':' : '*',
      )
      .join('/')
    const key = `${cell.method ?? ''} ${shape.replace(/\/$/, '')}`
    const other = seen.get(key)
    if (other !== undefined)
      problems.push(
        problem(
          childPath('routes', cell.id),
          'route',
          `covers the same paths as "${other}" for a program that ignores letter case, a trailing slash or parameter names`,
          undefined,
          'keep one of the two',
        ),
      )
    else seen.set(key, cell.id)
  }
  return problems
}

// A contradiction is reported where its setting was written, once, however many cells inherit it.
function contradictions(cells: readonly ResolvedCell[], document: PolicyDocument): PolicyProblem[] {
  const placeOf = placeFinder(document)
  const found = new Map<string, { problem: PolicyProblem; inherits: string[] }>()
  for (const cell of cells) {
    // The strict cell is made from the default one, whose problems it would only repeat.
    if (cell.origin === 'strict') continue
    const route = cell.origin === 'route' ? cell.id : undefined
    for (const control of rules) {
      for (const each of control.contradictions?.(cell.settings[control.name] as never, cell) ?? []) {
        const local = pathParts(each.path)
        const place = placeOf(route, [control.name, ...local])
        let path = childPath(place.holder, control.name)
        if (each.path !== '') path += each.path.startsWith('[') ? each.path : `.${each.path}`
        const origin = place.preset === undefined ? '' : ` (from the preset "${place.preset}")`
        const key = `${path} ${each.message}`
        const known = found.get(key)
        if (!known) {
          const message = each.message + origin
          found.set(key, {
            problem: { ...each, path, message },
            inherits: place.inRoute ? [] : [cell.id],
          })
        } else if (!place.inRoute) known.inherits.push(cell.id)
      }
    }
  }
  return Array.from(found.values(), ({ problem: each, inherits }) =>
    inherits.length === 0 || inherits.includes('*')
      ? each
      : { ...each, message: `${each.message}, in ${routesInWords(inherits)}` },
  )
}

function routesInWords([first, ...rest]: readonly string[]): string {
  return rest.length === 0
    ? `the route "${first}"`
    : `"${first}" and ${rest.length} more route${rest.length > 1 ? 's' : ''}`
}
