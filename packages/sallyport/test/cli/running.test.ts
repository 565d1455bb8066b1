// `sallyport start` and `sallyport serve` as processes: what they print, what they refuse, how they end.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createServer, get } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import { directory, run, start } from './command.ts'

interface Greeting {
  readonly url: string
  readonly sample: string
  readonly digest: string
  readonly try: readonly string[]
}

const shell = (line: string, cwd: string) => promisify(execFile)('/bin/sh', ['-c', line], { cwd })

async function demo(context: TestContext, cwd: string, words: readonly string[] = []) {
  const running = start(context, cwd, ['start', '--port', '0', '--json', ...words])
  await running.says('"try"')
  return { running, greeting: JSON.parse(running.out()) as Greeting }
}

test('the three lines of the greeting show what the gateway changes', async (context) => {
  const cwd = directory(context)
  const { running, greeting } = await demo(context, cwd)
  assert.match(greeting.url, /^https:\/\/sallyport\.localhost:\d+$/)
  assert.match(greeting.digest, /^sha256:/)
  const [direct, guarded, crash] = (await Promise.all(greeting.try.map((line) => shell(line, cwd)))).map(
    ({ stdout }) => stdout,
  )
  assert.match(direct!, /^Server: AcmeServer/m)
  assert.match(direct!, /^Cache-Control: public, max-age=600/m)
  assert.match(guarded!, /^HTTP\/2 200 /)
  assert.match(guarded!, /^cache-control: no-store, private\r$/m)
  assert.match(guarded!, /^strict-transport-security: max-age=63072000; includeSubDomains; preload\r$/m)
  assert.doesNotMatch(guarded!, /Acme|ALLOWALL/)
  assert.match(guarded!, /owner@example\.com/)
  assert.match(crash!, /^HTTP\/2 500 /)
  assert.match(crash!, /"code":"internal"/)
  assert.doesNotMatch(crash!, /orders_pkey|srv\/app|X-Debug/)
  running.process.kill('SIGINT')
  assert.equal((await running.finished).code, 0)
})

test('the greeting in words holds the addresses and the same lines', async (context) => {
  const running = start(context, directory(context), ['start', '--port', '0'])
  await running.says('Ctrl-C drains and stops.')
  assert.match(running.out(), /gateway +https:\/\/sallyport\.localhost:\d+\n/)
  assert.match(running.out(), /policy +the built-in demo, sha256:[0-9a-f]{64}\n/)
  assert.equal(running.out().match(/^ {2}curl -si /gm)?.length, 3)
  running.process.kill('SIGTERM')
  const { code, err } = await running.finished
  assert.equal(code, 0)
  assert.match(err, /^Draining: .*\nStopped\.\n$/)
})

test('start takes the policy of the directory', async (context) => {
  const cwd = directory(context, {
    'sallyport.config.json': JSON.stringify({ extends: 'payments', transport: { tls: 'here' } }),
  })
  const { greeting } = await demo(context, cwd)
  const { stdout } = await shell(greeting.try[1]!, cwd)
  assert.match(stdout, /^referrer-policy: strict-origin-when-cross-origin\r$/m)
})

test('start ends TLS itself where the policy is written for a front', async (context) => {
  const cwd = directory(context, { 'sallyport.config.json': '{"extends": "api"}' })
  const { running, greeting } = await demo(context, cwd)
  const { stdout } = await shell(greeting.try[1]!, cwd)
  assert.match(stdout, /^x-frame-options: SAMEORIGIN\r$/m)
  running.process.kill('SIGINT')
  assert.match(
    (await running.finished).err,
    /^note: sallyport\.config\.json has TLS end in front; here it ends at the gateway$/m,
  )
})

test('a state folder and certificates that are none are said in one line', async (context) => {
  const cwd = directory(context, {
    'sallyport.config.json': '{"transport": {"tls": "here"}}',
    notadir: 'a file',
    'a.pem': 'no PEM',
  })
  const serve = ['serve', '--upstream', 'http://127.0.0.1:9', '--port', '0']
  const state = await run(context, cwd, [...serve, '--state', 'notadir'])
  assert.equal(state.code, 2)
  assert.match(state.err, /^sallyport: --state: no certificate can be kept in [^\n]+; name another folder\n$/)
  // Two pairs, made by the command itself.
  for (const folder of ['one', 'two'])
    assert.equal((await startedOnce(context, cwd, [...serve, '--state', folder])).code, 0)
  for (const [cert, key, line] of [
    ['a.pem', 'one/tls/key.pem', /^sallyport: --cert a\.pem: holds no certificate in PEM \(\w+\); [^\n]+\n$/],
    ['one/tls/cert.pem', 'a.pem', /^sallyport: --key a\.pem: holds no private key in PEM [^\n]+\n$/],
    [
      'one/tls/cert.pem',
      'two/tls/key.pem',
      /^sallyport: --cert one\/tls\/cert\.pem and --key two\/tls\/key\.pem: do not belong together \(\w+\); [^\n]+\n$/,
    ],
  ] as const) {
    const { code, err } = await run(context, cwd, [...serve, '--cert', cert, '--key', key])
    assert.equal(code, 2)
    assert.match(err, line)
  }
})

async function startedOnce(context: TestContext, cwd: string, words: readonly string[]) {
  const running = start(context, cwd, words)
  await running.says('Ctrl-C drains and stops.')
  running.process.kill('SIGINT')
  return running.finished
}

test('serve refuses its own address as the upstream, in one line', async (context) => {
  const words = ['serve', '--upstream', 'http://localhost:8443', '--host', '127.0.0.1', '--port', '8443']
  const { code, out, err } = await run(context, directory(context), words)
  assert.deepEqual([code, out], [2, ''])
  assert.equal(
    err,
    "sallyport: --upstream: http://localhost:8443 is this gateway's own address, and requests would go round; name the API's, or choose another port with --port\n",
  )
})

