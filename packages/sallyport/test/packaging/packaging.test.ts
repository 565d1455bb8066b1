// What is published is what is tested: the packed tarball in eight project settings, its size, its export list, and
// the verdicts of publint and attw.

import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
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

before(() => {
  work = mkdtempSync(join(tmpdir(), 'sallyport-packaging-'))
  dist = buildPackage('sallyport')
  const [packed] = JSON.parse(
    execFileSync('npm', ['pack', '--json', '--pack-destination', work], { cwd: dist, encoding: 'utf8' }),
  ) as [{ filename: string }]
  tarball = join(work, packed.filename)
})

after(() => rmSync(work, { recursive: true, force: true }))

/** A project with the tarball installed as npm lays it out, and the workspace's own types of Node beside it. */
function project(name: string, type: string, files: Readonly<Record<string, string>>): string {
  const folder = join(work, name.replace(/\W+/g, '-'))
  mkdirSync(join(folder, 'node_modules/@types'), { recursive: true })
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'project', private: true, type }))
  mkdirSync(join(folder, 'node_modules/sallyport'))
  execFileSync('tar', ['-xzf', tarball, '--strip-components=1', '-C', join(folder, 'node_modules/sallyport')])
  for (const types of ['@types/node', 'undici-types'])
    symlinkSync(join(root, 'node_modules', types), join(folder, 'node_modules', types))
  for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text)
  return folder
}

function run(program: string, args: readonly string[], cwd: string): string {
  try {
    return execFileSync(bin(program), args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  } catch (error) {
    const failed = error as { stdout?: string; stderr?: string }
    throw new Error(`${program} ${args.join(' ')}\n${failed.stdout ?? ''}${failed.stderr ?? ''}`)
  }
}

describe('the published package', () => {
  for (const setting of settings)
    it(`works in a project of the kind: ${setting.name}`, () => {
      const folder = project(setting.name, setting.type, setting.files)
      for (const [program, ...args] of setting.run) run(program, args, folder)
    })

  it('starts the published gateway before its sample', async () => {
    const folder = project('gateway', 'module', {})
    const modules = join(folder, 'node_modules')
    mkdirSync(join(modules, '@sallyport'), { recursive: true })
    cpSync(buildPackage('server'), join(modules, '@sallyport/server'), { recursive: true })
    symlinkSync(join(root, 'node_modules/undici'), join(modules, 'undici'))
    const command = spawn(
      process.execPath,
      [join(modules, 'sallyport/cli/main.js'), 'start', '--port', '0'],
      {
        cwd: folder,
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    )
    try {
      const said = await new Promise<string>((resolve) => {
        let text = ''
        const hear = (chunk: Buffer) => {
          text += chunk
          if (text.includes('Ctrl-C')) resolve(text)
        }
        command.stdout.on('data', hear)
        command.stderr.on('data', hear)
        command.once('exit', () => resolve(text))
      })
      assert.match(said, /gateway {3}https:\/\/sallyport\.localhost:\d+/)
    } finally {
      command.kill('SIGKILL')
    }
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
    it(`bundles ${entry} into at most 60 KB, minified and gzipped`, () => {
      const code = run(
        'esbuild',
        [join(dist, entry), '--bundle', '--minify', '--format=esm', `--platform=${platform}`],
        root,
      )
      const bytes = gzipSync(code, { level: 9 }).byteLength
      assert.ok(bytes <= 60 * 1024, `${bytes} bytes`)
    })

  it('exports exactly the names of its public interface', async () => {
    const names = async (entry: string) => Object.keys(await import(join(dist, entry))).sort()
    assert.deepEqual(await names('index.js'), [
      'PolicyError',
      'catalogue',
      'createGuard',
      'definePolicy',
      'digest',
      'policyJsonSchema',
      'presets',
      'resolvePolicy',
    ])
  })
})
