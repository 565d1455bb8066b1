// `npm run docs`: writes the reference pages from the code: docs/policy.md, docs/controls.md, docs/errors.md.

import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { errorsMarkdown } from '../packages/sallyport/src/errors/markdown.ts'
import { policyJsonSchema } from '../packages/sallyport/src/guard/policy.ts'
import type { JsonSchema } from '../packages/sallyport/src/policy/schema.ts'
import { controls } from '../packages/sallyport/src/posture/register.ts'

const NOTE = '<!-- Written by `npm run docs` from the code. -->'

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ')
}

function typeOf(schema: JsonSchema): string {
  if (schema['const'] !== undefined) return `\`${JSON.stringify(schema['const'])}\``
  if (schema['enum']) return (schema['enum'] as string[]).map((word) => `\`"${word}"\``).join(', ')
  if (schema['anyOf']) return [...new Set((schema['anyOf'] as JsonSchema[]).map(typeOf))].join(' or ')
  if (schema['type'] === 'integer') return `whole number, ${schema['minimum']} to ${schema['maximum']}`
  if (schema['type'] === 'array') return `list of ${typeOf(schema['items'] as JsonSchema)}`
  if (schema['type'] === 'object' && !schema['properties'])
    return `object of ${typeOf((schema['additionalProperties'] as JsonSchema | undefined) ?? { type: 'anything' })}`
  return String(schema['type'] ?? 'object')
}

function rows(schema: JsonSchema, path: string): string[] {
  const branches = (schema['anyOf'] as JsonSchema[] | undefined) ?? [schema]
  return branches.flatMap((branch) =>
    Object.entries((branch['properties'] as Record<string, JsonSchema> | undefined) ?? {}).flatMap(
      ([key, field]) => [
        `| \`${path}${key}\` | ${cell(typeOf(field))} | ${cell(String(field['description'] ?? ''))} |`,
        ...rows(field, `${path}${key}.`),
      ],
    ),
  )
}

/** Every reference page by its file name. */
export function pages(): Readonly<Record<string, string>> {
  const schema = policyJsonSchema('https://sallyport.dev/schema/policy.schema.json')
  const fields = schema['properties'] as Record<string, JsonSchema>
  const names = controls.map((control) => control.name)
  const policy = [
    NOTE,
    '# The policy, setting by setting',
    '',
    'Every setting may be left out. Those of a control may stand at the top level and in a route.',
    '',
    '## Document',
    '',
    '| setting | values | meaning |',
    '|---|---|---|',
    ...Object.entries(fields)
      .filter(([key]) => !names.includes(key))
      .map(
        ([key, field]) =>
          `| \`${key}\` | ${cell(typeOf(field))} | ${cell(String(field['description'] ?? ''))} |`,
      ),
    ...controls.flatMap((control) => [
      '',
      `## \`${control.name}\`: ${control.title} (${control.id})`,
      '',
      String(control.schema.json['description'] ?? ''),
      '',
      '| setting | values | meaning |',
      '|---|---|---|',
      ...rows(control.schema.json, `${control.name}.`),
    ]),
    '',
  ].join('\n')
  const register = [
    NOTE,
    '# The register of controls',
    '',
    'Each control supports the requirements named; whether an API meets them depends on more than its security layer.',
    '',
    '| id | control | since | ASVS 5.0 | API 2023 | Top 10 2025 | NIST 800-53 | SOC 2 | PCI DSS 4.0.1 |',
    '|---|---|---|---|---|---|---|---|---|',
    ...controls.map(
      ({ id, title, since, standards: s }) =>
        `| ${[id, title, since, ...[s.asvs, s.api, s.top10, s.nist, s.soc2, s.pci].map((ids) => ids.join(' '))].join(' | ')} |`,
    ),
    '',
  ].join('\n')
  return { 'policy.md': policy, 'controls.md': register, 'errors.md': `${NOTE}\n${errorsMarkdown()}` }
}

const folder = new URL('../docs/', import.meta.url)

/** The pages whose file is not what the code says. */
export function stalePages(): readonly string[] {
  return Object.entries(pages())
    .filter(([name, text]) => {
      try {
        return readFileSync(new URL(name, folder), 'utf8') !== text
      } catch {
        return true
      }
    })
    .map(([name]) => name)
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  for (const [name, text] of Object.entries(pages())) {
    writeFileSync(new URL(name, folder), text)
    console.log(`wrote docs/${name}`)
  }
