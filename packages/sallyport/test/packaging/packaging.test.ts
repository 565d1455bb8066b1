// What is published is what is tested: the packed tarball in nine project settings, its size, its export list, and
// the verdicts of publint and attw.

import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { type ClientRequest, createServer, get as httpGet, type IncomingHttpHeaders } from 'node:http'
import { get as httpsGet } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { buildPackage } from '../../../../.ci/build.ts'
import { settings } from './settings.ts'

const root = fileURLToPath(new URL('../../../..', import.meta.url))
const bin = (program: string) =>
  program === 'node' ? process.execPath : join(root, 'node_modules/.bin', program)

let work: string
let tarball: string
let dist: string
let serverTarball: string
let serverDist: string
let storeTarball: string
let storeDist: string

before(() => {
  work = mkdtempSync(join(tmpdir(), 'sallyport-packaging-'))
  dist = buildPackage('sallyport')
  tarball = pack(dist)
  serverDist = buildPackage('server')
  serverTarball = pack(serverDist)
  storeDist = buildPackage('store')
  storeTarball = pack(storeDist)
})

function pack(folder: string): string {
  const [packed] = JSON.parse(
    execFileSync('npm', ['pack', '--json', '--pack-destination', work], { cwd: folder, encoding: 'utf8' }),
  ) as [{ filename: string }]
  return join(work, packed.filename)
}

function unpack(from: string, folder: string): void {
  mkdirSync(folder, { recursive: true })
  execFileSync('tar', ['-xzf', from, '--strip-components=1', '-C', folder])
}

after(() => rmSync(work, { recursive: true, force: true }))

/** A project with the tarball installed as npm lays it out, and the workspace's own types of Node beside it. */
function project(name: string, type: string, files: Readonly<Record<string, string>>): string {
  const folder = join(work, name.replace(/\W+/g, '-'))
  mkdirSync(join(folder, 'node_modules/@types'), { recursive: true })
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'project', private: true, type }))
  unpack(tarball, join(folder, 'node_modules/sallyport'))
  for (const types of ['@types/node', 'undici-types'])
    symlinkSync(join(root, 'node_modules', types), join(folder, 'node_modules', types))
  for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text)
  return folder
}

