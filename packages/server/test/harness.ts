// What the end-to-end tests start and how they ask: a gateway on real sockets, and clients that see every byte.

import { mkdtemp } from 'node:fs/promises'
import { createServer, request as httpRequest, type IncomingMessage, type RequestListener } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { type AddressInfo, connect as netConnect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { PolicyDocument } from 'sallyport'
import { removeFolder } from '../../store/test/fixtures/remove.ts'
import {
  type Gateway,
  type GatewayEvent,
  type GatewayOptions,
  localCertificate,
  startGateway,
} from '../src/index.ts'

/** The policy of most tests: Driftstack's values, TLS at the gateway. */
export const HERE: PolicyDocument = { extends: 'api', transport: { tls: 'here' } }
/** The same on a plain listener. */
export const IN_FRONT: PolicyDocument = { extends: 'api', transport: { tls: 'in-front' } }

/** A folder that is gone after the test. */
export async function temporaryFolder(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-'))
  context.after(() => removeFolder(folder))
  return folder
}

/** A gateway with what it told its operator. */
export interface Running {
  readonly gateway: Gateway
  readonly port: number
  readonly events: GatewayEvent[]
  /** PEM; only where TLS ends here. */
  readonly ca: string
  readonly caFile: string
}

/** Starts a gateway that ends with the test. */
export async function gatewayFor(context: TestContext, options: Partial<GatewayOptions>): Promise<Running> {
  const events: GatewayEvent[] = []
  const policy = options.policy ?? IN_FRONT
  const isTls = policy.transport?.tls === 'here'
  const folder = isTls ? await temporaryFolder(context) : ''
  const local = isTls ? await localCertificate({ folder }) : undefined
  const gateway = await startGateway({
    policy,
    listen: { host: '127.0.0.1', port: 0 },
    log: (event) => events.push(event),
    ...(local ? { tls: local } : {}),
    ...options,
  })
  context.after(() => gateway.close({ graceMs: 0 }))
  return { gateway, port: gateway.address.port, events, ca: local?.ca ?? '', caFile: local?.caFile ?? '' }
}

/** An upstream of the test's own. */
export async function upstreamFor(context: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.once('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  context.after(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** An answer as it came. */
export interface Answer {
  readonly status: number
  readonly rawHeaders: readonly string[]
  readonly body: string
  /** All values of a name. */
  values(name: string): string[]
  header(name: string): string | undefined
}

/** Sends a request and reads the whole answer. */
export async function ask(
  running: Running,
  path: string,
  options: { method?: string; headers?: Record<string, string | string[]> | string[]; body?: string } = {},
): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const settings = {
    host: '127.0.0.1',
    port: running.port,
    path,
    method: options.method ?? 'GET',
    headers: options.headers ?? {},
    agent: false as const,
  }
  const request =
    running.ca === ''
      ? httpRequest(settings, resolve)
      : httpsRequest({ ...settings, ca: running.ca, servername: 'sallyport.localhost' }, resolve)
  request.on('error', reject)
  request.end(options.body)
  const response = await promise
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  return answer(response.statusCode!, response.rawHeaders, Buffer.concat(chunks).toString('latin1'))
}

function answer(status: number, rawHeaders: readonly string[], body: string): Answer {
  const values = (name: string) =>
    rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]!.toLowerCase() === name)
  return { status, rawHeaders, body, values, header: (name) => values(name)[0] }
}

/** What came back on a plain connection, and how it ended. */
export interface RawExchange {
  readonly text: string
  /** `end` by FIN, `reset` by RST. */
  readonly ending: 'end' | 'reset'
}

/** Writes bytes on a fresh connection and reads until it is closed. */
export function rawExchange(port: number, bytes: string): Promise<RawExchange> {
  return new Promise((resolve) => {
    const socket = netConnect(port, '127.0.0.1')
    let text = ''
    socket.setEncoding('latin1')
    socket.on('connect', () => socket.write(bytes, 'latin1'))
    socket.on('data', (chunk: string) => {
      text += chunk
    })
    socket.on('end', () => resolve({ text, ending: 'end' }))
    socket.on('error', () => resolve({ text, ending: 'reset' }))
  })
}
