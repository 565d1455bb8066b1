// The words of the command line: help, versions, and what is refused in one line.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nodeFault } from '../../src/cli/node-version.ts'
import { directory, run } from './command.ts'

const refused: readonly (readonly [
  words: readonly string[],
  line: string,
  environment?: Record<string, string>,
])[] = [
  [['chek'], 'there is no command "chek"; did you mean "check"?'],
  [['frobnicate'], 'there is no command "frobnicate"; see "sallyport --help"'],
  [['--verison'], 'there is no option "--verison"; see "sallyport --help"'],
  [['check', '--jsn'], 'check has no option "--jsn"; did you mean --json?'],
  [['check', '-x'], 'check has no option "-x"; see "sallyport check --help"'],
  [['check', '--json=yes'], '--json takes no value, received "yes"; see "sallyport check --help"'],
  [['check', 'a', 'b'], 'check takes one operand, received "b"; see "sallyport check --help"'],
  [['init', 'here'], 'init takes no operand, received "here"; see "sallyport init --help"'],
  [
    ['init', '--preset', 'apii'],
    '--preset: expected one of api, payments, commerce, recommended, received "apii"; did you mean api?',
  ],
  [['start', '--port'], '--port needs a value; write --port PORT'],
  [['start', '--port', '--json'], '--port needs a value; write --port PORT'],
  [
    ['start', '--port', '65536'],
    '--port: expected a port from 0 to 65535, received "65536"; write a number such as 8443',
  ],
  [
    ['start', '--port', '80a'],
    '--port: expected a port from 0 to 65535, received "80a"; write a number such as 8443',
  ],
  [
    ['start'],
    'SALLYPORT_PORT: expected a port from 0 to 65535, received "https"; write a number such as 8443',
    { SALLYPORT_PORT: 'https' },
  ],
  [
    ['start', '--policy', 'nowhere.json'],
    'nowhere.json: there is no such file; name another, or make one with "sallyport init"',
  ],
  [
    ['serve'],
    'serve needs the API to stand before; write --upstream http://127.0.0.1:9000, or name upstreams in a gateway configuration',
  ],
  [
    ['serve', '--upstream', 'localhost:9000'],
    '--upstream: expected an http or https origin without user, path and query, received "localhost:9000"; write http://127.0.0.1:9000',
  ],
  [
    ['serve', '--upstream', 'http://a.example/v1'],
    '--upstream: expected an http or https origin without user, path and query, received "http://a.example/v1"; write http://127.0.0.1:9000',
  ],
  [
    ['serve', '--upstream', 'http://user:s3cr3t@a.example'],
    '--upstream: expected an http or https origin without user, path and query; write http://127.0.0.1:9000',
  ],
  [
    ['serve', '--upstream', 'http://127.0.0.1:9', '--cert', 'c.pem'],
    '--cert stands alone; give --cert and --key together',
  ],
  [
    ['serve', '--upstream', 'http://127.0.0.1:9', '--key', 'k.pem'],
    '--key stands alone; give --cert and --key together',
  ],
  [
    ['serve', '--upstream', 'http://127.0.0.1:9', '--cert', 'c.pem', '--key', 'k.pem'],
    "--cert: c.pem can't be read (ENOENT); name a PEM file",
  ],
]

for (const [words, line, environment = {}] of refused)
  test(`${JSON.stringify(environment).replace('{}', '')} ${words.join(' ')} is refused in one line, with exit code 2`, async (context) => {
    const { code, out, err } = await run(context, directory(context), words, environment)
    assert.deepEqual({ code, out, err }, { code: 2, out: '', err: `sallyport: ${line}\n` })
  })

test('the help names every command, and each command its options and variables', async (context) => {
  const cwd = directory(context)
  const general = await run(context, cwd, ['--help'])
  assert.equal(general.code, 0)
  for (const name of ['start', 'serve', 'check', 'init']) {
    assert.match(general.out, new RegExp(`^  ${name} `, 'm'))
    const own = await run(context, cwd, [name, '--help'])
    assert.equal(own.code, 0)
    assert.match(own.out, new RegExp(`^Usage: sallyport ${name} `))
    assert.deepEqual((await run(context, cwd, ['help', name])).out, own.out)
  }
  const serve = await run(context, cwd, ['serve', '--help'])
  assert.match(serve.out, /^ {2}--port PORT +.*\(8443\)$/m)
  assert.match(serve.out, /SALLYPORT_UPSTREAM/)
})

test('without words the help is printed, and nothing was done', async (context) => {
  const { code, out } = await run(context, directory(context), [])
  assert.equal(code, 2)
  assert.match(out, /^The security layer/)
})

test('the version is that of the package', async (context) => {
  const { code, out } = await run(context, directory(context), ['--version'])
  assert.equal(code, 0)
  assert.match(out, /^\d+\.\d+\.\d+\n$/)
})

test('a Node older than 22.19 is told so in one line', () => {
  const line =
    'needs Node.js 22.19 or newer, and this is 20.20.2; install a newer one from https://nodejs.org'
  assert.equal(nodeFault('20.20.2'), line)
  for (const old of ['18.0.0', '22.18.9', '0.12.0']) assert.ok(nodeFault(old), old)
  for (const enough of ['22.19.0', '22.20.1', '24.0.0', '26.10.0']) assert.equal(nodeFault(enough), undefined)
})
