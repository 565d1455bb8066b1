// Resolves a document once into cells: presets laid below, defaults filled in, contradictions found.

import { layer } from '../policy/merge.ts'
import { isPatternFault, type Pattern, parsePattern } from '../policy/pattern.ts'
import { childPath, PolicyError, type PolicyProblem } from '../policy/problem.ts'
import { isPlainObject, problem } from '../policy/schema.ts'
import { presets } from '../presets/index.ts'
import type { CellInfo, Resolved } from './cell.ts'
import type { Control } from './control.ts'
import { documentProblems, type PolicyDocument, type RoutePolicy } from './policy.ts'
import { register } from './register.ts'

/** One cell with the setting of every control. */
export interface ResolvedCell extends CellInfo {
  readonly pattern: Pattern | undefined
  readonly settings: { readonly [control: string]: unknown }
}

/** A policy that has been checked, with all its cells. */
export interface ResolvedPolicy {
  /** The document with everything that it extends laid below it; this is what is digested. */
  readonly document: PolicyDocument
  /** The cells of the routes, then the default cell, then the strict cell. */
  readonly cells: readonly ResolvedCell[]
}

/** The controls with their settings' types forgotten: for loops over the register. */
export const controls: readonly Control[] = register as readonly unknown[] as readonly Control[]

/**
 * Checks a document and resolves it into cells.
 *
 * @throws PolicyError with every problem, each with its path, what was received and how to mend it
 */
export function resolvePolicy(input: PolicyDocument): ResolvedPolicy {
  const formal = documentProblems(input)
  if (formal.length > 0) throw new PolicyError(formal)
  const document = flatten(input)
  const { routes = {}, name: _name, version: _version, $schema: _schema, ...base } = document
  const cells = Object.entries(routes).map(([key, route]) => routeCell(key, base, route))
  cells.push(cellOf({ id: '*', origin: 'default', method: undefined, path: '*' }, undefined, base, {}))
  cells.push(strictCell(base))
  const problems = [...routeConflicts(cells), ...contradictions(cells, document)]
  if (problems.length > 0) throw new PolicyError(problems)
  return { document, cells }
}

/** The cells of a resolved policy as one control sees them. */
export function resolvedFor<S>(
  policy: ResolvedPolicy,
  control: { readonly name: string },
): readonly Resolved<S>[] {
  return policy.cells.map((cell) => ({ cell, setting: cell.settings[control.name] as S }))
}

function flatten(document: PolicyDocument): PolicyDocument {
  const { extends: below, ...own } = document
  const layers = below === undefined ? [] : typeof below === 'string' ? [below] : below
  let merged: PolicyDocument = {}
  for (const entry of layers)
    merged = layer(merged, typeof entry === 'string' ? flatten(presets[entry]) : flatten(entry))
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
  for (const control of controls) {
    const name = control.name as keyof RoutePolicy
    settings[name] = layer(layer(control.defaults as unknown, base[name]), route[name])
  }
  return {
    ...place,
    pattern,
    data: route.data ?? base.data ?? 'private',
    credentials: route.credentials ?? base.credentials ?? 'mixed',
    settings,
  }
}

// The fixed cell of paths that two programs may read differently: private, no CORS, no exemption.
function strictCell(base: RoutePolicy): ResolvedCell {
  const cell = cellOf({ id: '!', origin: 'strict', method: undefined, path: '!' }, undefined, base, {
    data: 'private',
    credentials: 'mixed',
  })
  const settings: Record<string, unknown> = { ...cell.settings }
  for (const control of controls)
    if (control.strict) settings[control.name] = control.strict(settings[control.name] as never)
  return { ...cell, settings }
}

function routeConflicts(cells: readonly ResolvedCell[]): PolicyProblem[] {
  const seen = new Map<string, string>()
  const problems: PolicyProblem[] = []
  for (const cell of cells) {
    if (!cell.pattern) continue
    const shape = cell.pattern.segments
      .map((segment) =>
        segment.kind === 'static' ? segment.text.toLowerCase() : segment.kind === 'param' ? ':' : '*',
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

// A contradiction is reported where its setting was written: in the route, else at the policy's top level, once.
function contradictions(cells: readonly ResolvedCell[], document: PolicyDocument): PolicyProblem[] {
  const problems = new Map<string, PolicyProblem>()
  for (const cell of cells) {
    for (const control of controls) {
      for (const found of control.contradictions?.(cell.settings[control.name] as never, cell) ?? []) {
        const local = found.path === '' ? control.name : `${control.name}.${found.path}`
        const route = document.routes?.[cell.id]
        const written = route !== undefined && (Object.hasOwn(route, control.name) || found.kind === 'route')
        const dependsOnRoute =
          route !== undefined && !isPlainObject((document as Record<string, unknown>)[control.name])
        const path = written || dependsOnRoute ? `${childPath('routes', cell.id)}.${local}` : local
        const key = `${path} ${found.message}`
        if (!problems.has(key)) problems.set(key, { ...found, path })
      }
    }
  }
  return [...problems.values()]
}
