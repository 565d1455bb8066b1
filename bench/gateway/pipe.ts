// The least that a proxy on node:http and undici can do, tuned by hand: header lines handed on as arrays, one object
// for a request, no policy. The gateway is measured against it.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import type { Dispatcher, Pool } from 'undici'

// The very undici that the gateway runs on.
const undici = createRequire(new URL('../../packages/server/package.json', import.meta.url))(
  'undici',
) as typeof import('undici')

/** How the pipe differs from its plainest form. */
export interface PipeOptions {
  /** As the gateway does by default: a connection that has carried a body carries nothing after it. */
  readonly retires?: boolean
}

// undici and node:http write these themselves.
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
  'host',
])

class Handler implements Dispatcher.DispatchHandler {
  private readonly response: ServerResponse

  constructor(response: ServerResponse) {
    this.response = response
  }

  onRequestStart(): void {}

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    const raw = controller.rawHeaders as Buffer[]
    const headers: string[] = []
    for (let i = 0; i < raw.length; i += 2) {
      const name = raw[i]!.toString('latin1')
      if (!HOP_BY_HOP.has(name.toLowerCase())) headers.push(name, raw[i + 1]!.toString('latin1'))
    }
    this.response.writeHead(status, headers)
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    // As text, a small piece leaves together with the head.
    const isAllSent =
      chunk.length <= 4_096
        ? this.response.write(chunk.toString('latin1'), 'latin1')
        : this.response.write(chunk)
    if (isAllSent) return
    controller.pause()
    this.response.once('drain', () => controller.resume())
  }

  onResponseEnd(): void {
    this.response.end()
  }

  onResponseError(): void {
    if (this.response.headersSent) this.response.destroy()
    else this.response.writeHead(502).end()
  }
}

/** Makes the pipe to an upstream. */
export function createPipe(upstream: string, { retires = false }: PipeOptions = {}): Server {
  const pool: Pool = new undici.Pool(upstream, {
    connections: 1_024,
    pipelining: 1,
    keepAliveTimeout: 4_000,
    headersTimeout: 30_000,
    bodyTimeout: 0,
  })
  return createServer(
    { noDelay: true, keepAliveTimeout: 65_000 },
    (request: IncomingMessage, response: ServerResponse) => {
      const { rawHeaders } = request
      const headers: string[] = []
      let hasBody = false
      for (let i = 0; i < rawHeaders.length; i += 2) {
        const name = rawHeaders[i]!
        const lower = name.toLowerCase()
        if (lower === 'content-length' || lower === 'transfer-encoding') hasBody = true
        if (!HOP_BY_HOP.has(lower)) headers.push(name, rawHeaders[i + 1]!)
      }
      pool.dispatch(
        {
          path: request.url!,
          method: request.method as Dispatcher.HttpMethod,
          headers,
          body: hasBody ? request : null,
          reset: retires && hasBody,
        },
        new Handler(response),
      )
    },
  )
}
