// `npm test`: brings the parts that suites need (in CI), runs every test file, and names what could not run.

import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { ensureParts } from './parts.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const missing = ensureParts()

const files = [
  'packages/*/src/**/*.test.ts',
  'packages/*/test/**/*.test.ts',
  'examples/*/*.test.ts',
  '.ci/*.test.ts',
]
  .flatMap((pattern) =>
    globSync(pattern, { cwd: root, exclude: (name) => String(name).endsWith('node_modules') }),
  )
  .sort()
const wanted = process.argv.slice(2)
const chosen = wanted.length > 0 ? files.filter((file) => wanted.some((word) => file.includes(word))) : files
if (chosen.length === 0) {
  console.error(`no test file matches ${wanted.join(', ')}`)
  process.exit(2)
}

const result = spawnSync(
  process.execPath,
  ['--import', './.ci/properties.ts', '--test', '--test-concurrency=2', '--test-timeout=600000', ...chosen],
  {
    cwd: root,
    stdio: 'inherit',
  },
)
for (const part of missing)
  console.log(`SKIPPED (${part.name} is missing): ${part.suites}. To run: ${part.install.join(' ')}`)
process.exit(result.status ?? 1)
