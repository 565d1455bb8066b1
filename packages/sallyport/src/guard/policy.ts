// The policy document: its type, its schema, `definePolicy`. Both are sums over the register of controls, so a new
// control is in the language by standing in the register.

import { isPatternFault, METHODS, parsePattern } from '../policy/pattern.ts'
import { childPath, type PolicyProblem } from '../policy/problem.ts'
import {
  type Infer,
  isPlainObject,
  type JsonSchema,
  oneOf,
  problem,
  type Report,
  type Schema,
  text,
  unknownKey,
} from '../policy/schema.ts'
import { PRESET_NAMES, type PresetName } from '../presets/names.ts'
import { CREDENTIALS, type Credentials, DATA_CLASSES, type DataClass } from './cell.ts'
import { register } from './register.ts'

type Register = typeof register
/** The setting of each control, by its name. */
export type Settings = { readonly [C in Register[number] as C['name']]?: Infer<C['schema']> }

/** What a route says; where it says nothing, the policy's own top level holds. */
export interface RoutePolicy extends Settings {
  /** The class of the data that it answers with; `private` where nothing is said. */
  readonly data?: DataClass
  /** The credentials that it takes; `mixed` (bearer or cookie) where nothing is said. */
  readonly credentials?: Credentials
}

/** A policy as it is written: plain data. */
export interface PolicyDocument extends RoutePolicy {
  readonly $schema?: string
  /** The name of the API, for the posture page. */
  readonly name?: string
  /** The version of this policy, for the posture page. */
  readonly version?: string
  /** Presets or policies that lie below this one, lowest first. */
  readonly extends?: PresetName | readonly (PresetName | PolicyDocument)[]
  /** Settings for paths: `"/v1/account/*"`, `"GET /v1/users/:id"`. Most specific wins; routes inherit nothing from each other. */
  readonly routes?: { readonly [pattern: string]: RoutePolicy }
}

/**
 * Gives a policy its type; the data itself is not changed. It is checked when it is compiled or by `sallyport check`.
 *
 * @example
 * export default definePolicy({ extends: 'recommended', routes: { '/v1/status': { data: 'public' } } })
 */
export function definePolicy(policy: PolicyDocument): PolicyDocument {
  return policy
}

const dataSchema = oneOf(DATA_CLASSES, 'The class of the data that the route answers with.')
const credentialsSchema = oneOf(
  CREDENTIALS,
  'The credentials that the route takes; "none" is a public route.',
)
const nameSchema = text(
  { max: 200, pattern: /^[^\p{Cc}]*$/u, expected: 'a short text', mend: 'write a name of one line' },
  'The name of the API, for the posture page.',
)

const routeFields: { readonly [key: string]: Schema<unknown> } = {
  data: dataSchema,
  credentials: credentialsSchema,
  ...Object.fromEntries(register.map((control) => [control.name, control.schema])),
}

const documentFields: { readonly [key: string]: Schema<unknown> } = {
  $schema: text(
    { expected: 'the address of the schema', mend: 'write a URL or a path' },
    'The JSON Schema of this file.',
  ),
  name: nameSchema,
  version: nameSchema,
  ...routeFields,
}

const documentKeys = [...Object.keys(documentFields), 'extends', 'routes']
const routeKeys = Object.keys(routeFields)

/** Every problem in the form of a document, `extends` included; contradictions are found when it is resolved. */
export function documentProblems(document: unknown, path = ''): readonly PolicyProblem[] {
  const problems: PolicyProblem[] = []
  checkDocument(document, path, (found) => problems.push(found), 0)
  return problems
}

function checkDocument(document: unknown, path: string, report: Report, depth: number): void {
  if (!isPlainObject(document)) {
    report(
      problem(path, 'type', 'expected an object of plain data', document, 'write { extends: "recommended" }'),
    )
    return
  }
  for (const [key, value] of Object.entries(document)) {
    if (value === undefined) continue
    const at = childPath(path, key)
    if (key === 'extends') checkExtends(value, at, report, depth)
    else if (key === 'routes') checkRoutes(value, at, report)
    else if (Object.hasOwn(documentFields, key)) documentFields[key]!.check(value, at, report)
    else report(unknownKey(path, key, documentKeys))
  }
}

const MAX_DEPTH = 8

function checkExtends(value: unknown, path: string, report: Report, depth: number): void {
  if (depth >= MAX_DEPTH) {
    report(
      problem(
        path,
        'value',
        `policies are laid over each other more than ${MAX_DEPTH} deep`,
        undefined,
        'merge some of them',
      ),
    )
    return
  }
  const layers = Array.isArray(value) ? value : [value]
  layers.forEach((entry, index) => {
    const at = Array.isArray(value) ? childPath(path, index) : path
    if (isPlainObject(entry)) checkDocument(entry, at, report, depth + 1)
    else presetSchema.check(entry, at, report)
  })
}

const presetSchema = oneOf(PRESET_NAMES, 'A preset to start from.')

function checkRoutes(value: unknown, path: string, report: Report): void {
  if (!isPlainObject(value)) {
    report(problem(path, 'type', 'expected an object', value, 'write { "/v1/account/*": { … } }'))
    return
  }
  for (const [key, route] of Object.entries(value)) {
    const at = childPath(path, key)
    const pattern = parsePattern(key)
    if (isPatternFault(pattern)) report(problem(at, 'route', pattern.message, key, pattern.mend))
    if (!isPlainObject(route)) {
      report(
        problem(at, 'type', 'expected an object', route, 'write the settings of the route in braces: { … }'),
      )
      continue
    }
    for (const [field, setting] of Object.entries(route)) {
      if (setting === undefined) continue
      if (Object.hasOwn(routeFields, field)) routeFields[field]!.check(setting, childPath(at, field), report)
      else report(unknownKey(at, field, routeKeys))
    }
  }
}

/** The published JSON Schema (2020-12) of a policy document. */
export function policyJsonSchema(id: string): JsonSchema {
  const properties = (fields: { readonly [key: string]: Schema<unknown> }) =>
    Object.fromEntries(Object.entries(fields).map(([key, schema]) => [key, schema.json]))
  const preset = presetSchema.json
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: id,
    title: 'Sallyport policy',
    type: 'object',
    properties: {
      ...properties(documentFields),
      extends: {
        description: 'Presets or policies that lie below this one, lowest first.',
        anyOf: [preset, { type: 'array', items: { anyOf: [preset, { $ref: '#' }] } }],
      },
      routes: {
        description: 'Settings for paths; most specific wins.',
        type: 'object',
        propertyNames: { pattern: `^((${METHODS.join('|')}) )?/` },
        additionalProperties: {
          type: 'object',
          properties: properties(routeFields),
          additionalProperties: false,
        },
      },
    },
    additionalProperties: false,
  }
}
