// `serve` under an operator's hands: configuration, signals, several processes, reports.

import assert from 'node:assert/strict'
import { renameSync, writeFileSync } from 'node:fs'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { directory, run, start } from './command.ts'

interface Served {
  readonly url: string
  readonly admin?: string
  readonly upstreams?: Readonly<Record<string, readonly string[]>>
  readonly digest: string
  readonly configuration?: string
}

const POLICY = {
  extends: 'api',
  transport: { tls: 'in-front' },
  routes: { '/v1/short': { request: { mode: 'report', maxTargetBytes: 64 } } },
}

async function upstreamFor(context: TestContext, body = 'hello'): Promise<string> {
  const server = createServer((_request, response) => response.end(body))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  context.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function serve(context: TestContext, cwd: string, words: readonly string[]) {
  const running = start(context, cwd, ['serve', '--json', ...words])
  await running.says('"digest"')
  return { running, served: JSON.parse(running.out()) as Served }
}

function ask(url: string, method = 'GET', headers: Record<string, string> = {}) {
  return new Promise<{ status: number; body: string; headers: NodeJS.Dict<string | string[]> }>(
    (resolve, reject) => {
      const asking = request(url, { method, headers, agent: false }, (response) => {
        let body = ''
        response.on('data', (chunk) => {
          body += chunk
        })
        response.on('end', () => resolve({ status: response.statusCode!, body, headers: response.headers }))
      })
      asking.on('error', reject)
      asking.end()
    },
  )
}

const ANY_PORT = ['--port', '0', '--admin', '127.0.0.1:0']

test('serve runs by its configuration file, options win over it, and check reads it too', async (context) => {
  const upstream = await upstreamFor(context)
  const configuration = {
    listeners: [{ host: '127.0.0.1', port: 0 }],
    upstreams: { api: { urls: [upstream] } },
    admin: false,
    status: true,
    accessLog: { file: 'log/../access.log' },
  }
  const cwd = directory(context, {
    'sallyport.config.json': JSON.stringify(POLICY),
    'sallyport.gateway.json': JSON.stringify(configuration),
  })
  const checked = await run(context, cwd, ['check'])
  assert.match(checked.out, /^sallyport\.config\.json is sound\nsallyport\.gateway\.json is sound\n/)
  const { running, served } = await serve(context, cwd, [])
  assert.deepEqual([served.configuration, served.admin], ['sallyport.gateway.json', undefined])
  assert.equal((await ask(served.url)).body, 'hello')
  assert.equal(JSON.parse((await ask(`${served.url}/v1/status`)).body).status, 'ok')
  running.process.kill('SIGTERM')
  assert.equal((await running.finished).code, 0)
  const withAdmin = await serve(context, cwd, ['--admin', '127.0.0.1:0'])
  assert.match(withAdmin.served.admin!, /^http:\/\/127\.0\.0\.1:\d+$/)
})

test('serve stands before several upstreams, and says which file of one it can not use', async (context) => {
  const first = await upstreamFor(context)
  const second = await upstreamFor(context, 'other')
  const policy = JSON.stringify(POLICY)
  const cwd = directory(context, {
    'sallyport.config.json': policy,
    'sallyport.gateway.json': JSON.stringify({
      listeners: [{ host: '127.0.0.1', port: 0 }],
      upstreams: { api: { urls: [first] }, files: { urls: [second] } },
      routes: { '/v1/*': 'api', '/files/*': 'files' },
      admin: false,
    }),
  })
  const { served } = await serve(context, cwd, [])
  assert.deepEqual(served.upstreams, { api: [first], files: [second] })
  const spoken = start(context, cwd, ['serve'])
  await spoken.says('Ctrl-C')
  assert.match(
    spoken.out(),
    new RegExp(
      `^Sallyport: http://127\\.0\\.0\\.1:\\d+ -> 2 upstreams\\n  api: ${first}\\n  files: ${second}\\npolicy: `,
    ),
  )
  const paths = ['/v1/x', '/files/x', '/x']
  const bodies = await Promise.all(paths.map(async (path) => (await ask(served.url + path)).body))
  assert.deepEqual(bodies.slice(0, 2), ['hello', 'other'])
  assert.equal(JSON.parse(bodies[2]!).code, 'not_found')
  for (const workers of ['1', '2']) {
    const broken = directory(context, {
      'sallyport.config.json': policy,
      'sallyport.gateway.json': JSON.stringify({
        upstreams: { api: { urls: ['https://127.0.0.1:1'], tls: { ca: 'gone.pem' } } },
      }),
    })
    const { code, err } = await run(context, broken, ['serve', ...ANY_PORT, '--workers', workers])
    assert.equal(code, 2)
    assert.match(
      err,
      /^sallyport: upstreams\.api\.tls\.ca: .*gone\.pem can't be read \(ENOENT\); name a file/m,
    )
  }
})

test('a wrong configuration is said with file, place and mend, by serve and by check', async (context) => {
  const cwd = directory(context, {
    'sallyport.config.json': JSON.stringify(POLICY),
    'sallyport.gateway.json': '{"listener": [{"port": 1}]}',
  })
  const line =
    'sallyport: sallyport.gateway.json: listener: there is no setting "listener" here; did you mean "listeners"?\n'
  for (const words of [['check'], ['serve']]) {
    const { code, err } = await run(context, cwd, words)
    assert.deepEqual([code, err], [2, line])
  }
})

for (const [workers, name] of [
  [1, 'one process'],
  [2, 'two processes'],
] as const)
  test(`${name}: a signal reloads, a bad policy is refused, and POST /drain ends it`, async (context) => {
    const cwd = directory(context, { 'sallyport.config.json': JSON.stringify(POLICY) })
    const write = (policy: object) =>
      writeFileSync(join(cwd, 'sallyport.config.json'), JSON.stringify(policy))
    const words = [...ANY_PORT, '--workers', String(workers), '--upstream', await upstreamFor(context)]
    const { running, served } = await serve(context, cwd, words)
    assert.equal((await ask(served.url)).headers['x-frame-options'], 'SAMEORIGIN')
    write({ ...POLICY, headers: { frameOptions: 'DENY' } })
    running.process.kill('SIGHUP')
    await running.says('reloaded: sha256:')
    assert.equal((await ask(served.url)).headers['x-frame-options'], 'DENY')
    write({ ...POLICY, colour: 'red' })
    running.process.kill('SIGHUP')
    await running.says('reload refused, the policy before goes on:')
    await running.says('  sallyport.config.json: colour: there is no setting "colour" here')
    const health = JSON.parse((await ask(`${served.admin}/healthz`)).body)
    assert.equal(health.processes, workers)
    if (workers > 1) {
      running.process.kill('SIGUSR2')
      await running.says('Every process is a new one.')
      assert.equal((await ask(served.url)).headers['x-frame-options'], 'DENY', 'with the policy that ran')
    }
    const drain = await ask(`${served.admin}/drain`, 'POST', { 'X-Sallyport-Admin': '1' })
    assert.equal(drain.status, 202)
    const { code, err } = await running.finished
    assert.equal(code, 0)
    assert.match(err, /^Draining: (?:.*\n)+Stopped\.$/m)
  })

test('report says by route what would be denied, for whom, and what to do next', async (context) => {
  const cwd = directory(context, { 'sallyport.config.json': JSON.stringify(POLICY) })
  const { served } = await serve(context, cwd, [...ANY_PORT, '--upstream', await upstreamFor(context)])
  const report = (...words: string[]) => run(context, cwd, ['report', '--admin', served.admin!, ...words])
  assert.match(
    (await report()).out,
    /\nNothing would have been denied or changed\.\n\nNext: wait for requests; there were none\.\n$/,
  )
  const headers = { Origin: 'https://app.example', Authorization: 'Bearer hunter2' }
  await ask(`${served.url}/v1/short?${'a'.repeat(80)}`, 'GET', headers)
  const { out, code } = await report()
  assert.equal(code, 0)
  assert.match(out, /^in report mode: request \(1 cell\)$/m)
  assert.match(
    out,
    /^ {2}\/v1\/short +SP-REQUEST-01 +deny +target_too_long +1 +https:\/\/app\.example 1 +bearer:[0-9a-f]{12} 1$/m,
  )
  assert.match(out, /^Next: for each line, either the caller is right/m)
  assert.doesNotMatch(out, /hunter2/)
  assert.equal(JSON.parse((await report('--json')).out).rows[0].count, 1)
})

const WRONG: readonly (readonly [words: readonly string[], line: RegExp])[] = [
  [
    ['report', '--admin', '127.0.0.1:1'],
    /^sallyport: no gateway answers at 127\.0\.0\.1:1 \(ECONNREFUSED\); start one/,
  ],
  [
    ['report', '--admin', 'https://x'],
    /^sallyport: --admin: expected HOST:PORT or unix:PATH, received "https:\/\/x"/,
  ],
  [
    ['serve', '--upstream', 'http://127.0.0.1:9', '--admin', '9901'],
    /^sallyport: --admin: expected HOST:PORT, unix:PATH or off, received "9901"/,
  ],
  [
    ['serve', '--upstream', 'http://127.0.0.1:9', '--workers', '0'],
    /^sallyport: --workers: expected a whole number from 1 to 256, received "0"/,
  ],
  [
    ['serve', '--upstream', 'http://127.0.0.1:9', '--config', 'none.json'],
    /^sallyport: none\.json: there is no such file; name another\n$/,
  ],
]

for (const [words, line] of WRONG)
  test(`refused in one line: ${words.join(' ')}`, async (context) => {
    const { code, err } = await run(context, directory(context), words)
    assert.equal(code, 2)
    assert.match(err, line)
  })

test('a change of the configuration takes new upstreams in, and says what takes a restart', async (context) => {
  const [old, next] = [await upstreamFor(context, 'old'), await upstreamFor(context, 'new')]
  const configured = (url: string, more: object = {}) =>
    JSON.stringify({
      listeners: [{ host: '127.0.0.1', port: 0 }],
      upstreams: { api: { urls: [url] } },
      admin: false,
      ...more,
    })
  const cwd = directory(context, {
    'sallyport.config.json': JSON.stringify(POLICY),
    'sallyport.gateway.json': configured(old),
  })
  const file = join(cwd, 'sallyport.gateway.json')
  const { running, served } = await serve(context, cwd, [])
  assert.equal((await ask(served.url)).body, 'old')
  writeFileSync(`${file}.new`, configured(next, { status: true }))
  renameSync(`${file}.new`, file)
  await running.says('the upstream api has changed; status has changed, which takes a restart')
  assert.equal((await ask(served.url)).body, 'new')
  writeFileSync(`${file}.new`, JSON.stringify({ listeners: [{ host: '127.0.0.1', port: 0 }], admin: false }))
  renameSync(`${file}.new`, file)
  await running.says('sallyport.gateway.json: upstreams: there are none any more; name the API behind')
  assert.equal((await ask(served.url)).body, 'new')
})

test('report asks the gateway that the configuration names', async (context) => {
  const upstream = await upstreamFor(context)
  const cwd = directory(context, {
    'sallyport.config.json': JSON.stringify(POLICY),
    'sallyport.gateway.json': JSON.stringify({
      listeners: [{ host: '127.0.0.1', port: 0 }],
      upstreams: { api: { urls: [upstream] } },
      admin: { path: 'admin.sock' },
    }),
    'off.json': JSON.stringify({ admin: false }),
    'any.json': JSON.stringify({ admin: { port: 0 } }),
    'gone.json': JSON.stringify({ admin: { host: '0.0.0.0', port: 1, allowNonLoopback: true } }),
  })
  await serve(context, cwd, [])
  const found = await run(context, cwd, ['report'])
  assert.deepEqual([found.code, found.err], [0, ''])
  assert.match(found.out, /^policy sha256:/)
  const refused = async (name: string) => (await run(context, cwd, ['report', '--config', name])).err
  assert.match(await refused('off.json'), /^sallyport: off\.json: admin: false, so nobody can be asked; name/)
  assert.match(await refused('any.json'), /^sallyport: any\.json: admin\.port: 0 takes any free port; name/)
  assert.match(await refused('gone.json'), /^sallyport: no gateway answers at 127\.0\.0\.1:1 /)
})

test('an admin address that other machines reach must be wished for, and is never passed over', async (context) => {
  const wished = { host: '0.0.0.0', port: 0, allowNonLoopback: true }
  const configured = (admin: object) => ({
    'sallyport.config.json': JSON.stringify(POLICY),
    'sallyport.gateway.json': JSON.stringify({
      listeners: [{ host: '127.0.0.1', port: 0 }],
      upstreams: { api: { urls: ['http://127.0.0.1:9'] } },
      admin,
    }),
  })
  const cwd = directory(context, configured({ host: '0.0.0.0', port: 9901 }))
  const line = /^sallyport: sallyport\.gateway\.json: admin\.host: other machines can reach this address/
  for (const words of [['check'], ['serve']]) {
    const { code, err } = await run(context, cwd, words)
    assert.equal(code, 2)
    assert.match(err, line)
  }
  const open = directory(context, configured(wished))
  const byOption = await run(context, open, ['serve', '--admin', '0.0.0.0:0'])
  assert.equal(byOption.code, 2)
  assert.match(byOption.err, /^sallyport: admin\.host: other machines can reach this address/)
  const { running } = await serve(context, open, [])
  running.process.kill('SIGTERM')
  const warning = /needs no password, and admin\.allowNonLoopback lets other machines reach it/
  assert.match((await running.finished).err, warning)
  assert.match((await run(context, open, ['check'])).out, warning)
})

test('a missing folder of the access log or the admin socket is found by check and by serve', async (context) => {
  const cwd = directory(context, {
    'sallyport.config.json': JSON.stringify(POLICY),
    'sallyport.gateway.json': JSON.stringify({
      upstreams: { api: { urls: ['http://127.0.0.1:9'] } },
      accessLog: { file: 'log/access.log' },
      admin: { path: 'run/admin.sock' },
    }),
    'list.json': '[]',
  })
  const checked = await run(context, cwd, ['check'])
  assert.equal(checked.code, 2)
  assert.match(
    checked.err,
    /gateway\.json: accessLog\.file: there is no folder .*\/log, received .*; make it$/m,
  )
  assert.match(checked.err, /gateway\.json: admin\.path: there is no folder .*\/run, received .*; make it$/m)
  for (const words of [
    ['serve', '--admin', 'off'],
    ['serve', '--access-log', 'off', '--workers', '2'],
  ]) {
    const { code, err } = await run(context, cwd, [...words, '--port', '0'])
    assert.equal(code, 2)
    assert.match(
      err,
      /^sallyport: the (access log|admin listener's socket) can't be made at .*; make it, or name/,
    )
  }
  assert.equal(
    (await run(context, cwd, ['check', '--config', 'list.json'])).err,
    'sallyport: list.json: the gateway configuration: expected an object, received []; write it in braces: { … }\n',
  )
})

test('an admin port that is taken is no reason not to start, unless it was chosen', async (context) => {
  const taken = new URL(await upstreamFor(context)).port
  const cwd = directory(context, {
    'sallyport.config.json': JSON.stringify(POLICY),
  })
  const words = ['serve', '--port', '0', '--upstream', 'http://127.0.0.1:9', '--admin', `127.0.0.1:${taken}`]
  const { code, err } = await run(context, cwd, words)
  assert.equal(code, 2)
  assert.match(
    err,
    new RegExp(`^sallyport: the admin listener can't have port ${taken} \\(EADDRINUSE\\); choose another`),
  )
})
