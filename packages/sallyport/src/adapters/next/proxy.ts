// The policy as Next's proxy.ts, for hosts such as Vercel where no server is ours: it judges each request, and puts
// the lines on that can be known before the answer is.

import { isAmbientScheme } from '../../guard/ambient.ts'
import { replyFor } from '../../guard/answer.ts'
import type { Verdict } from '../../guard/control.ts'
import type { Exchange } from '../../guard/exchange.ts'
import { createGuard, type Guard } from '../../guard/guard.ts'
import type { PolicyDocument } from '../../guard/policy.ts'
import type { Services } from '../../ports/services.ts'
import { expectOptions, expectPolicy } from '../arguments.ts'
import { appendLines, ownAnswer } from '../fetch/answer.ts'
import { FetchIncoming } from '../fetch/incoming.ts'

/** What a proxy may be told. */
export interface ProxyOptions {
  /** The client's address as the host gives it: `(request) => request.headers.get('x-real-ip') ?? undefined`. */
  readonly peer?: (request: Request) => string | undefined
  /** What controls need from outside: records of keys, places that count. */
  readonly services?: Services
}

/**
 * A function for proxy.ts.
 *
 * @throws PolicyError where the policy is wrong
 * @example
 * export const proxy = sallyport.proxy({ extends: 'payments' })
 */
export function proxy(
  policy: PolicyDocument,
  options: ProxyOptions = {},
): (request: Request) => Promise<Response> {
  expectPolicy('proxy', policy, 'write proxy({ extends: "payments" })')
  expectOptions('proxy', options)
  const guard = createGuard(policy, 'fetch', options.services ? { services: options.services } : {})
  return async function sallyportProxy(request) {
    const exchange = guard.open(new FetchIncoming(request, [], options.peer))
    const verdict = await judge(guard, exchange)
    if (verdict !== undefined) return ownAnswer(exchange, replyFor(verdict, exchange))
    // The wire form of NextResponse.next(), so that this module needs no copy of Next.
    const headers = new Headers({ 'x-middleware-next': '1' })
    if (exchange.cookiesIgnored) passWithoutCookies(request, headers)
    // The status is not known yet. Lines that depend on it take the form that is safe for an error: a cache never
    // keeps what might be one.
    appendLines(exchange, UNKNOWN_STATUS, headers)
    return new Response(null, { headers })
  }
}

// A control that fails while it judges has not let the request in.
async function judge(guard: Guard, exchange: Exchange): Promise<Verdict> {
  try {
    return await guard.admit(exchange)
  } catch (error) {
    console.error(error)
    return { kind: 'deny', code: 'internal', close: true }
  }
}

const UNKNOWN_STATUS = 500

// The wire form of NextResponse.next({ request: { headers } }): the names that stay, and each one's value.
function passWithoutCookies(request: Request, headers: Headers): void {
  const kept = [...request.headers].filter(
    ([name, value]) => name !== 'cookie' && !(name === 'authorization' && isAmbientScheme(value)),
  )
  for (const [name, value] of kept) headers.set(`x-middleware-request-${name}`, value)
  headers.set('x-middleware-override-headers', kept.map(([name]) => name).join(','))
}
