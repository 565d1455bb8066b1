// The admin listener: a server of its own, under a Sallyport policy of its own.

import { chmodSync, lstatSync, unlinkSync } from 'node:fs'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { createServer, type PolicyDocument } from 'sallyport/node'
import { EXPOSITION_TYPE, exposition } from '../metrics/families.ts'
import type { ControlPlane } from './control-plane.ts'
import { boundConnections } from './crowd.ts'
import { CHANGE_HEADER, type GateFault, gateFault } from './gate.ts'
import type { AdminSetting } from './setting.ts'

/** The policy of the admin listener. Nothing is stored, nothing is shared with other origins. */
const ADMIN_POLICY: PolicyDocument = {
  name: 'Sallyport admin',
  extends: 'recommended',
  transport: { tls: 'in-front' },
  // Its readers are operators, and why a gateway is not ready is what they come for.
  errors: { replaceBodies: 'none' },
  request: { nonCanonical: 'refuse', maxBodyBytes: 0, maxTargetBytes: 1_024 },
}

const MAX_CONNECTIONS = 100

/** A running admin listener. */
export interface AdminListener {
  /** `http://127.0.0.1:9901` or `unix:/run/sallyport.sock`. */
  readonly url: string
  close(): Promise<void>
}

interface Reply {
  readonly status: number
  readonly type: string
  readonly body: string
}

/**
 * Starts it.
 *
 * @throws the system's error where the address can't be had
 */
export async function startAdmin(
  setting: Exclude<AdminSetting, false>,
  plane: ControlPlane,
): Promise<AdminListener> {
  const isSocket = setting.path !== undefined
  const hosts = setting.hosts ?? []
  const server = createServer(ADMIN_POLICY, (request, response) => {
    void answer(request, plane, { hosts, isSocket })
      // What failed is ours, and a caller learns nothing of it.
      .catch(() => problem(500, 'internal', 'The gateway could not answer'))
      .then((reply) => send(request, response, reply))
  })
  boundConnections(server, MAX_CONNECTIONS)
  server.unref()
  await listen(server, setting)
  return {
    url: isSocket ? `unix:${setting.path}` : urlOf(server.address() as AddressInfo),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function urlOf({ address, family, port }: AddressInfo): string {
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`
}

async function listen(server: Server, setting: Exclude<AdminSetting, false>): Promise<void> {
  const { path } = setting
  if (path !== undefined) await removeDeadSocket(path)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    const done = () => {
      server.off('error', reject)
      server.on('error', () => {})
      resolve()
    }
    if (path === undefined) {
      server.listen({ port: setting.port ?? 0, host: setting.host ?? '127.0.0.1' }, done)
      return
    }
    // Whoever can connect may drain the gateway: its owner alone, from the first moment on.
    const before = process.umask(0o177)
    try {
      server.listen({ path }, done)
    } finally {
      process.umask(before)
    }
  })
  if (path !== undefined) chmodSync(path, 0o600)
}

// A process that was killed leaves its socket behind, and only a try tells it from one that lives.
async function removeDeadSocket(path: string): Promise<void> {
  try {
    if (!lstatSync(path).isSocket()) return
  } catch {
    return
  }
  const isDead = await new Promise<boolean>((resolve) => {
    const socket = connect({ path })
    socket.once('connect', () => {
      socket.destroy()
      resolve(false)
    })
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'))
  })
  if (isDead) unlinkSync(path)
}

const PATHS: Readonly<Record<string, 'GET' | 'POST'>> = {
  '/healthz': 'GET',
  '/readyz': 'GET',
  '/metrics': 'GET',
  '/config': 'GET',
  '/report': 'GET',
  '/reload': 'POST',
  '/drain': 'POST',
}

async function answer(
  request: IncomingMessage,
  plane: ControlPlane,
  gate: Parameters<typeof gateFault>[1],
): Promise<Reply> {
  const method = request.method ?? ''
  const header = (name: string) => {
    const value = request.headers[name]
    return Array.isArray(value) ? value.join(', ') : value
  }
  const fault = gateFault({ method, header }, gate)
  if (fault !== undefined) return refused(fault, header('host'))
  const path = (request.url ?? '').split('?', 1)[0]!
  const expected = Object.hasOwn(PATHS, path) ? PATHS[path] : undefined
  if (expected === undefined) return problem(404, 'not_found', `There is ${Object.keys(PATHS).join(', ')}`)
  if (method !== expected && !(expected === 'GET' && method === 'HEAD'))
    return problem(405, 'method_not_allowed', `${path} takes ${expected}`)
  return reply(path, plane)
}

async function reply(path: string, plane: ControlPlane): Promise<Reply> {
  switch (path) {
    case '/healthz':
      return json(200, await plane.health())
    case '/readyz': {
      const readiness = await plane.readiness()
      return json(readiness.ready ? 200 : 503, readiness)
    }
    case '/metrics':
      return { status: 200, type: EXPOSITION_TYPE, body: exposition(await plane.metrics()) }
    case '/config':
      return json(200, await plane.configuration())
    case '/report':
      return json(200, await plane.report())
    case '/reload': {
      const outcome = await plane.reload()
      if (outcome === undefined)
        return problem(
          409,
          'nothing_to_reload',
          'This gateway was given its policy by a program, and has no file to reload',
        )
      if (outcome.ok) return json(200, outcome)
      return problem(422, 'reload_refused', 'The policy before goes on', { problems: outcome.problems })
    }
    default:
      plane.drain()
      return json(202, { status: 'draining' })
  }
}

const REFUSALS: Readonly<Record<GateFault, string>> = {
  host: 'The Host is not one of this listener; ask by address or localhost, or name it in admin.hosts',
  origin: 'Pages of other origins may not ask here',
  header: `A request that changes something carries the header ${CHANGE_HEADER}: 1`,
}

function refused(fault: GateFault, host: string | undefined): Reply {
  return problem(fault === 'host' && host !== undefined ? 421 : 403, 'forbidden', REFUSALS[fault])
}

function json(status: number, value: unknown): Reply {
  return { status, type: 'application/json; charset=utf-8', body: `${JSON.stringify(value, null, 2)}\n` }
}

// RFC 9457. These pages are read by operators, so the title says what to do.
function problem(status: number, code: string, title: string, more: object = {}): Reply {
  const body = { type: 'about:blank', title, status, code, ...more }
  return { status, type: 'application/problem+json', body: `${JSON.stringify(body, null, 2)}\n` }
}

function send(request: IncomingMessage, response: ServerResponse, { status, type, body }: Reply): void {
  if (response.headersSent) return
  response.on('error', () => {})
  response.writeHead(status, [
    'Content-Type',
    type,
    'Content-Length',
    String(Buffer.byteLength(body)),
    ...(status === 405 ? ['Allow', body.includes('takes POST') ? 'POST' : 'GET, HEAD'] : []),
  ])
  response.end(request.method === 'HEAD' ? '' : body)
  request.resume()
}
