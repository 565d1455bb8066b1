// Takes the visitor's credentials out of a request: a page that may call without cookies must not act with what the
// browser sends along by itself, which is cookies and the sign-ins that it remembers.

import type { IncomingMessage } from 'node:http'
import { isAmbientScheme } from '../../guard/ambient.ts'

/** Removes every Cookie line, and Authorization of a kind that browsers add, in each form that an application could read. */
export function dropCookies(request: IncomingMessage): void {
  const raw = request.rawHeaders
  const kept: string[] = []
  let authorization = false
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i]!.toLowerCase()
    if (name === 'cookie') continue
    if (name === 'authorization' && isAmbientScheme(raw[i + 1]!)) authorization = true
    else kept.push(raw[i]!, raw[i + 1]!)
  }
  if (kept.length === raw.length) return
  // Node makes both tables from the raw list when they are first asked for: made here, they stay without.
  delete request.headers.cookie
  delete request.headersDistinct.cookie
  if (authorization) {
    delete request.headers.authorization
    delete request.headersDistinct.authorization
  }
  request.rawHeaders = kept
}
