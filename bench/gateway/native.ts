// nginx, HAProxy and Caddy as found on the machine, each as one process with one worker and kept connections to the
// upstream. They are no peers of a program on Node: they say how far away the machine's own limit is.

import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { pinned, type Target } from '../load.ts'

/** A proxy that may be installed. */
export interface Native {
  readonly name: string
  /** The file that configures it, for the port it listens on and the upstream's. */
  configuration(port: number, upstream: number): string
  command(file: string, folder: string): readonly [program: string, ...args: string[]]
}

/** Every one, in the order of the table. */
export const natives: readonly Native[] = [
  {
    name: 'nginx',
    configuration: (port, upstream) => `
daemon off; master_process off; pid nginx.pid; error_log stderr crit;
events { worker_connections 1024; }
http {
  access_log off;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
  keepalive_requests 1000000000;
  upstream api { server 127.0.0.1:${upstream}; keepalive 256; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://api; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header X-Forwarded-For $remote_addr;
    }
  }
}`,
    command: (file, folder) => ['nginx', '-p', folder, '-c', file],
  },
  {
    name: 'haproxy',
    configuration: (port, upstream) => `
global
  nbthread 1
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  http-reuse always
  option forwardfor
frontend front
  bind 127.0.0.1:${port}
  default_backend api
backend api
  server one 127.0.0.1:${upstream}
`,
    command: (file) => ['haproxy', '-f', file],
  },
  {
    name: 'caddy',
    configuration: (port, upstream) => `{
  admin off
  auto_https off
  log {
    level ERROR
  }
}
http://127.0.0.1:${port} {
  reverse_proxy 127.0.0.1:${upstream} {
    transport http {
      keepalive_idle_conns_per_host 256
    }
  }
}
`,
    command: (file) => ['caddy', 'run', '--adapter', 'caddyfile', '--config', file],
  },
]

// Debian keeps servers where not every account looks.
const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin`, GOMAXPROCS: '1' }

/** Whether the program is there. */
export function isInstalled({ name }: Native): boolean {
  return spawnSync('sh', ['-c', `command -v ${name}`], { env, stdio: 'ignore' }).status === 0
}

/** Starts it on the server's core; its folder goes when it ends. */
export async function startNative(native: Native, upstream: number): Promise<Target> {
  const folder = mkdtempSync(join(tmpdir(), `sallyport-${native.name}-`))
  const file = join(folder, 'configuration')
  const port = await freePort()
  writeFileSync(file, native.configuration(port, upstream))
  const child = spawn('taskset', [...pinned('server'), ...native.command(file, folder)], {
    env: { ...env, HOME: folder },
    stdio: 'ignore',
  })
  child.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  while (!(await accepts(port))) {
    if (child.exitCode !== null)
      throw new Error(`${native.name} ended with ${child.exitCode} before it listened`)
    await wait(50)
  }
  return { name: native.name, port, process: child }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo
      probe.close(() => resolve(port))
    })
  })
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}
