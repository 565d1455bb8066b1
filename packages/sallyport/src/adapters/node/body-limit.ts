// The limit of a body whose length is not known before it ends: it is counted as Node hands it over, and past the limit
// the application sees no more of it.

import type { IncomingMessage } from 'node:http'

/**
 * Counts a request's body.
 *
 * @param limit bytes
 * @param tooLarge called once, when the body has more
 */
export function limitBody(request: IncomingMessage, limit: number, tooLarge: () => void): void {
  const { push } = request
  let bytes = 0
  let over = false
  request.push = function (this: IncomingMessage, chunk: unknown, encoding?: BufferEncoding): boolean {
    if (over) return true
    if (typeof chunk === 'string') bytes += Buffer.byteLength(chunk, encoding)
    else if (chunk instanceof Uint8Array) bytes += chunk.byteLength
    if (bytes <= limit) return push.call(this, chunk, encoding)
    over = true
    tooLarge()
    return true
  }
}
