// Builds what is published: each package's entries as few JavaScript files (loading a file costs a process more than
// reading it), the declarations beside them, and a manifest whose paths point there. Development and tests need no build;
// this is for `npm publish` and for the tests of the tarballs.

import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildSync } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))

/** The entries of the library that a guarded application loads. */
const NEAR = new Set([
  '.',
  './node',
  './express',
  './fastify',
  './hono',
  './next',
  './fetch',
  './settings',
  './public-suffixes',
])

type Manifest = Record<string, unknown> & {
  readonly bin?: Record<string, string>
  readonly exports: Record<string, string>
  readonly sideEffects?: readonly string[]
}

/** Builds one package and returns the folder to publish. */
export function buildPackage(name: string): string {
  const folder = join(root, 'packages', name)
  const out = join(folder, 'dist')
  rmSync(out, { recursive: true, force: true })
  mkdirSync(out, { recursive: true })
  const project = join(out, 'tsconfig.json')
  writeFileSync(
    project,
    JSON.stringify({
      extends: relative(out, join(root, 'tsconfig.json')),
      compilerOptions: {
        noEmit: false,
        declaration: true,
        emitDeclarationOnly: true,
        rootDir: join(folder, 'src'),
        outDir: out,
        sourceMap: false,
        types: ['node'],
      },
      include: [join(folder, 'src/**/*.ts')],
      exclude: [join(folder, 'src/**/*.test.ts')],
    }),
  )
  execFileSync(join(root, 'node_modules/.bin/tsc'), ['-p', project], { stdio: 'inherit' })
  rmSync(project)
  rewriteDeclarations(out)
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest
  bundle(folder, out, manifest)
  writeFileSync(join(out, 'package.json'), `${JSON.stringify(publishable(manifest), null, 2)}\n`)
  for (const file of ['LICENSE']) cpSync(join(root, file), join(out, file))
  for (const file of ['README.md', 'schema'])
    if (existsSync(join(folder, file))) cpSync(join(folder, file), join(out, file), { recursive: true })
  if (!existsSync(join(out, 'README.md')) && existsSync(join(root, 'README.md')))
    cpSync(join(root, 'README.md'), join(out, 'README.md'))
  for (const target of Object.values(manifest.bin ?? {})) chmodSync(join(out, built(target)), 0o755)
  return out
}

function bundle(folder: string, out: string, manifest: Manifest): void {
  const build = (entries: readonly string[], chunks: string) =>
    buildSync({
      entryPoints: entries.filter((entry) => entry.endsWith('.ts')).map((entry) => join(folder, entry)),
      outdir: out,
      outbase: join(folder, 'src'),
      bundle: true,
      splitting: true,
      // A process parses all that it imports. Names stay and lines end, so that a stack trace can be read.
      minifySyntax: true,
      minifyWhitespace: true,
      lineLimit: 160,
      chunkNames: `${chunks}/[hash]`,
      format: 'esm',
      target: 'node22',
      platform: 'node',
      packages: 'external',
      legalComments: 'inline',
      logLevel: 'warning',
    })
  // What stands in a request's way is one build, and the tools are another: each shared piece would cut the first into more
  // files, and a process pays for each file that it loads. Errors are compared by class, and suffixes are
  // registered: whoever shares such a thing shares a build.
  const entries = Object.entries(manifest.exports)
  const isNear = ([key]: readonly [string, string]) => NEAR.has(key)
  const near = entries.filter(isNear).map(([, target]) => target)
  const far = entries.filter((entry) => !isNear(entry)).map(([, target]) => target)
  if (near.length > 1 && manifest.name === 'sallyport') {
    build(near, 'chunks')
    build(far, 'tools')
  } else build([...near, ...far], 'chunks')
  // A process of its own: what it shares with the library would only cut the library into more files.
  if (manifest.bin) build(Object.values(manifest.bin), 'cli/chunks')
}

// Declarations keep the .ts of their imports; outside this checkout only the .js form resolves.
function rewriteDeclarations(folder: string): void {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith('.d.ts')) continue
    const file = join(entry.parentPath, entry.name)
    const text = readFileSync(file, 'utf8')
    const rewritten = text.replace(/((?:from|import)\s*\(?\s*['"]\.{1,2}\/[^'"]*?)\.ts(['"])/g, '$1.js$2')
    if (rewritten !== text) writeFileSync(file, rewritten)
  }
}

/** `./src/cli/main.ts` → `./cli/main.js`. */
function built(path: string): string {
  return path.replace(/^\.\/src\//, './').replace(/\.ts$/, '.js')
}

function publishable(manifest: Manifest): unknown {
  const exports: Record<string, unknown> = {}
  for (const [key, target] of Object.entries(manifest.exports))
    exports[key] = target.endsWith('.ts')
      ? { types: built(target).replace(/\.js$/, '.d.ts'), default: built(target) }
      : target
  const { private: _private, ...published } = manifest
  return {
    ...published,
    exports,
    ...(manifest.sideEffects ? { sideEffects: manifest.sideEffects.map(built) } : {}),
    ...(manifest.bin
      ? { bin: Object.fromEntries(Object.entries(manifest.bin).map(([key, target]) => [key, built(target)])) }
      : {}),
    files: ['**/*.js', '**/*.d.ts', 'schema', 'README.md', 'LICENSE'],
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  for (const name of ['sallyport', 'store', 'server']) {
    const out = buildPackage(name)
    console.log(`built ${relative(root, out)}`)
  }
