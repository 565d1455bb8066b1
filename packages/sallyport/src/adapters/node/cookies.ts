// Takes the cookies out of a request: a page that may call without cookies must not act with those of its visitor,
// which browsers may send along all the same.

import type { IncomingMessage } from 'node:http'

/** Removes every Cookie line, in each form in which an application could read it. */
export function dropCookies(request: IncomingMessage): void {
  const raw = request.rawHeaders
  const kept: string[] = []
  for (let i = 0; i + 1 < raw.length; i += 2)
    if (raw[i]!.toLowerCase() !== 'cookie') kept.push(raw[i]!, raw[i + 1]!)
  if (kept.length === raw.length) return
  // Node makes both tables from the raw list when they are first asked for: made here, they stay without.
  delete request.headers.cookie
  delete request.headersDistinct.cookie
  request.rawHeaders = kept
}
