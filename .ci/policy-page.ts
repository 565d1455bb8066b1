// docs/policy.md, from the JSON Schema of a policy, the defaults of the controls and the presets.

import { policyJsonSchema } from '../packages/sallyport/src/guard/policy.ts'
import type { JsonSchema } from '../packages/sallyport/src/policy/schema.ts'
import { controls } from '../packages/sallyport/src/posture/register.ts'
import { presets } from '../packages/sallyport/src/presets/index.ts'

const root = policyJsonSchema('pkg:npm/sallyport#schema/policy.schema.json')
const definitions = root['$defs'] as Readonly<Record<string, JsonSchema>>
const NO_DEFAULT = '—'
/** What holds where a document says nothing, beside the controls' own defaults: guard/resolve.ts. */
const DOCUMENT_DEFAULTS: Readonly<Record<string, unknown>> = { data: 'private', credentials: 'mixed' }

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ')
}

function resolved(schema: JsonSchema): JsonSchema {
  const reference = schema['$ref']
  if (typeof reference !== 'string') return schema
  if (reference === '#') return root
  const target = definitions[reference.replace('#/$defs/', '')]
  if (!target) throw new Error(`the JSON Schema of a policy refers to ${reference}, which is not there`)
  return target
}

function typeOf(given: JsonSchema): string {
  const schema = resolved(given)
  if (schema === root) return 'a policy'
  if (schema['const'] !== undefined) return `\`${JSON.stringify(schema['const'])}\``
  if (schema['enum']) return (schema['enum'] as string[]).map((word) => `\`"${word}"\``).join(', ')
  if (schema['anyOf']) return [...new Set((schema['anyOf'] as JsonSchema[]).map(typeOf))].join(' or ')
  if (schema['type'] === 'integer') return `whole number, ${schema['minimum']} to ${schema['maximum']}`
  if (schema['type'] === 'array') return `list of ${typeOf(schema['items'] as JsonSchema)}`
  if (schema['type'] === 'object' && !schema['properties'])
    return `object of ${typeOf((schema['additionalProperties'] as JsonSchema | undefined) ?? { type: 'anything' })}`
  return String(schema['type'] ?? 'object')
}

/** A value as it would be written; a long record by its first names. */
function shown(value: unknown): string {
  if (value === undefined) return NO_DEFAULT
  const names = typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.keys(value) : []
  return names.length > 6
    ? `\`${names[0]}\`, \`${names[1]}\` and ${names.length - 2} more`
    : `\`${JSON.stringify(value)}\``
}

function row(name: string, schema: JsonSchema, fallback: string): string {
  const meaning = String(resolved(schema)['description'] ?? '')
  return `| \`${name}\` | ${cell(typeOf(schema))} | ${cell(fallback)} | ${cell(meaning)} |`
}

function rows(schema: JsonSchema, path: string, defaults: Readonly<Record<string, unknown>>): string[] {
  const branches = (schema['anyOf'] as JsonSchema[] | undefined) ?? [schema]
  return branches.flatMap((branch) =>
    Object.entries((branch['properties'] as Record<string, JsonSchema> | undefined) ?? {}).flatMap(
      ([key, field]) => {
        const value = defaults[key]
        const inner = typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
        return [row(`${path}${key}`, field, shown(value)), ...rows(field, `${path}${key}.`, inner)]
      },
    ),
  )
}

const HEAD = ['| setting | values | default | meaning |', '|---|---|---|---|']

function documentRows(): string[] {
  const names = controls.map((control) => control.name)
  return Object.entries(root['properties'] as Record<string, JsonSchema>)
    .filter(([key]) => !names.includes(key))
    .map(([key, field]) =>
      key === 'routes'
        ? `| \`routes\` | settings by pattern, see [Routes](#routes) | ${NO_DEFAULT} | ${field['description']} |`
        : row(key, field, shown(DOCUMENT_DEFAULTS[key])),
    )
}

const ROUTES = `## Routes

A route is a pattern and the settings that hold for it: \`data\`, \`credentials\` and those of the controls, but for the few
that concern a whole listener or process.

| pattern | covers |
|---|---|
| \`/v1/status\` | this path alone |
| \`/v1/users/:id\` | one segment in the place of \`:id\`, not empty |
| \`/v1/account/*\` | \`/v1/account\` itself and everything below it; \`*\` stands last only |
| \`GET /v1/status\` | one method; GET covers HEAD too, unless HEAD has a route of its own |

- **The most specific wins**, segment by segment from the left: a word before \`:name\`, \`:name\` before \`*\`. Of two routes
  with one path, the one that names the method wins. \`/v1/account\` wins over \`/v1/account/*\` at that path.
- **Nothing is inherited** from other routes. Where a route is silent, the top level holds, then the presets below it, then
  the defaults. Routes of a preset stay, and one of the same pattern is laid over them.
- Paths are matched as they are sent, letter case included, without the query. A path that is not canonical (\`//\`, \`..\`,
  \`%2F\`) matches no route and meets one strict cell: private, no CORS. A path that another program might take for another
  route meets the stricter of both.`

function presetTable(): string[] {
  const all = Object.entries(presets)
  const names = controls.flatMap((control) => {
    const keys = all.flatMap(([, preset]) => Object.keys(preset[control.name as keyof typeof preset] ?? {}))
    return [...new Set(keys)].map((key) => [control.name, key] as const)
  })
  const valueIn = (preset: object, control: string, key: string) =>
    shown((preset as Record<string, Record<string, unknown> | undefined>)[control]?.[key])
  return [
    '## Presets',
    '',
    `What each preset says; ${NO_DEFAULT} is what it leaves to the default. Of several, the last named lies on top.`,
    '',
    `| setting | ${all.map(([name]) => `\`${name}\``).join(' | ')} |`,
    `|---|${all.map(() => '---|').join('')}`,
    ...names.map(
      ([control, key]) =>
        `| \`${control}.${key}\` | ${all.map(([, preset]) => cell(valueIn(preset, control, key))).join(' | ')} |`,
    ),
    `| routes | ${all
      .map(([, { routes = {} }]) => {
        const patterns = Object.keys(routes).map((pattern) => `\`${pattern}\``)
        return patterns.join(', ') || NO_DEFAULT
      })
      .join(' | ')} |`,
  ]
}

/** The page, without the note at its top. */
export function policyPage(): string {
  return [
    '# The policy, setting by setting',
    '',
    'Every setting may be left out. Those of a control may stand at the top level and in a route. A control works in the mode',
    `\`"enforce"\` unless it says another. ${NO_DEFAULT} under “default” is: not set, or as the meaning says.`,
    '',
    '## Document',
    '',
    ...HEAD,
    ...documentRows(),
    '',
    ROUTES,
    '',
    ...presetTable(),
    ...controls.flatMap((control) => [
      '',
      `## \`${control.name}\`: ${control.title} (${control.id})`,
      '',
      String(control.schema.json['description'] ?? ''),
      '',
      ...HEAD,
      ...rows(control.schema.json, `${control.name}.`, { mode: 'enforce', ...(control.defaults as object) }),
    ]),
    '',
  ].join('\n')
}
