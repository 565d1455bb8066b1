// `sallyport verify` as a process: exit codes, files that it writes, what it refuses in one line, the watch.

import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { describe, it, type TestContext, test } from 'node:test'
import { createServer as guarded } from '../../src/adapters/node/index.ts'
import { commands } from '../../src/cli/commands.ts'
import { run as runHere } from '../../src/cli/run.ts'
import type { PolicyDocument } from '../../src/guard/policy.ts'
import { CLASSES } from '../../src/posture/verify/classes.ts'
import { listening } from '../kinds/listen.ts'
import { directory, run, start } from './command.ts'

const POLICY: PolicyDocument = { extends: 'recommended' }
const FILES = {
  'text.txt': 'no JSON',
  'owned.json': '{"owned":[{"pth":"/v1/a","by":"a"}]}',
  'sallyport.config.json': JSON.stringify(POLICY),
}

async function server(context: TestContext, made: ReturnType<typeof createServer>) {
  const app = await listening(made)
  context.after(() => app.close())
  return `http://127.0.0.1:${app.port}`
}

const good = (context: TestContext) =>
  server(
    context,
    guarded(POLICY, (_request, response) => response.end('{}')),
  )
const bad = (context: TestContext) =>
  server(
    context,
    createServer((_request, response) => response.end('{}')),
  )

