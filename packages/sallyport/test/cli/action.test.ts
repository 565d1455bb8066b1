// The script of action.yml, run as GitHub runs it, with the command of this checkout in the place of the published one;
// and every command line in the documents, read against the commands that there are.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createServer as guarded } from '../../src/adapters/node/index.ts'
import { commands } from '../../src/cli/commands.ts'
import { listening } from '../kinds/listen.ts'
import { directory } from './command.ts'

const root = fileURLToPath(new URL('../../../..', import.meta.url))
const action = readFileSync(join(root, 'action.yml'), 'utf8')
const POLICY = '{"extends": "recommended"}'

/** The script of the one step, without its indentation. */
function script(): string {
  const [, block = ''] = action.split(/^ {6}run: \|\n/m)
  return block.replace(/^ {8}/gm, '')
}

/** The names of the environment that the step gives to the script, and nothing else. */
function environment(given: Readonly<Record<string, string>>): Record<string, string> {
  const names = [...action.matchAll(/^ {8}(INPUT_\w+): \$\{\{ inputs\.([\w-]+) \}\}$/gm)]
  return Object.fromEntries(names.map(([, name, input]) => [name!, given[input!] ?? '']))
}

function act(
  context: TestContext,
  files: Readonly<Record<string, string>>,
  given: Readonly<Record<string, string>>,
): Promise<{
  readonly code: number
  readonly out: string
  readonly summary: string
  readonly folder: string
}> {
  const folder = directory(context, { 'run.sh': script(), npx: '', summary: '', ...files })
  const main = join(root, 'packages/sallyport/src/cli/main.ts')
  writeFileSync(
    join(folder, 'npx'),
    `#!/bin/sh\n[ "$1 $2" = "--yes sallyport@0.1.0" ] || exit 99\nshift 2\nexec "${process.execPath}" "${main}" "$@"\n`,
  )
  chmodSync(join(folder, 'npx'), 0o755)
  return new Promise((resolve) => {
    execFile(
      'bash',
      ['-e', 'run.sh'],
      {
        cwd: folder,
        encoding: 'utf8',
        env: {
          ...environment({ version: '0.1.0', ...given }),
          PATH: `${folder}:${process.env['PATH']}`,
          GITHUB_STEP_SUMMARY: join(folder, 'summary'),
        },
      },
      (error, out, err) =>
        resolve({
          code: error === null ? 0 : Number(error.code),
          out: out + err,
          summary: readFileSync(join(folder, 'summary'), 'utf8'),
          folder,
        }),
    )
  })
}

describe('action.yml', () => {
  it('hands every input to the script', () => {
    const [head = ''] = action.split(/^runs:/m)
    const inputs = [...head.matchAll(/^ {2}([\w-]+):$/gm)].map(([, name]) => name!)
    const used = [...action.matchAll(/\$\{\{ inputs\.([\w-]+) \}\}/g)].map(([, name]) => name!)
    assert.deepEqual(used.toSorted(), inputs.toSorted())
    // An expression in the script would be put into it as text.
    assert.doesNotMatch(script(), /\$\{\{/)
  })

  it('checks a policy', async (context) => {
    const good = await act(context, { 'sallyport.config.json': POLICY }, { command: 'check' })
    assert.equal(good.code, 0, good.out)
    assert.match(good.summary, /is sound/)
    const bad = await act(context, { 'p.json': '{"data": "secret"}' }, { command: 'check', policy: 'p.json' })
    assert.equal(bad.code, 2)
    assert.match(bad.out, /p\.json: data: /)
  })

  it('compares policies, and fails where one became weaker', async (context) => {
    const files = { 'old.json': POLICY, 'sallyport.config.json': '{"extends": "api"}' }
    const { code, summary, out } = await act(context, files, { command: 'diff', before: 'old.json' })
    assert.equal(code, 1, out)
    assert.match(summary, /^\| \*\*weaker\*\* \|/m)
    const same = await act(context, files, { command: 'diff', before: 'old.json', policy: 'old.json' })
    assert.equal(same.code, 0, same.out)
  })

  it('verifies a deployment, with SARIF and a record', async (context) => {
    const policy = { extends: 'recommended' } as const
    const app = await listening(guarded(policy, (_request, response) => void response.end('{}')))
    const bare = await listening(createServer((_request, response) => response.end('{}')))
    context.after(() => Promise.all([app.close(), bare.close()]))
    const files = {
      'sallyport.config.json': '{"extends": "recommended", "request": {"nonCanonical": "strict"}}',
    }
    const inputs = {
      command: 'verify',
      paths: '200=/v1/a\n\n200=/v1/b\n',
      sarif: 'v.sarif',
      record: 'r.json',
    }
    const holds = await act(context, files, { ...inputs, url: `http://127.0.0.1:${app.port}` })
    assert.match(holds.out, /probes hold/)
    const record = JSON.parse(readFileSync(join(holds.folder, 'r.json'), 'utf8')) as { format: string }
    assert.equal(record.format, 'sallyport-verification/1')
    const sarif = JSON.parse(readFileSync(join(holds.folder, 'v.sarif'), 'utf8')) as { version: string }
    assert.equal(sarif.version, '2.1.0')
    const failed = await act(context, files, { ...inputs, url: `http://127.0.0.1:${bare.port}` })
    assert.equal(failed.code, 1)
    assert.match(failed.summary, /mend: /)
  })

  for (const [what, given] of [
    ['no command', {}],
    ['an unknown command', { command: 'serve; true' }],
    ['verify without a URL', { command: 'verify' }],
    ['diff without anything to compare with', { command: 'diff' }],
  ] as const)
    it(`fails for ${what}`, async (context) => {
      const { code, out } = await act(context, { 'sallyport.config.json': POLICY }, given)
      assert.equal(code, 2)
      assert.match(out, /^::error::/m)
    })

  it('takes nothing of an input for a command or an option', async (context) => {
    const policy = '--help$(touch stolen)`touch stolen`'
    const { code, folder } = await act(context, {}, { command: 'check', policy })
    assert.equal(code, 2)
    assert.ok(!readdirSync(folder).includes('stolen'))
  })
})

describe('the documents', () => {
  const pages = [
    ...readdirSync(join(root, 'docs/commands')).map((name) => `docs/commands/${name}`),
    'docs/ci.md',
  ]
  it('hold no placeholder where a reader would copy one', () => {
    for (const page of [...pages, 'README.md', 'action.yml', 'docs/testing.md'])
      assert.doesNotMatch(readFileSync(join(root, page), 'utf8'), /\bOWNER\b|sallyport\.dev/, page)
  })

  for (const page of pages)
    it(`${page} names commands and options that there are`, () => {
      const text = readFileSync(join(root, page), 'utf8').replace(/\\\n\s*/g, '')
      const lines = [...text.matchAll(/(?:^|[$>] |npx |`|: )sallyport ([a-z]+)([^\n`#|]*)/gm)]
      assert.ok(lines.length > 0, page)
      for (const [line, name, rest] of lines) {
        const command = commands.find((each) => each.name === name)
        assert.ok(command, line)
        for (const [, option] of rest!.matchAll(/ --([a-z][a-z-]*)/g))
          assert.ok(
            command.options.some((each) => each.name === option),
            `${line}: --${option}`,
          )
      }
    })
})
