// A real redis-server on a port and in a folder of its own, and a clock that a test moves.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, connect as connectTo, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { type ValkeyClient, valkeyClientOptions } from '../../src/valkey/index.ts'
import { counterScript, counterScriptDigest } from '../../src/valkey/script.ts'

/** Why the suite is skipped where the server is not installed; `false` where it is. */
export const missing: string | false =
  spawnSync('redis-server', ['--version'], { stdio: 'ignore' }).status === 0
    ? false
    : 'redis-server is missing: apt-get install -y redis-server'

export interface RedisServer {
  readonly port: number
  /** Keeps its connections and answers nothing. */
  freeze(): void
  thaw(): void
  stop(): Promise<void>
}

async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const address = probe.address()
  await new Promise((resolve) => probe.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

/** Starts a server without persistence; answers once it accepts connections. */
export async function startRedis(port?: number, words: readonly string[] = []): Promise<RedisServer> {
  const chosen = port ?? (await freePort())
  const folder = mkdtempSync(join(tmpdir(), 'counters-'))
  const child: ChildProcess = spawn(
    'redis-server',
    [
      '--port',
      `${chosen}`,
      '--bind',
      '127.0.0.1',
      '--save',
      '',
      '--appendonly',
      'no',
      '--dir',
      folder,
      ...words,
    ],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  )
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  await new Promise<void>((resolve, reject) => {
    child.once('exit', () => reject(new Error('redis-server did not start')))
    child.stdout?.on('data', (chunk: Buffer) => {
      if (chunk.includes('Ready to accept connections')) resolve()
    })
  })
  return {
    port: chosen,
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    async stop() {
      child.kill('SIGKILL')
      await ended
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** A node of a cluster that announces itself at once. */
export const CLUSTER = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '1000'] as const

/** A port that leads to a server, and later to another. */
export interface Relay {
  readonly port: number
  leadTo(port: number): void
  close(): void
}

/** Starts one. */
export async function relayTo(first: number): Promise<Relay> {
  let target = first
  const sockets = new Set<Socket>()
  const server = createServer((inner) => {
    const outer = connectTo(target, '127.0.0.1')
    for (const [from, to] of [
      [inner, outer],
      [outer, inner],
    ] as const) {
      sockets.add(from)
      from.on('error', () => {})
      from.once('close', () => {
        sockets.delete(from)
        to.destroy()
      })
      from.pipe(to)
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    leadTo(port) {
      target = port
    },
    close() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}

/** A connected client, made as ours must be. */
export async function connect(port: number): Promise<Redis> {
  const client = new Redis(port, '127.0.0.1', { ...valkeyClientOptions, lazyConnect: true })
  // A client without a listener would print each refused connection.
  client.on('error', () => {})
  await client.connect()
  return client
}

const timedScript = counterScript.replace("redis.call('TIME')", "{ 0, redis.call('GET', 'test-clock') }")

/** The client with a script that differs in one place: it reads the time from a key. */
export function onTestClock(client: Redis): ValkeyClient {
  if (timedScript === counterScript) throw new Error('the script does not ask for the time as expected')
  return {
    options: client.options,
    evalsha: (digest, keys, ...rest) =>
      digest === counterScriptDigest
        ? client.eval(timedScript, keys, ...rest)
        : Promise.reject(new Error('another script')),
    eval: (_script, keys, ...rest) => client.eval(timedScript, keys, ...rest),
  }
}

/** Sets that clock, in milliseconds. */
export async function setClock(client: Redis, ms: number): Promise<void> {
  await client.set('test-clock', `${Math.round(ms * 1000)}`)
}
