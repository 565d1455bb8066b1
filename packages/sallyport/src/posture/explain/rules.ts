// Which setting of the policy decided: its path, its value, and where it was written.

import { FIXED } from '../../controls/headers/enforce.ts'
import { nonCanonicalIn, type RequestSetting } from '../../controls/request/setting.ts'
import type { Cell } from '../../guard/cell.ts'
import type { Place } from '../../guard/control.ts'
import type { PolicyDocument, RoutePolicy } from '../../guard/policy.ts'
import type { ResolvedPolicy } from '../../guard/resolve.ts'
import { placeFinder } from '../../guard/written.ts'
import { METHODS } from '../../policy/pattern.ts'
import { childPath, show } from '../../policy/problem.ts'

/** One setting that had a part in a decision. */
export interface DecidingRule {
  /** `cors.origins`. */
  readonly setting: string
  readonly value: unknown
  /** `routes["/v1/*"].cors.origins`, `cors.origins of the preset "api"`, or `the default`. */
  readonly written: string
}

/** Finds the settings of one cell, and the places where they were written. */
export type RuleFinder = (control: string, fields: readonly string[]) => readonly DecidingRule[]

/** @param written the policy as it was written, so that its presets can be named */
export function ruleFinder(
  written: PolicyDocument,
  { document }: ResolvedPolicy,
  cell: Cell,
  place: Place,
): RuleFinder {
  const placeOf = placeFinder(written)
  // The cell of a path with two readings takes its settings from the route that one of them leads to.
  const route = cell.origin === 'default' || cell.id === '!' ? undefined : cell.id.replace(/^! /, '')
  const own = route === undefined ? undefined : document.routes?.[route]

  return (control, fields) =>
    fields.flatMap((field): readonly DecidingRule[] => {
      const path = control === '' ? [field] : [control, field]
      const value =
        control === ''
          ? cell[field as 'data' | 'credentials']
          : ((cell.settings[control] as Record<string, unknown>)[field] ??
            unsaid(control, field, cell, place))
      if (value === undefined) return []
      return [{ setting: path.join('.'), value, written: whereWritten(path, value) }]
    })

  function whereWritten(path: readonly string[], value: unknown): string {
    const inRoute = said(own, path) !== undefined
    const found = inRoute ? said(own, path) : said(document, path)
    if (cell.origin === 'strict' && found !== undefined && show(found) !== show(value))
      return 'the strictest, for a path with two readings'
    if (found === undefined) return 'the default'
    const { holder, preset } = placeOf(inRoute ? route : undefined, path)
    const at = path.reduce<string>((text, part) => childPath(text, part), holder)
    return preset === undefined ? at : `${at} of the preset "${preset}"`
  }
}

function said(holder: RoutePolicy | undefined, path: readonly string[]): unknown {
  let at: unknown = holder
  for (const part of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, part)) return undefined
    at = (at as Record<string, unknown>)[part]
  }
  return at
}

// What holds where a setting is left out and its control's defaults do not say it either.
function unsaid(control: string, field: string, cell: Cell, place: Place): unknown {
  if (control !== 'request') return undefined
  if (field === 'nonCanonical') return nonCanonicalIn(cell.settings['request'] as RequestSetting, place)
  return field === 'methods' ? METHODS : undefined
}

// What a refusal hangs on; a code that stands nowhere here is part of the control, and no setting changes it.
const REQUEST_CODES: Readonly<Record<string, readonly string[]>> = {
  not_implemented: ['methods'],
  method_not_allowed: ['methods'],
  target_too_long: ['maxTargetBytes'],
  headers_too_large: ['maxHeaderCount', 'maxHeaderBytes'],
  body_too_large: ['maxBodyBytes'],
  path_not_canonical: ['nonCanonical'],
}

const KEYS_CODES: Readonly<Record<string, readonly string[]>> = {
  ambiguous_credentials: ['header'],
  duplicate_header: ['header'],
  publishable_key_not_allowed: ['publishable'],
  insufficient_scope: ['selfService'],
  forbidden: ['selfService'],
  not_found: ['selfService'],
  method_not_allowed: ['selfService'],
  too_many_failures: ['failuresPerMinute'],
}

/** The settings that a verdict of a control hangs on. */
export function fieldsOfVerdict(control: string, code: string | undefined): readonly string[] {
  switch (control) {
    case 'request':
      return REQUEST_CODES[code ?? ''] ?? []
    case 'transport':
      return ['tls', 'plainHttp']
    case 'cors':
      return ['origins', 'bearer']
    case 'keys':
      return KEYS_CODES[code ?? ''] ?? ['vendor', 'environment']
    case 'access':
      return ACCESS_CODES[code ?? ''] ?? []
    case 'disclosure':
      return ['securityTxt', 'pgpKey', 'policyPage', 'posture']
    default:
      return []
  }
}

const CORS_FIELDS: Readonly<Record<string, readonly string[]>> = {
  'access-control-allow-methods': ['allowMethods'],
  'access-control-allow-headers': ['allowHeaders'],
  'access-control-expose-headers': ['exposeHeaders'],
  'access-control-max-age': ['maxAgeSeconds'],
}

const ACCESS_CODES: Readonly<Record<string, readonly string[]>> = {
  unauthenticated: ['authenticated', 'scopes', 'anyScope', 'roles', 'kinds', 'signIn'],
  insufficient_scope: ['scopes', 'anyScope', 'catalogue'],
  forbidden: ['roles', 'kinds', 'signIn'],
  step_up_required: ['signIn'],
}

/** The settings that a header line of a control hangs on; those of the cell itself come without a control. */
export function fieldsOfLine(
  control: string,
  name: string,
): { readonly cell: readonly string[]; readonly control: readonly string[] } {
  const lower = name.toLowerCase()
  switch (control) {
    case 'transport':
      return { cell: [], control: ['hsts'] }
    case 'cache':
      return { cell: ['data'], control: ['owner', 'floor', 'maxAgeSeconds'] }
    case 'client':
      return { cell: [], control: ['requestId'] }
    case 'cors':
      return { cell: [], control: CORS_FIELDS[lower] ?? ['origins', 'bearer'] }
    case 'errors':
      return { cell: [], control: ['replaceBodies'] }
    case 'headers': {
      const field = FIXED.find(([header]) => header.toLowerCase() === lower)?.[2]
      return { cell: [], control: [field ?? 'strip'] }
    }
    default:
      return { cell: [], control: [] }
  }
}
