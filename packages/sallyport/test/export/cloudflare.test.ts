// The exported Worker in a real workerd, before an origin.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildSync } from 'esbuild'
import { writers } from './proof.ts'

const source = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url))

function bundled(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-worker-'))
  try {
    writeFileSync(join(folder, 'worker.mjs'), text)
    const { outputFiles } = buildSync({
      entryPoints: [join(folder, 'worker.mjs')],
      alias: {
        'sallyport/fetch': source('src/adapters/fetch.ts'),
        'sallyport/public-suffixes': source('src/public-suffixes.ts'),
      },
      bundle: true,
      format: 'esm',
      platform: 'neutral',
      write: false,
    })
    return outputFiles[0]!.text
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

writers({
  platform: 'cloudflare',
  program: source('test/runtimes/node_modules/workerd/bin/workerd'),
  stated: () => false,
  // A Worker gets the URL that the host's parser made of the request.
  seesOddPaths: false,
  replacesErrors: true,
  files: (files, port, upstream) => ({
    'worker.js': bundled(files.find(({ name }) => name === 'worker.mjs')!.text),
    'workerd.capnp': `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [ (name = "main", worker = .main), (name = "origin", external = (address = "127.0.0.1:${upstream}", http = ())) ],
  sockets = [ ( name = "http", address = "127.0.0.1:${port}", http = (), service = "main" ) ]
);
const main :Workerd.Worker = (
  modules = [ (name = "worker", esModule = embed "worker.js") ],
  compatibilityDate = "2025-01-01",
  globalOutbound = "origin"
);
`,
  }),
  words: (folder) => ({ run: ['serve', `${folder}/workerd.capnp`] }),
})
