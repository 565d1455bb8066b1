// One small app behind `sallyport/fetch` on Bun, Deno and workerd: what the policy says holds on every answer that the
// handler's way can reach, and what a host answers before it is as stated.

import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { ensureParts, parts } from '../../../../.ci/parts.ts'
import { type Answer, parseAnswer, send, valuesOf } from '../kinds/wire.ts'

const here = fileURLToPath(new URL('.', import.meta.url))
const missing = ensureParts(parts.filter((part) => part.install.includes('packages/sallyport/test/runtimes')))
const skip =
  missing.length > 0 && 'the runtimes are not installed: npm ci --prefix packages/sallyport/test/runtimes'

interface Runtime {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  /** The port from a line of its output. */
  readonly portOf: (line: string) => number | undefined
  readonly prepare?: () => Promise<unknown>
  /** What this host answers by itself, before any handler: bytes and the status, 0 for a connection closed without one. */
  readonly own: Readonly<Record<string, readonly [bytes: string, status: number]>>
}

/** A whole request that asks for the connection to be closed. */
function requestBytes(method: string, path: string, headers: readonly string[] = [], body = ''): string {
  const host = headers.some((line) => line.startsWith('Host:')) ? [] : ['Host: api.example']
  const length = body === '' ? [] : [`Content-Length: ${Buffer.byteLength(body)}`]
  const lines = [`${method} ${path} HTTP/1.1`, ...host, ...headers, ...length, 'Connection: close']
  return `${lines.join('\r\n')}\r\n\r\n${body}`
}

const GARBAGE = 'GARBAGE\r\n\r\n'
const NO_HOST = 'GET /ok HTTP/1.1\r\nConnection: close\r\n\r\n'
const BAD_NAME = requestBytes('GET', '/ok', ['Bad Header: x'])
const LARGE = requestBytes('GET', '/ok', [`X-Large: ${'a'.repeat(400_000)}`])
const TWO_LENGTHS = requestBytes('POST', '/ok', ['Transfer-Encoding: chunked'], '0\r\n\r\n')
const TWO_HOSTS = requestBytes('GET', '/ok', ['Host: a.example', 'Host: b.example'])
const UNKNOWN_METHOD = requestBytes('FOO', '/ok')
const VERSION_2 = 'GET /ok HTTP/2.0\r\nHost: api.example\r\n\r\n'

const plainPort = (line: string) => (/^\d+$/.test(line) ? Number(line) : undefined)

const runtimes: readonly Runtime[] = [
  {
    name: 'Bun',
    command: 'node_modules/bun/bin/bun.exe',
    args: ['bun.ts'],
    portOf: plainPort,
    own: {
      'a garbage request line': [GARBAGE, 400],
      'no Host line': [NO_HOST, 400],
      'a bad header name': [BAD_NAME, 400],
      'a length beside a transfer coding': [TWO_LENGTHS, 400],
      'a head of 400 KB': [LARGE, 431],
      'HTTP/2.0 in the request line': [VERSION_2, 505],
      'an unknown method': [UNKNOWN_METHOD, 0],
    },
  },
  {
    name: 'Deno',
    command: 'node_modules/deno/deno',
    args: ['run', '--no-remote', '--no-lock', '--no-config', '--allow-net=127.0.0.1', 'deno.ts'],
    portOf: plainPort,
    own: {
      'a garbage request line': [GARBAGE, 400],
      'a bad header name': [BAD_NAME, 400],
      'two Host lines': [TWO_HOSTS, 400],
      'a length beside a transfer coding': [TWO_LENGTHS, 400],
      'a head of 400 KB': [LARGE, 400],
      'HTTP/2.0 in the request line': [VERSION_2, 400],
    },
  },
  {
    name: 'workerd',
    command: 'node_modules/workerd/bin/workerd',
    args: ['serve', 'workerd.capnp', '--control-fd=1'],
    portOf: (line) => (line.startsWith('{') ? (JSON.parse(line) as { port?: number }).port : undefined),
    prepare: () =>
      build({
        entryPoints: [`${here}worker.ts`],
        outfile: `${here}dist/worker.js`,
        bundle: true,
        format: 'esm',
        platform: 'neutral',
      }),
    own: {
      'a garbage request line': [GARBAGE, 400],
      'no Host line': [NO_HOST, 400],
      'a bad header name': [BAD_NAME, 400],
      'an unknown method': [UNKNOWN_METHOD, 501],
      'HTTP/2.0 in the request line': [VERSION_2, 400],
    },
  },
]

