// The other ways in which a Next.js app runs: the standalone server, a host where no server is ours, and `headers()`
// alone.

import assert from 'node:assert/strict'
import { join, relative } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { ensureParts, parts } from '../../.ci/parts.ts'
import { type Expected, faults } from '../../packages/sallyport/test/kinds/kinds.ts'
import { type Answer, bodyOf, parseAnswer, send, valuesOf } from '../../packages/sallyport/test/kinds/wire.ts'
import { build, type NextProcess, start, startStandalone, variant } from './next-process.ts'

const missing = ensureParts(parts.filter((part) => part.install.includes('examples/calmony-pay')))
const skip = missing.length > 0 && 'Next.js is not installed: npm ci --prefix examples/calmony-pay'

const five: Expected = {
  exact: {
    'Strict-Transport-Security': 'max-age=63072000; includeSubDomains; preload',
    'X-Frame-Options': 'DENY',
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'strict-origin-when-cross-origin',
    'Permissions-Policy': 'camera=(), microphone=(), geolocation=()',
  },
  absent: [],
}

async function ask(app: NextProcess, line: string, headers: readonly string[] = []): Promise<Answer> {
  const lines = [`${line} HTTP/1.1`, 'Host: api.calmonypay.com', ...headers, 'Connection: close']
  return parseAnswer(await send({ port: app.port }, `${lines.join('\r\n')}\r\n\r\n`))
}

const HANDLED = [
  'GET /',
  'HEAD /',
  'GET /api/payments/none',
  'GET /nowhere',
  'GET /api/fails',
  'GET /api/events',
]

describe('the standalone server', { skip, timeout: 300_000 }, () => {
  let app: NextProcess
  before(async () => {
    const folder = variant('standalone', {
      'next.config.ts': "export default { output: 'standalone' }\n",
      'instrumentation.ts': `export async function register() {
  if (process.env.NEXT_RUNTIME !== 'nodejs') return
  const sallyport = await import('sallyport/next')
  sallyport.register({ extends: 'payments' })
}
`,
    })
    await build(folder)
    // Next traces from the repository's root, and lays the server out below it.
    const root = fileURLToPath(new URL('../..', import.meta.url))
    app = await startStandalone(join(folder, '.next/standalone', relative(root, folder), 'server.js'))
  })
  after(() => app?.close())

  test('C6 every answer of the standalone server is under the policy, its parser’s as well', async () => {
    for (const line of [...HANDLED, 'GET /api/payments/'])
      assert.deepEqual(faults(await ask(app, line), five), [], line)
    for (const bytes of ['GARBAGE\r\n\r\n', 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n'])
      assert.deepEqual(faults(parseAnswer(await send({ port: app.port }, bytes)), five), [])
  })
})

describe('a host where no server is ours', { skip, timeout: 300_000 }, () => {
  let app: NextProcess
  before(async () => {
    const folder = variant('proxy', {
      'next.config.ts': 'export default {}\n',
      'proxy.ts': `import { proxy as sallyport } from 'sallyport/next'

export const proxy = sallyport({
  extends: 'payments',
  cors: { origins: ['https://shop.example'] },
  routes: { '/api/fails': { cors: { origins: [] } } },
})
`,
    })
    await build(folder)
    app = await start(folder)
  })
  after(() => app?.close())

  test('every answer that passes proxy.ts carries the policy once', async () => {
    for (const line of HANDLED) assert.deepEqual(faults(await ask(app, line), five), [], line)
  })

  test('CORS is decided for each request, and Vary is merged with Next’s own', async () => {
    const granted = await ask(app, 'GET /api/payments/none', ['Origin: https://shop.example'])
    assert.equal(granted.status, 404)
    assert.deepEqual(valuesOf(granted, 'Access-Control-Allow-Origin'), ['https://shop.example'])
    const vary = valuesOf(granted, 'Vary').join(', ')
    assert.match(vary, /\bOrigin\b/)
    assert.match(vary, /\brsc\b/)
    const preflight = ['Origin: https://evil.example', 'Access-Control-Request-Method: POST']
    const denied = await ask(app, 'OPTIONS /api/payments', preflight)
    assert.equal(denied.status, 403)
    assert.deepEqual(faults(denied, five), [])
    assert.match(bodyOf(denied), /"code":"origin_not_allowed"/)
    assert.deepEqual(valuesOf(denied, 'Access-Control-Allow-Origin'), [])
  })

  test('what Next and Node answer before proxy.ts is out of its reach', async () => {
    for (const bytes of ['GARBAGE\r\n\r\n', 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n'])
      assert.deepEqual(valuesOf(parseAnswer(await send({ port: app.port }, bytes)), 'X-Frame-Options'), [])
    assert.deepEqual(
      valuesOf(await ask(app, 'GET /api/payments/'), 'X-Frame-Options'),
      [],
      'its own redirect',
    )
  })
})

describe('headers() alone', { skip, timeout: 300_000 }, () => {
  let app: NextProcess
  before(async () => {
    const folder = variant('listed', {
      // As a host sees it that reads the build and runs no server of Next's.
      'next.config.ts': `import type { NextConfig } from 'next'
import { withSallyport } from 'sallyport/next'

const configure = withSallyport<NextConfig>(
  { headers: () => [{ source: '/api/legacy', headers: [{ key: 'X-Mine', value: 'kept' }, { key: 'X-Frame-Options', value: 'ALLOWALL' }] }] },
  {
    extends: 'payments',
    routes: {
      '/api/*': { headers: { referrerPolicy: ['no-referrer'] } },
      '/api/payments/:id': { headers: { referrerPolicy: ['same-origin'] } },
      '/api/payments/open': { headers: { referrerPolicy: ['origin'] } },
    },
  },
)

export default (_phase: string, context: { defaultConfig: NextConfig }) => configure('phase-production-build', context)
`,
    })
    await build(folder)
    app = await start(folder)
  })
  after(() => app?.close())

  test('the most specific route wins, and a wildcard covers its bare path', async () => {
    const expected: Readonly<Record<string, string>> = {
      'GET /': 'strict-origin-when-cross-origin',
      'GET /apis': 'strict-origin-when-cross-origin',
      'GET /api': 'no-referrer',
      'GET /api/fails': 'no-referrer',
      'GET /api/payments/none': 'same-origin',
      'GET /api/payments/open': 'origin',
    }
    for (const [line, value] of Object.entries(expected))
      assert.deepEqual(valuesOf(await ask(app, line), 'Referrer-Policy'), [value], line)
  })

  test('the app’s own entries stay, but for the names of the policy', async () => {
    const answer = await ask(app, 'GET /api/legacy')
    assert.deepEqual(valuesOf(answer, 'X-Mine'), ['kept'])
    assert.deepEqual(valuesOf(answer, 'X-Frame-Options'), ['DENY'])
  })
})