describe('sallyport verify', () => {
  it('ends with 0 where everything holds, and keeps the record for the posture page', async (context) => {
    const folder = directory(context, FILES)
    const url = await good(context)
    const { code, out, err } = await run(context, folder, [
      'verify',
      url,
      '--place',
      'node',
      '--record',
      'last.json',
    ])
    assert.deepEqual([code, err], [0, ''])
    assert.match(out, /Everything that was probed holds\./)
    const page = await run(context, folder, ['posture', '--record', 'last.json', '--format', 'md'])
    assert.equal(page.code, 0)
    assert.match(page.out, new RegExp(`${url}: \\d+ of \\d+ probes passed, 0 findings`))
  })

  it('ends with 1 where something does not hold, in each form', async (context) => {
    const folder = directory(context, FILES)
    const url = await bad(context)
    const words = [
      'verify',
      url,
      '--sarif',
      'out.sarif',
      '--junit',
      'out.xml',
      '--capture',
      'kept.json',
      '--json',
    ]
    const { code, out } = await run(context, folder, words)
    assert.equal(code, 1)
    const result = JSON.parse(out) as { findings: unknown[]; format: string }
    assert.equal(result.format, 'sallyport-verification/1')
    const sarif = JSON.parse(readFileSync(join(folder, 'out.sarif'), 'utf8')) as {
      runs: { results: unknown[] }[]
    }
    assert.equal(sarif.runs[0]!.results.length, result.findings.length)
    assert.match(readFileSync(join(folder, 'out.xml'), 'utf8'), /<testsuites /)
    const again = await run(context, folder, ['verify', '--captured', 'kept.json', '--sarif=-'])
    assert.equal(again.code, 1)
    // What was never answered is in no file.
    const kept = (JSON.parse(again.out) as typeof sarif).runs[0]!.results.length
    assert.ok(kept > 100 && kept <= result.findings.length, `${kept} of ${result.findings.length}`)
  })

  it('takes paths, samples and credentials, and shows no credential', async (context) => {
    const folder = directory(context, { ...FILES, 'samples.json': '{"error":"/fails","200":["/a","/b"]}' })
    const asked = new Set<string>()
    const url = await server(
      context,
      createServer((request, response) => {
        asked.add(`${request.url} ${request.headers.authorization ?? ''}`.trim())
        response.end(request.headers.authorization)
      }),
    )
    const words = ['verify', url, '--path', '200=/c', '--path', 'sse=/d', '--samples', 'samples.json']
    const { out, err } = await run(context, folder, [...words, '--credential', 'user=Authorization:@TOKEN'], {
      TOKEN: 'Bearer s3cret-of-the-user',
    })
    for (const path of ['/a', '/b', '/c', '/d', '/fails', '/a Bearer s3cret-of-the-user'])
      assert.ok(asked.has(path), path)
    assert.ok(!(out + err).includes('s3cret'))
  })

  it('H2 H11 takes what is owned by option and from a file, and uses limits up where it may', async (context) => {
    const limited: PolicyDocument = {
      extends: 'recommended',
      limits: { addresses: { buckets: { address: { limit: 9_000, windowSeconds: 60 } } } },
      routes: { '/v1/orders': { data: 'public', credentials: 'none', limits: { cost: 300 } } },
    }
    const folder = directory(context, {
      'sallyport.config.json': JSON.stringify(limited),
      'samples.json': '{"200":"/a","owned":[{"path":"/v1/b","by":"b","headers":{"X-Organisation":"b"}}]}',
    })
    const url = await server(
      context,
      guarded(limited, ({ headers, url: path }, response) => {
        const who = headers.authorization?.slice('Bearer '.length)
        if (path?.startsWith('/v1/')) response.statusCode = path === `/v1/${who}` ? 200 : 404
        response.end(`{"holder":"${who}@example.com"}`)
      }),
    )
    const words = [
      'verify',
      url,
      '--place',
      'node',
      '--samples',
      'samples.json',
      '--owned',
      'a=/v1/a',
      '--provoke-limits',
    ]
    const credentials = ['a', 'b'].flatMap((role) => ['--credential', `${role}=authorization:Bearer ${role}`])
    const { code, out, err } = await run(context, folder, [...words, ...credentials])
    assert.equal(err, '')
    assert.match(out, /SP-TENANCY-01 +Isolation of tenants +\d+ of \d+\n/)
    assert.match(out, /^Seen: .*429 \(\d/m)
    assert.match(
      out,
      /^note: limits: \d+ requests to \/v1\/orders used up the bucket address of an address, \d+ let through/m,
    )
    assert.equal(code, 0, out)
  })

  it('shows its progress to those who look on, and takes it away again', async (context) => {
    const lines: string[] = []
    const url = await bad(context)
    const code = await runHere(['verify', url, '--record', 'last.json'], {
      out: () => {},
      err: () => {},
      progress: (line) => lines.push(line),
      environment: {},
      directory: directory(context, FILES),
    })
    assert.equal(code, 1)
    assert.match(lines[0]!, /^1 of \d+ requests$/)
    assert.equal(lines.at(-1), '')
  })

  const refused: readonly (readonly [words: readonly string[], line: RegExp])[] = [
    [
      [],
      /^sallyport: verify needs the deployment to look at; write sallyport verify https:\/\/api\.example\.com$/,
    ],
    [
      ['http://127.0.0.1:1'],
      /^sallyport: 127\.0\.0\.1:1 gave no answer \(connect: ECONNREFUSED\); nothing listens there: start the server, or name its port, as in http:\/\/127\.0\.0\.1:3000$/,
    ],
    [
      ['no-such-name.invalid'],
      /^sallyport: no-such-name\.invalid:443 gave no answer \(resolve: E\w+\); the name is not known: write a URL such as https:\/\/api\.example\.com$/,
    ],
    [
      ['--captured', 'text.txt'],
      /^sallyport: --captured text\.txt: is not JSON; make one with sallyport verify URL --capture FILE$/,
    ],
    [['--har', 'text.txt'], /^sallyport: --har text\.txt: is not JSON; save one from the network panel/],
    [['ftp://a'], /^sallyport: expected a URL such as https:\/\/api\.example\.com, received "ftp:\/\/a"$/],
    [['https://u:s3cret@a.example'], /^sallyport: a URL with a name or password is not taken/],
    [['a.example', '--profile', 'slow'], /^sallyport: --profile: expected quick or full, received "slow"$/],
    [
      ['a.example', '--path', '20=/x'],
      /^sallyport: --path: expected CLASS=PATH with a class of .*received "20=\/x"/,
    ],
    [
      ['a.example', '--owned', '/v1/orders/1'],
      /^sallyport: --owned: expected ROLE=PATH, whose object it is and where, received "\/v1\/orders\/1"; write a=\/v1\/orders\/ord_1$/,
    ],
    [
      ['a.example', '--owned', 'alice=/v1/a', '--credential', 'alise=x:y'],
      /^sallyport: --owned: \/v1\/a belongs to "alice", who has no credential; did you mean alise\?$/,
    ],
    [
      ['a.example', '--owned', 'a=/v1/a'],
      /^sallyport: --owned: \/v1\/a belongs to "a", who has no credential; add --credential a=authorization:@NAME$/,
    ],
    [
      ['a.example', '--samples', 'owned.json'],
      /^sallyport: owned\.json: owned\[0\]: "pth" is no field of it; did you mean path\?$/,
    ],
    [
      ['a.example', '--path', '200=x'],
      /^sallyport: --path: expected a path that begins with "\/", received "x"/,
    ],
    [['a.example', '--credential', 'user'], /^sallyport: --credential: expected role=header:value/],
    [
      ['a.example', '--credential', 'u=a:@NONE'],
      /^sallyport: --credential: the variable NONE of the environment must hold/,
    ],
    [
      ['a.example', '--replica', '::1'],
      /^sallyport: --replica: expected host:port of a replica, received "::1"/,
    ],
    [['a.example', '--rate', '0'], /^sallyport: --rate: expected a number from 1 to 1000, received "0"$/],
    [['a.example', '--ca', 'none.pem'], /^sallyport: --ca none\.pem: can't be read \(ENOENT\)/],
    [
      ['--har', 'sallyport.config.json'],
      /^sallyport: --har sallyport\.config\.json: is no HAR file: it has no log\.entries; save one from/,
    ],
    [['a.example', '--watch', '1h'], /^sallyport: --watch needs somebody to tell/],
    [
      ['a.example', '--watch', '1y', '--on-change-command', 'true'],
      /^sallyport: --watch: expected an interval from 10s to 7d/,
    ],
    [['a.example', '--policy', 'none.json'], /^sallyport: none\.json: there is no such file/],
  ]
  for (const [words, line] of refused)
    it(`ends with 2 and one line: verify ${words.join(' ')}`, async (context) => {
      const { code, out, err } = await run(context, directory(context, FILES), ['verify', ...words])
      assert.deepEqual([code, out], [2, ''])
      assert.match(err.trimEnd(), line)
      assert.ok(!err.includes('s3cret'))
    })
})

test('the watch tells a webhook and a command of changes, and ends on a signal', async (context) => {
  const url = await server(
    context,
    createServer((_request, response) => {
      response.setHeader('Cache-Control', 'no-store, private')
      response.end('{}')
    }),
  )
  const told = Promise.withResolvers<{ appeared: { id: string }[] }>()
  const hook = await server(
    context,
    createServer((request, response) => {
      let body = ''
      request.on('data', (chunk: Buffer) => {
        body += chunk.toString()
      })
      request.on('end', () => {
        response.writeHead(204).end()
        const change = JSON.parse(body) as { appeared: { id: string }[] }
        if (change.appeared.length > 0) told.resolve(change)
      })
    }),
  )
  const policy: PolicyDocument = {
    headers: { contentTypeOptions: 'nosniff', strip: false },
    cache: { mode: 'off' },
    client: { requestId: false },
    request: { mode: 'off' },
    errors: { mode: 'off' },
  }
  const folder = directory(context, { 'sallyport.config.json': JSON.stringify(policy) })
  const command = 'cat > change.json'
  const words = ['verify', url, '--watch', '1h', '--on-change-webhook', hook, '--on-change-command', command]
  const running = start(context, folder, words)
  const { appeared } = await told.promise
  assert.ok(appeared.some(({ id }) => id === 'xcto.missing'))
  await running.says('(told)')
  assert.ok(existsSync(join(folder, '.sallyport-watch.json')))
  const change = JSON.parse(readFileSync(join(folder, 'change.json'), 'utf8')) as { format: string }
  assert.equal(change.format, 'sallyport-change/1')
  running.process.kill('SIGTERM')
  assert.equal((await running.finished).code, 0)
  // What is known is not told again.
  const again = start(context, folder, words)
  await again.says('nothing has changed')
  again.process.kill('SIGINT')
  assert.equal((await again.finished).code, 0)
})

test('the page of the command names every option and every class', () => {
  const page = readFileSync(new URL('../../../../docs/commands/verify.md', import.meta.url), 'utf8')
  const { options } = commands.find(({ name }) => name === 'verify')!
  const unnamed = options.filter(({ name }) => name !== 'policy' && !page.includes(`--${name}`))
  assert.deepEqual(unnamed, [])
  for (const id of Object.keys(CLASSES)) assert.ok(page.includes(`\`${id}\``), id)
})
