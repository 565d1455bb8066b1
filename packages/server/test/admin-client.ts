// Asks an admin listener as an operator's tool does.

import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'

/** An answer. */
export interface Reply {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** What a request carries that changes something. */
export const CHANGE = { 'X-Sallyport-Admin': '1' }

/** Asks an admin listener, by address or socket. */
export async function askAdmin(
  url: string,
  path: string,
  options: { method?: string; headers?: Record<string, string> } = {},
): Promise<Reply> {
  const where = url.startsWith('unix:')
    ? { socketPath: url.slice(5), path }
    : { host: new URL(url).hostname, port: new URL(url).port, path }
  const request = httpRequest({
    ...where,
    method: options.method ?? 'GET',
    headers: options.headers ?? {},
    agent: false,
  }).end()
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  let body = ''
  for await (const chunk of response) body += chunk
  return { status: response.statusCode!, headers: response.headers, body }
}
