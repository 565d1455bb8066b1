// `npm run docs`: writes the reference pages from the code: docs/policy.md, docs/controls.md, docs/errors.md.

import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { errorsMarkdown } from '../packages/sallyport/src/errors/markdown.ts'
import { controls } from '../packages/sallyport/src/posture/register.ts'
import { policyPage } from './policy-page.ts'

const NOTE = '<!-- Written by `npm run docs` from the code. -->'

/** Every reference page by its file name. */
export function pages(): Readonly<Record<string, string>> {
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
  return {
    'policy.md': `${NOTE}\n${policyPage()}`,
    'controls.md': register,
    'errors.md': `${NOTE}\n${errorsMarkdown()}`,
  }
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
