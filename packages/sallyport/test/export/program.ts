// Starts a server program of the system in a folder of its own, before an application that sends what a policy forbids.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { type AddressInfo, connect, createServer as createNetServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { WEAKER } from '../kinds/hostile.ts'

/** Where a program lies; `undefined` where it is not installed. */
export function findProgram(name: string): string | undefined {
  if (name.startsWith('/')) return existsSync(name) ? name : undefined
  for (const folder of ['/usr/sbin', '/usr/bin', '/usr/local/bin']) {
    const path = join(folder, name)
    if (existsSync(path)) return path
  }
  return undefined
}

/** A program that listens. */
export interface Program {
  readonly port: number
  close(): Promise<void>
}

/** An application whose every answer has the wrong headers; `/missing` is 404, `/fails` 500. */
export async function hostileUpstream(): Promise<{ port: number; close(): void }> {
  const server = createServer((request, response) => {
    for (const [name, value] of WEAKER) response.setHeader(name, value)
    if (request.url?.startsWith('/cookie')) response.setHeader('Set-Cookie', 'a=b')
    response.statusCode = request.url === '/missing' ? 404 : request.url === '/fails' ? 500 : 200
    response.end('{}')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}

/** A port that is free now. */
export async function freePort(): Promise<number> {
  const server = createNetServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** Writes the files, checks them with the program itself, and starts it. */
export async function startProgram(
  program: string,
  port: number,
  files: Readonly<Record<string, string>>,
  words: (folder: string) => { readonly check?: readonly string[]; readonly run: readonly string[] },
): Promise<Program> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-export-'))
  for (const [name, text] of Object.entries(files))
    writeFileSync(join(folder, name), text.replaceAll('{folder}', folder))
  const { check, run } = words(folder)
  if (check) {
    const { status, stderr, stdout } = spawnSync(program, check, { encoding: 'utf8', cwd: folder })
    if (status !== 0) throw new Error(`${program} refuses the configuration:\n${stdout}${stderr}`)
  }
  const child = spawn(program, run, {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, HOME: folder },
  })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-4_000)
  })
  await listening(port, child, () => said)
  child.once('exit', (code, signal) => {
    if (code !== 0 && signal !== 'SIGTERM')
      process.stderr.write(`${program} ended with ${code ?? signal}:\n${said}\n`)
  })
  return {
    port,
    async close() {
      if (child.exitCode === null) {
        const ended = once(child, 'exit')
        child.kill('SIGTERM')
        await ended
      }
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function listening(port: number, child: ChildProcess, said: () => string): Promise<void> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}:\n${said()}`)
    const socket = connect(port, '127.0.0.1')
    const open = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true))
      socket.once('error', () => resolve(false))
    })
    socket.destroy()
    if (open) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
