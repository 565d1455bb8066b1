// Nine ways in which a project may use the published package, each with the file that uses it and the command that
// proves it. TypeScript settings compile against the declarations with nothing skipped.

/** One project setting. */
export interface ProjectSetting {
  readonly name: string
  readonly type: 'module' | 'commonjs'
  readonly files: Readonly<Record<string, string>>
  /** Commands, each a program of the workspace's bin folder and its arguments. */
  readonly run: readonly (readonly [program: string, ...args: string[]])[]
}

const USE = `
const wrong = definePolicy({ cors: { origins: ['https://*.github.io'] } })
try {
  createServer(wrong)
  throw new Error('a pattern for a public suffix was accepted')
} catch (error) {
  if (!String(error.message).includes('public suffix list')) throw error
}
createServer({ cors: { origins: ['https://*.example.com'] } })
const policy = definePolicy({ extends: 'recommended', routes: { '/v1/status': { data: 'public', credentials: 'none' } } })
const server = createServer(policy, (_request, response) => response.end('{}'))
server.listen(0, '127.0.0.1', async () => {
  const { port } = server.address()
  const answer = await fetch('http://127.0.0.1:' + port + '/v1/status')
  if (answer.headers.get('x-content-type-options') !== 'nosniff') throw new Error('no policy on the answer')
  server.close()
  server.closeAllConnections()
})
`

const TYPED = `
import { createServer as serve } from 'node:http'
import { definePolicy, type PolicyDocument, resolvePolicy, PolicyError } from 'sallyport'
import { createServer } from 'sallyport/node'
import { guard as guardExpress } from 'sallyport/express'
import { guarded as guardedFastify } from 'sallyport/fastify'
import { guarded as guardedHono } from 'sallyport/hono'
import { guard as guardFetch } from 'sallyport/fetch'
import { withSallyport } from 'sallyport/next'
import { forEachRoute, verifyApp } from 'sallyport/testing'

const policy: PolicyDocument = definePolicy({ extends: ['api', 'recommended'], routes: { '/v1/x': { data: 'public' } } })
// @ts-expect-error a data class that does not exist
const wrong: PolicyDocument = { data: 'secret' }
try {
  resolvePolicy(wrong)
} catch (error) {
  if (!(error instanceof PolicyError)) throw error
}
createServer(policy, (_request, response) => void response.end())
const handler: (request: Request) => Response | Promise<Response> = guardFetch(policy, () => new Response('{}'))
const verified = verifyApp(handler, policy, { samples: [{ class: 'error', path: '/v1/fails' }] })
export { forEachRoute, guardExpress, guardedFastify, guardedHono, handler, serve, verified, withSallyport }
`

function tsconfig(options: Record<string, unknown>): string {
  return JSON.stringify({
    compilerOptions: { strict: true, noEmit: true, skipLibCheck: false, types: ['node'], ...options },
    include: ['*.ts', '*.mts', '*.cts'],
  })
}

export const settings: readonly ProjectSetting[] = [
  {
    name: 'ES module in JavaScript',
    type: 'module',
    files: {
      'use.js': `import { definePolicy } from 'sallyport'\nimport { createServer } from 'sallyport/node'\n${USE}`,
    },
    run: [['node', 'use.js']],
  },
  {
    name: 'CommonJS in JavaScript, by require(esm)',
    type: 'commonjs',
    files: {
      'use.js': `const { definePolicy } = require('sallyport')\nconst { createServer } = require('sallyport/node')\n${USE}`,
    },
    run: [['node', 'use.js']],
  },
  {
    name: 'TypeScript under Node’s type stripping',
    type: 'module',
    files: {
      'use.ts': `import { definePolicy } from 'sallyport'\nimport { createServer } from 'sallyport/node'\n${USE.replace('server.address()', 'server.address() as import("node:net").AddressInfo').replace('error.message', '(error as Error).message')}`,
    },
    run: [['node', 'use.ts']],
  },
  {
    name: 'TypeScript, nodenext, ES module',
    type: 'module',
    files: { 'use.ts': TYPED, 'tsconfig.json': tsconfig({ module: 'nodenext', target: 'es2023' }) },
    run: [['tsc', '-p', '.']],
  },
  {
    name: 'TypeScript, nodenext, CommonJS that requires the module',
    type: 'commonjs',
    files: { 'use.cts': TYPED, 'tsconfig.json': tsconfig({ module: 'nodenext', target: 'es2023' }) },
    run: [['tsc', '-p', '.']],
  },
  {
    name: 'TypeScript, bundler resolution, strictest flags',
    type: 'module',
    files: {
      'use.ts': TYPED,
      'tsconfig.json': tsconfig({
        module: 'esnext',
        moduleResolution: 'bundler',
        target: 'es2022',
        lib: ['es2023', 'dom', 'dom.iterable'],
        verbatimModuleSyntax: true,
        exactOptionalPropertyTypes: true,
        noUncheckedIndexedAccess: true,
        isolatedModules: true,
      }),
    },
    run: [['tsc', '-p', '.']],
  },
  {
    name: 'bundled by esbuild for a Worker, without node: modules',
    type: 'module',
    files: {
      'use.js': `import { guard } from 'sallyport/fetch'\nexport default { fetch: guard({ extends: 'recommended' }, () => new Response('{}')) }`,
      'check.mjs': `import worker from './out.mjs'\nconst answer = await worker.fetch(new Request('https://api.example/'))\nif (answer.headers.get('x-frame-options') !== 'DENY') throw new Error('no policy on the answer')`,
    },
    run: [
      [
        'esbuild',
        'use.js',
        '--bundle',
        '--format=esm',
        '--platform=neutral',
        '--outfile=out.mjs',
        '--log-level=warning',
      ],
      ['node', 'check.mjs'],
    ],
  },
  {
    name: 'a test of the app under the test runner of Node',
    type: 'module',
    files: {
      'app.test.js': `import assert from 'node:assert'
import { test } from 'node:test'
import { createServer } from 'sallyport/node'
import { verifyApp } from 'sallyport/testing'
const policy = { extends: 'recommended' }
test('the policy holds', () => verifyApp(createServer(policy, (_request, response) => response.end('{}')), policy))
test('and is missed', () => assert.rejects(verifyApp((_request, response) => response.end('{}'), policy), /mend: /))`,
    },
    run: [['node', '--test', 'app.test.js']],
  },
  {
    name: 'JSON policy checked by the command',
    type: 'module',
    files: {
      'sallyport.config.json': JSON.stringify({
        $schema: './node_modules/sallyport/schema/policy.schema.json',
        extends: 'recommended',
      }),
    },
    run: [['node', 'node_modules/sallyport/cli/main.js', 'check', 'sallyport.config.json']],
  },
]
