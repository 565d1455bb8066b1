// A Fetch handler behind a server of node:http, as a host of such handlers would call it: enough of a host to test with.

import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ReadableStream as NodeStream } from 'node:stream/web'

/** A handler; the second argument is what Hono's Node server hands over, from which a guard learns the caller's address. */
export type FetchHandler = (
  request: Request,
  bindings: { readonly incoming: IncomingMessage; readonly outgoing: ServerResponse },
) => Response | Promise<Response>

/** True where no Fetch host can hand the request to a handler: it answers by itself, or changes the URL first. */
export function isBeyondFetch(method: string, path: string): boolean {
  // Fetch standard, section 2.2.1: forbidden methods.
  if (/^(?:CONNECT|TRACE|TRACK)$/.test(method)) return true
  const url = URL.parse(path, 'http://127.0.0.1')
  return url === null || url.host !== '127.0.0.1' || url.pathname + url.search !== path
}

/** Makes the listener. */
export function fetchListener(handler: FetchHandler): RequestListener {
  return function callFetchHandler(incoming, outgoing) {
    answer(handler, incoming, outgoing).catch(() => {
      // What a handler throws, a host answers or cuts off; nothing of it is the guard's.
      if (!outgoing.headersSent) outgoing.writeHead(500)
      outgoing.end()
    })
  }
}

async function answer(
  handler: FetchHandler,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const { method = 'GET', url = '/', headers, rawHeaders } = incoming
  const list = new Headers()
  for (let i = 0; i < rawHeaders.length; i += 2) list.append(rawHeaders[i]!, rawHeaders[i + 1]!)
  const scheme = 'encrypted' in incoming.socket ? 'https' : 'http'
  const hasBody = method !== 'GET' && method !== 'HEAD'
  const request = new Request(new URL(url, `${scheme}://${headers.host ?? '127.0.0.1'}`), {
    method,
    headers: list,
    ...(hasBody ? { body: Readable.toWeb(incoming) as ReadableStream, duplex: 'half' } : {}),
  } as RequestInit)
  const response = await handler(request, { incoming, outgoing })
  const cookies = response.headers.getSetCookie()
  for (const [name, value] of response.headers) if (name !== 'set-cookie') outgoing.setHeader(name, value)
  if (cookies.length > 0) outgoing.setHeader('set-cookie', cookies)
  outgoing.writeHead(response.status)
  if (response.body === null || method === 'HEAD') outgoing.end()
  else await pipeline(Readable.fromWeb(response.body as NodeStream), outgoing)
}