function run(program: string, args: readonly string[], cwd: string): string {
  // A runner of tests that believes to be part of this run would report to it, and never fail by itself.
  const { NODE_TEST_CONTEXT: _context, ...env } = process.env
  try {
    return execFileSync(bin(program), args, { cwd, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  } catch (error) {
    const failed = error as { stdout?: string; stderr?: string }
    throw new Error(`${program} ${args.join(' ')}\n${failed.stdout ?? ''}${failed.stderr ?? ''}`)
  }
}

/** Runs the installed command until it has said, in JSON, where it is. */
async function published(context: TestContext, cwd: string, words: readonly string[]) {
  const command = spawn(process.execPath, ['node_modules/sallyport/cli/main.js', ...words], {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  context.after(() => command.kill('SIGKILL'))
  const ended = new Promise<number | null>((resolve) => command.once('close', resolve))
  let out = ''
  let err = ''
  command.stderr.on('data', (chunk: Buffer) => {
    err += chunk
  })
  const spoken = new Promise<void>((resolve) => {
    command.stdout.on('data', (chunk: Buffer) => {
      out += chunk
      if (out.endsWith('\n')) resolve()
    })
  })
  await Promise.race([spoken, ended])
  assert.ok(out.endsWith('\n'), `ended without a word: ${err}`)
  return {
    said: JSON.parse(out) as unknown,
    stop() {
      command.kill('SIGINT')
      return ended
    },
  }
}

function answered(request: ClientRequest): Promise<IncomingHttpHeaders> {
  return new Promise((resolve, reject) => {
    request.once('error', reject).once('response', (response) => {
      response.resume()
      response.once('end', () => {
        assert.equal(response.statusCode, 200)
        resolve(response.headers)
      })
    })
  })
}

describe('the published package', () => {
  for (const setting of settings)
    it(`works in a project of the kind: ${setting.name}`, () => {
      const folder = project(setting.name, setting.type, setting.files)
      for (const [program, ...args] of setting.run) run(program, args, folder)
    })

  it('starts the published gateway before its sample, and before an API', async (context) => {
    const folder = project('gateway', 'module', {
      'policy.json': '{"extends": "recommended", "transport": {"tls": "in-front"}}',
    })
    unpack(serverTarball, join(folder, 'node_modules/@sallyport/server'))
    unpack(storeTarball, join(folder, 'node_modules/@sallyport/store'))
    // What the published packages depend on, as npm would lay it beside them.
    mkdirSync(join(folder, 'node_modules/@electric-sql'), { recursive: true })
    const { dependencies } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages[
      'node_modules/pg'
    ] as { readonly dependencies: object }
    for (const name of ['undici', 'pg', '@electric-sql/pglite', ...Object.keys(dependencies)])
      symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name))
    const api = createServer((_request, response) => response.end('{}'))
    await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve))
    context.after(() => api.close())
    const upstream = `http://127.0.0.1:${(api.address() as AddressInfo).port}`

    const demo = await published(context, folder, ['start', '--json', '--port', '0'])
    const { url, caFile, sample } = demo.said as { url: string; caFile: string; sample: string }
    const ca = readFileSync(join(folder, caFile))
    assert.notEqual(url, sample)
    // By address, since not every resolver knows the names under localhost.
    const { hostname, port } = new URL(url)
    const options = { host: '127.0.0.1', port, path: '/v1/status', servername: hostname, ca }
    assert.equal((await answered(httpsGet(options)))['x-content-type-options'], 'nosniff')
    assert.equal(await demo.stop(), 0)

    const words = ['serve', '--json', '--port', '0', '--upstream', upstream, '--policy', 'policy.json']
    const gateway = await published(context, folder, words)
    const headers = await answered(httpGet(`${(gateway.said as { url: string }).url}/`))
    assert.equal(headers['x-frame-options'], 'DENY')
    assert.equal(await gateway.stop(), 0)
  })

  it('has no finding of publint on the gateway', () => {
    run('publint', ['run', '--strict', serverDist], root)
    run('publint', ['run', '--strict', storeDist], root)
  })

  it('has no finding of publint', () => {
    run('publint', ['run', '--strict', dist], root)
  })

  it('has no finding of attw in the resolutions it supports', () => {
    // Node 10's resolution knows no exports; a package of ES modules can't serve it.
    run(
      'attw',
      [
        tarball,
        '--profile',
        'esm-only',
        '--format',
        'ascii',
        '--no-color',
        '--exclude-entrypoints',
        './schema.json',
      ],
      root,
    )
  })

  it('has no runtime dependency', () => {
    const manifest = JSON.parse(readFileSync(join(dist, 'package.json'), 'utf8')) as Record<string, unknown>
    assert.deepEqual(manifest['dependencies'] ?? {}, {})
  })

  it('holds no test and no TypeScript source', () => {
    const names = execFileSync('tar', ['-tzf', tarball], { encoding: 'utf8' }).split('\n')
    assert.deepEqual(
      names.filter((name) => /\.test\./.test(name) || (name.endsWith('.ts') && !name.endsWith('.d.ts'))),
      [],
    )
  })

  for (const [entry, platform] of [
    ['adapters/node/index.js', 'node'],
    ['adapters/fetch.js', 'neutral'],
  ] as const)
    it(`bundles ${entry} into at most 100 KB, minified and gzipped`, () => {
      const code = run(
        'esbuild',
        [join(dist, entry), '--bundle', '--minify', '--format=esm', `--platform=${platform}`],
        root,
      )
      const bytes = gzipSync(code, { level: 9 }).byteLength
      assert.ok(bytes <= 100 * 1024, `${bytes} bytes`)
    })

  it('exports exactly the names of its public interface', async () => {
    const names = async (entry: string) => Object.keys(await import(join(dist, entry))).sort()
    assert.deepEqual(await names('index.js'), [
      'CREDENTIAL_KINDS',
      'PolicyError',
      'catalogue',
      'createGuard',
      'definePolicy',
      'digest',
      'policyJsonSchema',
      'presets',
      'resolvePolicy',
      'servicesFor',
    ])
    assert.deepEqual(await names('testing/index.js'), ['forEachRoute', 'verifyApp'])
  })
})