test('what nobody caught ends the process in one line, and with its stack where that is asked for', async (context) => {
  const cwd = directory(context, {
    'sallyport.config.mjs':
      "setTimeout(() => { throw new Error('boom\\nand more') }, 0)\nawait new Promise(() => { setInterval(() => {}, 1000) })",
  })
  const { code, err } = await run(context, cwd, ['check'])
  assert.deepEqual([code, err], [1, 'sallyport: boom (SALLYPORT_DEBUG=1 shows where)\n'])
  const debugged = await run(context, cwd, ['check'], { SALLYPORT_DEBUG: '1' })
  assert.notEqual(debugged.code, 0)
  assert.match(debugged.err, /^ +at /m)
})

test('a policy that is wrong stops the start, in one line for each mistake', async (context) => {
  const cwd = directory(context, { 'sallyport.config.json': '{"data": "x", "cache": {"owner": "app"}}' })
  const { code, out, err } = await run(context, cwd, ['start', '--port', '0'])
  assert.deepEqual([code, out, err.trimEnd().split('\n').length], [2, '', 2])
  assert.match(err, /^sallyport: sallyport\.config\.json: data: expected one of /)
})

test('a taken port is said in one line, of the gateway and of the sample', async (context) => {
  const taken = createServer()
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
  context.after(() => taken.close())
  const port = String((taken.address() as AddressInfo).port)
  for (const [words, option] of [
    [['start', '--port', port], '--port'],
    [['start', '--port', '0', '--upstream-port', port], '--upstream-port'],
    [['serve', '--upstream', 'http://127.0.0.1:9', '--port', port], '--port'],
  ] as const) {
    const { code, out, err } = await run(context, directory(context), words)
    assert.deepEqual([code, out], [2, ''])
    assert.equal(
      err,
      `sallyport: port ${port} of 127.0.0.1 is taken by another program; stop it, or choose another port with ${option}\n`,
    )
  }
})

test('a foreign address is said in one line', async (context) => {
  const { code, err } = await run(context, directory(context), [
    'start',
    '--port',
    '0',
    '--host',
    '192.0.2.1',
  ])
  assert.equal(code, 2)
  assert.equal(err, 'sallyport: this machine has no address 192.0.2.1; choose another with --host\n')
})

test('bare localhost under Strict-Transport-Security is warned of', async (context) => {
  const running = start(context, directory(context), ['start', '--port', '0', '--host', 'localhost'])
  await running.says('warning: transport.hsts: served as bare "localhost"')
})

test('serve stands before an API in plain HTTP where a front ends TLS, and drains on SIGINT', async (context) => {
  let answer: (() => void) | undefined
  const upstream = createServer((_request, response) => {
    answer = () => response.end('late')
  })
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve))
  context.after(() => upstream.close())
  const cwd = directory(context, { 'sallyport.config.json': '{"extends": "api"}' })
  const words = [
    'serve',
    '--upstream',
    `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`,
    '--json',
  ]
  const running = start(context, cwd, words, { SALLYPORT_PORT: '0' })
  await running.says('"url"')
  const { url, policy } = JSON.parse(running.out()) as { url: string; policy: string }
  assert.match(url, /^http:\/\/127\.0\.0\.1:\d+$/)
  assert.equal(policy, 'sallyport.config.json')
  const arrived = new Promise<void>((resolve) => upstream.once('request', () => resolve()))
  const body = new Promise<string>((resolve, reject) => {
    get(`${url}/v1/x`, (response) => {
      response.setEncoding('utf8')
      response.once('data', resolve)
    }).once('error', reject)
  })
  await arrived
  running.process.kill('SIGINT')
  await running.says('Draining')
  answer!()
  // What was under way comes to its end; then the process does.
  assert.equal(await body, 'late')
  assert.equal((await running.finished).code, 0)
  assert.match((await running.finished).err, /Stopped\.\n$/)
})

test('a second signal ends the process at once', async (context) => {
  const upstream = createServer(() => {})
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve))
  context.after(() => {
    upstream.closeAllConnections()
    upstream.close()
  })
  const cwd = directory(context, { 'sallyport.config.json': '{"extends": "api"}' })
  const words = [
    'serve',
    '--upstream',
    `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`,
    '--port',
    '0',
    '--json',
  ]
  const running = start(context, cwd, words)
  await running.says('"url"')
  const { port } = new URL((JSON.parse(running.out()) as { url: string }).url)
  const arrived = new Promise<void>((resolve) => upstream.once('request', () => resolve()))
  const caller = connect(Number(port), '127.0.0.1')
  context.after(() => caller.destroy())
  caller.on('error', () => {})
  caller.write('GET /v1/x HTTP/1.1\r\nHost: a.example\r\n\r\n')
  await arrived
  running.process.kill('SIGINT')
  await running.says('Draining')
  running.process.kill('SIGINT')
  assert.equal((await running.finished).code, 130)
})

test('serve refuses a certificate where the policy says that TLS ends in front', async (context) => {
  const cwd = directory(context, {
    'sallyport.config.json': '{"extends": "api"}',
    'c.pem': 'c',
    'k.pem': 'k',
  })
  const words = [
    'serve',
    '--upstream',
    'http://127.0.0.1:9',
    '--port',
    '0',
    '--cert',
    'c.pem',
    '--key',
    'k.pem',
  ]
  const { code, err } = await run(context, cwd, words)
  assert.equal(code, 2)
  assert.match(
    err,
    /^sallyport: sallyport\.config\.json says that TLS ends in front of this listener, and a certificate is given; [^\n]+\n$/,
  )
})
