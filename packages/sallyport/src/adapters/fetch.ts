// `sallyport/fetch`: the guard round a Fetch handler, for Bun, Deno, workerd and every other host of Request and
// Response. What such a host answers before it calls a handler (its parser's refusals) is out of our reach.

import { isAmbientScheme } from '../guard/ambient.ts'
import { replyFor, replyForCode } from '../guard/answer.ts'
import type { Exchange } from '../guard/exchange.ts'
import { createGuard, type Guard } from '../guard/guard.ts'
import type { PolicyDocument } from '../guard/policy.ts'
import type { Principal } from '../guard/principal.ts'
import { expectFunction, expectOptions, expectPolicy } from './arguments.ts'
import { discard, guarded, ownAnswer } from './fetch/answer.ts'
import { type LimitedBody, limitBody } from './fetch/body.ts'
import { FetchIncoming } from './fetch/incoming.ts'
import { refusalOfGuess } from './fetch/lockout.ts'

export { definePolicy, type PolicyDocument } from '../guard/policy.ts'

/** A policy, or a guard that is already compiled. */
export type PolicyOrGuard = PolicyDocument | Guard

/** What a host's Fetch handler looks like: the request, then whatever the host adds. */
export type FetchHandler<Rest extends readonly unknown[], Result> = (
  request: Request,
  ...rest: Rest
) => Result | Promise<Result>

/** What an adapter on a Fetch host may be told. */
export interface FetchOptions<Rest extends readonly unknown[] = readonly unknown[]> {
  /**
   * The address at the other end of the connection. Bun's server, Deno's info and Hono's Node bindings are known; on
   * Cloudflare write `(request) => request.headers.get('cf-connecting-ip') ?? undefined`.
   */
  readonly peer?: (request: Request, ...rest: Rest) => string | undefined
  /** Told of what the handler threw, which no caller sees; `console.error`. */
  readonly onError?: (error: unknown, request: Request) => void
}

const exchanges = new WeakMap<Request, Exchange>()

/** What the guard knows of a request: its cell, client, request id and nonce. */
export function exchangeOf(request: Request): Exchange | undefined {
  return exchanges.get(request)
}

/**
 * Wraps the handler of a sign-in. The guess is counted before the handler runs, and refused with 403, 429 or 503 without it;
 * the status of its answer settles it. The route must be a sign-in in the policy: `lockout: { name: … }`.
 *
 * @param nameOf whose account is guessed at, as the handler will look it up; everything but a text is refused with 400
 * @example
 * const signIn = withLockout(async (request) => (await request.clone().json()).email, handler)
 */
export function withLockout<Rest extends readonly unknown[], Result>(
  nameOf: (request: Request) => unknown,
  handler: FetchHandler<Rest, Result>,
): (request: Request, ...rest: Rest) => Promise<Result | Response> {
  return async function countedHandler(request, ...rest) {
    return (await refusalOfGuess(exchangeOf(request), await nameOf(request))) ?? handler(request, ...rest)
  }
}

/** Who calls, as keys, tokens or a session say it; `undefined` where nobody had to. */
export function principalOf(request: Request): Principal | undefined {
  return exchangeOf(request)?.principal
}

/** Compiles a policy for a Fetch host. */
export function compile(policy: PolicyOrGuard): Guard {
  expectPolicy('guard', policy, 'write guard({ extends: "recommended" }, app.fetch)')
  return 'admit' in policy ? (policy as Guard) : createGuard(policy as PolicyDocument, 'fetch')
}

/**
 * Puts a policy round a Fetch handler.
 *
 * @throws PolicyError where the policy is wrong
 * @example
 * export default { fetch: guard({ extends: 'recommended' }, app.fetch) }
 */
export function guard<Rest extends readonly unknown[], Result extends Response | undefined>(
  policy: PolicyOrGuard,
  handler: FetchHandler<Rest, Result>,
  options: FetchOptions<Rest> = {},
): (request: Request, ...rest: Rest) => Promise<Result> {
  expectFunction('guard', 'a Fetch handler', handler, 'write guard(policy, app.fetch)')
  expectOptions('guard', options)
  const compiled = compile(policy)
  const report = options.onError ?? ((error: unknown) => console.error(error))

  async function answer(request: Request, rest: Rest): Promise<Response | undefined> {
    const exchange = compiled.open(new FetchIncoming(request, rest, options.peer as FetchOptions['peer']))
    // A control that fails while it judges has not let the request in.
    try {
      const judgement = compiled.admit(exchange)
      const verdict = judgement instanceof Promise ? await judgement : judgement
      if (verdict !== undefined) return ownAnswer(exchange, replyFor(verdict, exchange))
    } catch (error) {
      report(error, request)
      return ownAnswer(exchange, replyForCode('internal', exchange))
    }
    const body = exchange.bodyLimit === undefined ? undefined : limitBody(request, exchange.bodyLimit)
    const input = inputFor(request, exchange, body)
    exchanges.set(input, exchange)
    try {
      const response = await handler(input, ...rest)
      if (body?.exceeded()) {
        discard(response)
        return tooLarge(exchange)
      }
      // Bun takes over the connection of an upgrade and expects no answer.
      if (response === undefined && request.headers.has('upgrade')) return undefined
      return guarded(exchange, response)
    } catch (error) {
      if (body?.exceeded()) return tooLarge(exchange)
      report(error, request)
      return ownAnswer(exchange, replyForCode('internal', exchange))
    }
  }

  function tooLarge(exchange: Exchange): Response {
    compiled.refused(exchange, 'body_too_large')
    return ownAnswer(exchange, replyForCode('body_too_large', exchange))
  }

  return function guardedFetch(request, ...rest) {
    return answer(request, rest) as Promise<Result>
  }
}

/** What a browser sent along by itself. */
function ambientHeaders(headers: Headers): string[] {
  const authorization = headers.get('authorization')
  return [
    ...(headers.has('cookie') ? ['cookie'] : []),
    ...(authorization !== null && isAmbientScheme(authorization) ? ['authorization'] : []),
  ]
}

// The handler gets the host's own request wherever nothing has to be taken from it: hosts hang things on it.
function inputFor(request: Request, exchange: Exchange, body: LimitedBody | undefined): Request {
  const dropped = exchange.cookiesIgnored ? ambientHeaders(request.headers) : []
  if (body === undefined && dropped.length === 0) return request
  const headers = new Headers(request.headers)
  for (const name of dropped) headers.delete(name)
  if (body === undefined) return new Request(request, { headers })
  // `duplex` is not yet in the type: Fetch standard, RequestInit; streams must say "half".
  return new Request(request, { headers, body: body.stream, duplex: 'half' } as RequestInit)
}
