// Answers under the policy on a Fetch host: always a new Response, never a changed one.

import { PROBLEM_TYPE, problemBody } from '../../errors/problem-document.ts'
import type { Reply } from '../../guard/answer.ts'
import { mergeVary, OWNED, PASS, VARY, WATCHED } from '../../guard/compile.ts'
import type { Seen } from '../../guard/control.ts'
import { staysOnReplaced } from '../../guard/emission.ts'
import type { Exchange } from '../../guard/exchange.ts'

/**
 * The application's answer under the policy, as a new Response: the headers of one that came from `fetch()` can't be
 * changed, and one that an application keeps for later must not be.
 */
export function guarded(exchange: Exchange, response: Response | undefined): Response {
  // A network error (status 0) or no answer at all would be the host's own page.
  if (typeof response?.status !== 'number' || response.status < 101)
    throw new TypeError('the handler gave no answer that can be sent: return a Response')
  // An upgrade carries the host's socket and can't be made anew; browsers ignore these headers on it.
  if (response.status === 101) return response
  // The old Response as the new one's init: status, reason, Set-Cookie lines apart, and what a host adds to them.
  const copy = new Response(response.body, response)
  const replaced = putLines(exchange, response.status, copy.headers)
  if (replaced === undefined) return copy
  discard(copy)
  return new Response(replaced, { status: response.status, headers: copy.headers })
}

/** The guard's own answer, under the same lines as every other. */
export function ownAnswer(exchange: Exchange, reply: Reply): Response {
  exchange.answeredByGuard = true
  const hasBody = reply.status !== 204 && reply.status !== 304
  const headers = new Headers()
  for (const [name, value] of reply.headers) headers.append(name, value)
  putLines(exchange, reply.status, headers)
  return new Response(hasBody ? reply.body : null, { status: reply.status, headers })
}

const NOTHING_SEEN: Seen = { get: () => undefined }

/**
 * Puts the cell's lines on headers that may be changed: removes what the policy owns, merges Vary, and gives the
 * problem document that replaces the application's body where one does.
 */
function putLines(exchange: Exchange, status: number, headers: Headers): string | undefined {
  const { compiled } = exchange.cell
  let vary: string | undefined
  let seen: Map<string, string> | undefined
  const removed: string[] = []
  for (const [name, value] of headers) {
    const bits = compiled.names(name)
    if (bits === PASS) continue
    if (bits & VARY) vary = value
    if (bits & WATCHED) {
      seen ??= new Map()
      const before = seen.get(name)
      seen.set(name, before === undefined ? value : `${before}, ${value}`)
    }
    if (bits & (OWNED | VARY)) removed.push(name)
  }
  for (const name of removed) headers.delete(name)
  const code = exchange.answeredByGuard ? undefined : compiled.replaceBody?.(status, seen ?? NOTHING_SEEN)
  if (code !== undefined)
    for (const name of [...headers.keys()]) if (!staysOnReplaced(name)) headers.delete(name)
  appendLines(exchange, status, headers, seen ?? NOTHING_SEEN)
  if (vary !== undefined) headers.set('Vary', mergeVary(vary, compiled.vary))
  if (code === undefined) return undefined
  headers.set('Content-Type', PROBLEM_TYPE)
  return problemBody(code, exchange.requestId, status)
}

/** Adds the cell's lines to headers that hold none of the policy's names. */
export function appendLines(
  exchange: Exchange,
  status: number,
  headers: Headers,
  seen: Seen = NOTHING_SEEN,
): void {
  const { compiled } = exchange.cell
  for (const [name, value] of compiled.fixed.pairs) headers.append(name, value)
  for (const line of compiled.perAnswer)
    for (const [name, value] of line(exchange, status, seen).pairs) headers.append(name, value)
  for (const [name, value] of compiled.varyLines.pairs) headers.set(name, value)
}

/** A body that nobody will read lets go of its source. */
export function discard(response: Response | undefined): void {
  if (response?.body && !response.body.locked) response.body.cancel().catch(() => {})
}
