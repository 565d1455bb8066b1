// The policy document: its type, its check, `definePolicy`. All are sums over the register of controls, so a new
// control is in the language by standing in the register.

import { isPatternFault, METHODS, parsePattern } from '../policy/pattern.ts'
import { plainCopy } from '../policy/plain.ts'
import { childPath, type PolicyProblem, PROBLEM_LIMIT } from '../policy/problem.ts'
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
import type { Control } from './control.ts'
import { register } from './register.ts'

type Register = typeof register
/** The setting of each control, by its name. */
type Settings = { readonly [C in Register[number] as C['name']]?: Infer<C['schema']> }

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
  readonly extends?: PresetName | PolicyDocument | readonly (PresetName | PolicyDocument)[]
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
const lineOfText = (doc: string) =>
  text(
    {
      max: 200,
      pattern: /^[^\p{Cc}]*$/u,
      expected: 'one line of at most 200 characters',
      mend: 'shorten it to one line',
    },
    doc,
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
  name: lineOfText('The name of the API, for the posture page.'),
  version: lineOfText('The version of this policy, for the posture page.'),
  ...routeFields,
}

const documentKeys = [...Object.keys(documentFields), 'extends', 'routes']
const routeKeys = Object.keys(routeFields)

/** A document that has been read: a frozen copy, and every problem in its form. */
export interface ReadDocument {
  readonly document: PolicyDocument
  readonly problems: readonly PolicyProblem[]
}

/** Reads a document, `extends` included; contradictions between settings are found when it is resolved. */
export function readDocument(input: unknown): ReadDocument {
  const copy = plainCopy(input)
  const document = copy.value as PolicyDocument
  if (copy.problems.length > 0) return { document, problems: copy.problems }
  const problems: PolicyProblem[] = []
  const report: Report = (found) => {
    if (problems.length < PROBLEM_LIMIT) problems.push(found)
  }
  checkDocument(document, '', report, { depth: 0, layers: { count: 0 } })
  return { document, problems }
}

// Layers of one document are counted together, since lists of lists grow fast.
interface Nesting {
  readonly depth: number
  readonly layers: { count: number }
}

const MAX_DEPTH = 8
const MAX_LAYERS = 64

function checkDocument(document: unknown, path: string, report: Report, nesting: Nesting): void {
  if (!isPlainObject(document)) {
    report(problem(path, 'type', 'expected an object', document, 'write { extends: "recommended" }'))
    return
  }
  for (const [key, value] of Object.entries(document)) {
    const at = childPath(path, key)
    if (key === 'extends') checkExtends(value, at, report, nesting)
    else if (key === 'routes') checkRoutes(value, at, report)
    else if (Object.hasOwn(documentFields, key)) documentFields[key]!.check(value, at, report)
    else report(unknownKey(path, key, documentKeys, homeOf(key)))
  }
}

function checkExtends(value: unknown, path: string, report: Report, { depth, layers }: Nesting): void {
  const below = Array.isArray(value) ? value : [value]
  layers.count += below.length
  if (depth >= MAX_DEPTH || layers.count > MAX_LAYERS) {
    const what =
      depth >= MAX_DEPTH ? `is nested more than ${MAX_DEPTH} deep` : `names more than ${MAX_LAYERS} layers`
    report(problem(path, 'value', what, undefined, 'merge some of the policies into one'))
    return
  }
  below.forEach((entry, index) => {
    const at = Array.isArray(value) ? childPath(path, index) : path
    if (isPlainObject(entry)) checkDocument(entry, at, report, { depth: depth + 1, layers })
    else presetSchema.check(entry, at, report)
  })
}

const presetSchema = oneOf(PRESET_NAMES, 'A preset to start from.')

// A program matches every request against routes; none that it could meet is longer.
const MAX_ROUTE_LENGTH = 2048

function checkRoutes(value: unknown, path: string, report: Report): void {
  if (!isPlainObject(value)) {
    report(problem(path, 'type', 'expected an object', value, 'write { "/v1/account/*": { … } }'))
    return
  }
  for (const [key, route] of Object.entries(value)) {
    if (key.length > MAX_ROUTE_LENGTH) {
      report(
        problem(
          path,
          'route',
          `a route is longer than ${MAX_ROUTE_LENGTH} characters`,
          key,
          'end it earlier with "/*"',
        ),
      )
      continue
    }
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
      if (Object.hasOwn(routeFields, field)) {
        routeFields[field]!.check(setting, childPath(at, field), report)
        checkWholePolicy(field, setting, childPath(at, field), report)
      } else if (documentKeys.includes(field))
        report(
          problem(
            childPath(at, field),
            'unknown',
            `"${field}" is a setting of the whole policy, not of a route`,
            undefined,
            'move it to the top level',
          ),
        )
      else report(unknownKey(at, field, routeKeys, homeOf(field)))
    }
  }
}

type Named = Pick<Control, 'name' | 'wholePolicy'>

// What holds for a listener or a process can't differ by route.
function checkWholePolicy(name: string, setting: unknown, path: string, report: Report): void {
  const control = (register as readonly Named[]).find((each) => each.name === name)
  if (!isPlainObject(setting)) return
  for (const field of control?.wholePolicy ?? [])
    if (Object.hasOwn(setting, field))
      report(
        problem(
          childPath(path, field),
          'route',
          'this can only be said of the whole policy, not of a route',
          setting[field],
          `move it to ${name}.${field} at the top level`,
        ),
      )
}

// `hsts` at the top level is meant as `transport.hsts`.
function homeOf(key: string): string | undefined {
  const control = register.find(({ schema }) => Object.hasOwn(schema.shape, key))
  return control && `${control.name}.${key}`
}

/** The published JSON Schema (2020-12) of a policy document. */
export function policyJsonSchema(id: string): JsonSchema {
  const properties = (fields: { readonly [key: string]: Schema<unknown> }) =>
    Object.fromEntries(Object.entries(fields).map(([key, schema]) => [key, schema.json]))
  // Settings stand once, though the top level and every route take them.
  const references = Object.fromEntries(
    Object.keys(routeFields).map((key) => [key, { $ref: `#/$defs/${key}` }]),
  )
  const layerSchema = { anyOf: [presetSchema.json, { $ref: '#' }] }
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: id,
    title: 'Sallyport policy',
    type: 'object',
    properties: {
      ...properties(documentFields),
      ...references,
      extends: {
        description: 'Presets or policies that lie below this one, lowest first.',
        anyOf: [...layerSchema.anyOf, { type: 'array', items: layerSchema, maxItems: MAX_LAYERS }],
      },
      routes: {
        description: 'Settings for paths; most specific wins.',
        type: 'object',
        propertyNames: { pattern: `^((${METHODS.join('|')}) )?/`, maxLength: MAX_ROUTE_LENGTH },
        additionalProperties: { type: 'object', properties: references, additionalProperties: false },
      },
    },
    additionalProperties: false,
    $defs: properties(routeFields),
  }
}
