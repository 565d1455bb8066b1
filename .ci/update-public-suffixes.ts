// Writes the public suffix list into packages/sallyport/src/policy/public-suffix-data.ts, from the rules that the npm
// package `psl` carries. The package is fetched into a temporary folder and is no dependency of anything.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { domainToASCII, fileURLToPath, pathToFileURL } from 'node:url'

interface Node {
  /** False for a name that only leads to longer rules. */
  isRule: boolean
  readonly below: Map<string, Node>
}

const target = fileURLToPath(
  new URL('../packages/sallyport/src/policy/public-suffix-data.ts', import.meta.url),
)
const folder = mkdtempSync(join(tmpdir(), 'public-suffixes-'))
try {
  const npm = (...args: string[]) => execFileSync('npm', args, { cwd: folder, encoding: 'utf8' })
  const archive = npm('pack', 'psl', '--silent').trim().split('\n').at(-1)!
  execFileSync('tar', ['-xzf', archive], { cwd: folder })
  const { version } = JSON.parse(readFileSync(join(folder, 'package/package.json'), 'utf8')) as {
    version: string
  }
  const times = JSON.parse(npm('view', `psl@${version}`, 'time', '--json')) as Record<string, string>
  const { default: rules } = (await import(pathToFileURL(join(folder, 'package/data/rules.js')).href)) as {
    default: readonly string[]
  }
  writeFileSync(target, source(rules, version, times[version]!.slice(0, 10)))
  console.log(`${rules.length} rules of psl ${version} written`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}

function source(rules: readonly string[], version: string, date: string): string {
  const root: Node = { isRule: false, below: new Map() }
  for (const rule of rules) add(root, rule)
  // A top-level name without rules below it needs no line: the list's default rule, "*", says the same of it.
  const lines = sorted(root)
    .filter(([, node]) => node.below.size > 0)
    .map(([label, node]) => written(label, node))
  return `// The public suffix list, https://publicsuffix.org/list/, by the Mozilla Foundation and contributors.
// This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy of the MPL was not
// distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.
// State of the list: as in psl ${version} of ${date}. Written by .ci/update-public-suffixes.ts; not edited by hand.
//
// One line for each top-level name that has rules below it; "name(below,below)", "?" before a name that is no rule
// itself, "*" for any one label, "!" before an exception. All names are in ASCII (punycode) form.

export const PUBLIC_SUFFIX_DATE = '${date}'

export const PUBLIC_SUFFIXES = \`
${lines.join('\n')}
\`
`
}

function add(root: Node, rule: string): void {
  const exception = rule.startsWith('!')
  const labels = (exception ? rule.slice(1) : rule).split('.').map(ascii).reverse()
  let node = root
  for (const [index, label] of labels.entries()) {
    const key = exception && index === labels.length - 1 ? `!${label}` : label
    let next = node.below.get(key)
    if (!next) {
      next = { isRule: false, below: new Map() }
      node.below.set(key, next)
    }
    node = next
  }
  node.isRule = true
}

function ascii(label: string): string {
  // Only labels that need it: a label such as "0" alone would be read as an address.
  const converted = /^[\x20-\x7e]*$/.test(label) ? label : domainToASCII(label)
  if (!/^(\*|[a-z0-9-]+)$/.test(converted))
    throw new Error(`a label that is no host name: ${JSON.stringify(label)}`)
  return converted
}

function sorted(node: Node): [string, Node][] {
  return [...node.below].sort(([a], [b]) => (a < b ? -1 : 1))
}

function written(label: string, node: Node): string {
  const below = sorted(node).map(([name, child]) => written(name, child))
  return `${node.isRule ? '' : '?'}${label}${below.length > 0 ? `(${below.join(',')})` : ''}`
}
