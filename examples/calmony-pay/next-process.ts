// Builds and starts this app, or a variant of it, as its own process on a private port.

import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/** The folder of this app. */
export const APP = fileURLToPath(new URL('.', import.meta.url))
const NEXT = `${APP}node_modules/next/dist/bin/next`
const ENV = { ...process.env, NEXT_TELEMETRY_DISABLED: '1', NODE_ENV: 'production' }

/** True once `npm ci` has run in this folder. */
export const isInstalled = existsSync(NEXT)

/** A running app. */
export interface NextProcess {
  readonly port: number
  /** What it printed so far. */
  output(): string
  close(): Promise<void>
}

/** The same app with other files: a text for each path, laid over a copy. */
export function variant(name: string, files: Readonly<Record<string, string>>): string {
  const folder = `${APP}.variants/${name}/`
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  for (const part of ['app', 'lib', 'tsconfig.json', 'package.json'])
    cpSync(`${APP}${part}`, `${folder}${part}`, { recursive: true })
  for (const [path, text] of Object.entries(files)) writeFileSync(`${folder}${path}`, text)
  return folder
}

/** `next build`. */
export async function build(folder: string): Promise<void> {
  await promisify(execFile)(process.execPath, [NEXT, 'build'], { cwd: folder, env: ENV })
}

/** `next start` on a private port. */
export function start(folder: string): Promise<NextProcess> {
  return launch([NEXT, 'start', '-H', '127.0.0.1', '-p', '0'], folder)
}

/** `node server.js` of a standalone build; it takes port 0 for none said, so a free one is looked for. */
export async function startStandalone(server: string): Promise<NextProcess> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  await once(probe, 'close')
  return launch([server], APP, { HOSTNAME: '127.0.0.1', PORT: String(port) })
}

async function launch(
  args: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv = {},
): Promise<NextProcess> {
  const child: ChildProcess = spawn(process.execPath, args, {
    cwd,
    env: { ...ENV, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let printed = ''
  child.stderr!.setEncoding('utf8').on('data', (chunk: string) => {
    printed += chunk
  })
  const lines = createInterface({ input: child.stdout! })
  const port = await new Promise<number>((resolve, reject) => {
    lines.on('line', (line) => {
      printed += `${line}\n`
      const match = /http:\/\/127\.0\.0\.1:(\d+)/.exec(line)
      if (match) resolve(Number(match[1]))
    })
    child.on('exit', (code) => reject(new Error(`it ended with ${code} before it listened:\n${printed}`)))
  })
  return {
    port,
    output: () => printed,
    async close() {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
  }
}
