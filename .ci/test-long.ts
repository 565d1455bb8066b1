// `npm run test:long`: every property test, fifty times as often as in `npm test` and with a fresh seed, the attacks on
// HTTP/2 in full, 100,000 requests while the gateway reloads and restarts, and what other people's programs find and do
// (`*.long.ts`: testssl.sh, slowhttptest); the result is written, with its date and seed, to docs/long-runs.md.

import { spawnSync } from 'node:child_process'
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { ensureParts, longParts } from './parts.ts'

const FACTOR = 50
const root = fileURLToPath(new URL('..', import.meta.url))
const seed = Number(process.env['SALLYPORT_SEED'] ?? Date.now() % 2 ** 31)

const files = ['packages/*/src/**/*.test.ts', 'packages/*/test/**/*.test.ts']
  .flatMap((pattern) =>
    globSync(pattern, { cwd: root, exclude: (name) => String(name).endsWith('node_modules') }),
  )
  .filter((file) =>
    /fc\.assert|\bruns\(1\)|SALLYPORT_RUNS_FACTOR/.test(readFileSync(`${root}${file}`, 'utf8')),
  )
  .sort()

const missing = ensureParts(longParts)
const started = Date.now()
const result = spawnSync(
  process.execPath,
  ['--import', './.ci/properties.ts', '--test', '--test-reporter=tap', ...files],
  {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    env: { ...process.env, SALLYPORT_RUNS_FACTOR: String(FACTOR), SALLYPORT_SEED: String(seed) },
  },
)
// After the others: a loaded machine would be taken for a slow server.
const longFiles = globSync('packages/*/test/**/*.long.ts', { cwd: root }).sort()
const long = spawnSync(
  process.execPath,
  ['--test', '--test-concurrency=1', '--test-reporter=tap', ...longFiles],
  { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 28 },
)
const count = (name: string) =>
  [result, long].reduce(
    (sum, { stdout }) => sum + Number(new RegExp(`^# ${name} (\\d+)`, 'm').exec(stdout)?.[1] ?? 0),
    0,
  )
for (const { status, stdout } of [result, long]) if (status !== 0) console.log(stdout)
// Each attack's test says what it cost, in a line of its own after its result.
const attacks = [
  ...result.stdout.matchAll(/^ *ok \d+ - (.+)(?:\n(?! *(?:#|ok|not ok)).*)*\n *# (\d+ rounds: .+)$/gm),
]
// And each load's, how many of its requests failed.
const loads = [
  ...result.stdout.matchAll(/^ *ok \d+ - (.+)(?:\n(?! *(?:#|ok|not ok)).*)*\n *# (\d+ requests: .+)$/gm),
]
// And the attacks and scans of other people's programs.
const programs = [
  ...long.stdout.matchAll(
    /^ *ok \d+ - (.+)(?:\n(?! *(?:#|ok|not ok)).*)*\n *# (\d+ (?:clients|checks): .+)$/gm,
  ),
]
// And how often the store or the log was ended without warning, and what it had acknowledged.
const ends = [
  ...(result.stdout + long.stdout).matchAll(
    /^ *ok \d+ - (.+)(?:\n(?! *(?:#|ok|not ok)).*)*\n *# (\d+ (?:kills|cuts): .+)$/gm,
  ),
]
const seconds = Math.round((Date.now() - started) / 1000)
const outcome = `${count('pass')} passed, ${count('fail')} failed`
writeFileSync(
  `${root}docs/long-runs.md`,
  `# Long runs

\`npm run test:long\` tries every property ${FACTOR} times as often as \`npm test\`, with a fresh seed.

| date | seed | property test files | result | seconds | Node |
|---|---|---|---|---|---|
| ${new Date().toISOString().slice(0, 10)} | ${seed} | ${files.length} | ${outcome} | ${seconds} | ${process.version} |

What attacks on HTTP/2 cost the gateway, each on one connection while another client is served:

| attack | rounds and outcome |
|---|---|
${attacks.map(([, name, cost]) => `| ${name} | ${cost} |`).join('\n')}

Requests of keep-alive and of one-request clients while the gateway changes under them:

| what happens | requests |
|---|---|
${loads.map(([, name, outcome]) => `| ${name} | ${outcome} |`).join('\n')}

The store and the audit log, ended by kill -9 or by a power cut while they write, write a checkpoint or recover:

| what is checked | outcome |
|---|---|
${ends.map(([, name, outcome]) => `| ${name} | ${outcome} |`).join('\n')}

Programs of others, against a gateway that another client uses meanwhile:

| what is done | outcome |
|---|---|
${programs.map(([, name, outcome]) => `| ${name} | ${outcome} |`).join('\n')}
`,
)
for (const part of missing)
  console.log(`SKIPPED (${part.name} is missing): ${part.suites}. To run: ${part.install.join(' ')}`)
console.log(`${outcome} in ${seconds} s, seed ${seed}`)
process.exit((result.status ?? 1) || (long.status ?? 1))