const POLICY: Readonly<Record<string, string>> = {
  'strict-transport-security': 'max-age=63072000; includeSubDomains; preload',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'permissions-policy': 'camera=(), microphone=(), geolocation=()',
}

function expectPolicy(answer: Answer, what: string): void {
  for (const [name, value] of Object.entries(POLICY))
    assert.deepEqual(valuesOf(answer, name), [value], `${what}: ${name} stands once`)
  for (const name of ['x-powered-by', 'server'])
    assert.deepEqual(valuesOf(answer, name), [], `${what}: ${name}`)
}

for (const runtime of runtimes) {
  describe(runtime.name, { skip }, () => {
    let child: ChildProcess | undefined
    let port = 0
    const ask = (method: string, path: string, headers: readonly string[] = [], body = '') =>
      exchange(requestBytes(method, path, headers, body))
    const exchange = async (bytes: string) => parseAnswer(await send({ port }, bytes))

    before(async () => {
      await runtime.prepare?.()
      assert.ok(existsSync(`${here}${runtime.command}`), `${runtime.command} is there`)
      child = spawn(`${here}${runtime.command}`, runtime.args, {
        cwd: here,
        stdio: ['ignore', 'pipe', 'inherit'],
        env: { ...process.env, NO_COLOR: '1', DENO_NO_UPDATE_CHECK: '1' },
      })
      for await (const line of createInterface({ input: child.stdout! })) {
        port = runtime.portOf(line) ?? 0
        if (port > 0) break
      }
      assert.ok(port > 0, 'it says its port')
    })

    after(async () => {
      if (!child || child.exitCode !== null) return
      child.kill('SIGKILL')
      await once(child, 'exit')
    })

    test('every kind of answer carries the policy, each line once', async () => {
      const kinds: readonly (readonly [method: string, path: string, status: number])[] = [
        ['GET', '/ok', 200],
        ['HEAD', '/ok', 200],
        ['OPTIONS', '/ok', 200],
        ['GET', '/own', 200],
        ['GET', '/empty', 204],
        ['GET', '/unchanged', 304],
        ['GET', '/redirect', 302],
        ['GET', '/none', 404],
        ['GET', '/%zz', 404],
        ['GET', '/throws', 500],
        ['GET', '/fails', 503],
        ['GET', '/stream', 200],
      ]
      for (const [method, path, status] of kinds) {
        const answer = await ask(method, path)
        assert.equal(answer.status, status, `${method} ${path}`)
        expectPolicy(answer, `${method} ${path}`)
      }
    })

    test('what the application adds stays, Set-Cookie lines apart', async () => {
      assert.deepEqual(valuesOf(await ask('GET', '/own'), 'x-mine'), ['kept'])
      assert.deepEqual(valuesOf(await ask('GET', '/cookies'), 'set-cookie'), ['a=1', 'b=2'])
      assert.deepEqual(valuesOf(await ask('GET', '/redirect'), 'location'), ['/ok'])
      assert.deepEqual(valuesOf(await ask('GET', '/unchanged'), 'etag'), ['"a"'])
    })

    test('a request body reaches the handler, and the answer keeps its length', async () => {
      const answer = await ask('POST', '/ok', ['Content-Type: text/plain'], 'hello')
      assert.match(answer.rest, /"body":"hello"/)
      assert.deepEqual(valuesOf(answer, 'content-length'), ['26'])
    })

    test('a stream passes whole', async () => {
      const { rest } = await ask('GET', '/stream')
      for (const tick of [1, 2, 3]) assert.ok(rest.includes(`data: ${tick}\n\n`), `tick ${tick}`)
    })

    test('what the application throws or says in a 5xx never leaves', async () => {
      for (const [path, code] of [
        ['/throws', 'internal'],
        ['/fails', 'unavailable'],
      ] as const) {
        const answer = await ask('GET', path)
        assert.deepEqual(valuesOf(answer, 'content-type'), ['application/problem+json'], path)
        assert.match(answer.rest, new RegExp(`"code":"${code}"`))
        assert.doesNotMatch(answer.rest, /secret/)
      }
      assert.deepEqual(valuesOf(await ask('GET', '/fails'), 'retry-after'), ['7'])
    })

    test('the cache class of a route holds, and its errors are not kept', async () => {
      assert.deepEqual(valuesOf(await ask('GET', '/public'), 'cache-control'), ['public, max-age=30'])
      assert.deepEqual(valuesOf(await ask('GET', '/ok'), 'cache-control'), ['no-store, private'])
      assert.deepEqual(valuesOf(await ask('GET', '/public/'), 'cache-control'), ['no-store, private'])
    })

    test('a Response that came from fetch() carries the policy as well', async () => {
      const upstream = createServer((_request, response) => {
        response.writeHead(200, {
          'X-Frame-Options': 'ALLOWALL',
          'X-Powered-By': 'upstream',
          'X-Mine': 'kept',
        })
        response.end('from afar')
      })
      await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', () => resolve()))
      try {
        const address = upstream.address() as AddressInfo
        const answer = await ask('GET', '/far', [`X-Upstream: http://127.0.0.1:${address.port}`])
        assert.equal(answer.status, 200)
        expectPolicy(answer, 'the upstream’s answer')
        assert.deepEqual(valuesOf(answer, 'x-mine'), ['kept'])
        assert.match(answer.rest, /from afar/)
      } finally {
        upstream.closeAllConnections()
        upstream.close()
      }
    })

    test('a preflight is answered by the policy, and one of an unlisted origin grants nothing', async () => {
      const announced = ['Access-Control-Request-Method: POST']
      const allowed = await ask('OPTIONS', '/ok', ['Origin: https://app.example', ...announced])
      assert.equal(allowed.status, 204)
      expectPolicy(allowed, 'preflight')
      assert.deepEqual(valuesOf(allowed, 'access-control-allow-origin'), ['https://app.example'])
      assert.equal(allowed.rest, '')
      const denied = await ask('OPTIONS', '/ok', ['Origin: https://evil.example', ...announced])
      assert.equal(denied.status, 403)
      expectPolicy(denied, 'denied preflight')
      assert.match(denied.rest, /"code":"origin_not_allowed"/)
      for (const answer of [allowed, denied]) assert.deepEqual(valuesOf(answer, 'vary'), ['Origin'])
      for (const name of denied.headers.map(([line]) => line.toLowerCase()))
        assert.doesNotMatch(name, /^access-control-/)
    })

    test('a request from a listed origin is granted to it alone', async () => {
      const answer = await ask('GET', '/ok', ['Origin: https://app.example'])
      assert.deepEqual(valuesOf(answer, 'access-control-allow-origin'), ['https://app.example'])
      assert.deepEqual(valuesOf(answer, 'access-control-allow-credentials'), ['true'])
      const other = await ask('GET', '/ok', ['Origin: https://evil.example'])
      assert.deepEqual(valuesOf(other, 'access-control-allow-origin'), [])
    })

    test('a body past its limit is 413, announced or in chunks', async () => {
      const announced = await ask('POST', '/ok', [], 'a'.repeat(65))
      const chunks = `${'20\r\n'}${'a'.repeat(32)}\r\n`.repeat(3)
      const chunked = await exchange(
        requestBytes('POST', '/ok', ['Transfer-Encoding: chunked']).concat(chunks, '0\r\n\r\n'),
      )
      for (const answer of [announced, chunked]) {
        assert.equal(answer.status, 413)
        expectPolicy(answer, 'too large')
        assert.match(answer.rest, /"code":"body_too_large"/)
      }
      const small = `${'2\r\nhi\r\n0\r\n\r\n'}`
      const within = await exchange(requestBytes('POST', '/ok', ['Transfer-Encoding: chunked']) + small)
      assert.match(within.rest, /"body":"hi"/)
    })

    test('what the host answers before any handler is as stated, and out of our reach', async () => {
      for (const [what, [bytes, status]] of Object.entries(runtime.own)) {
        const read = await send({ port }, bytes)
        if (status === 0) assert.equal(read, '', what)
        if (status === 0) continue
        const answer = parseAnswer(read)
        assert.equal(answer.status, status, what)
        assert.deepEqual(valuesOf(answer, 'strict-transport-security'), [], `${what}: no handler saw it`)
      }
    })
  })
}
