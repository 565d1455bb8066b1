// `sallyport/hono`: gives @hono/node-server a server that stands under the policy. On Bun, Deno and workers, where no
// server of node:http is, `sallyport/fetch` wraps the app. Neither package is imported.

import type { createServer as createHttpServer, RequestListener } from 'node:http'
import type { Exchange } from '../guard/exchange.ts'
import type { Principal } from '../guard/principal.ts'
import { expectOptions, expectPolicy } from './arguments.ts'
import { refusalOfGuess } from './fetch/lockout.ts'
import {
  compile,
  createServer,
  cspNonce as cspNonceOf,
  exchangeOf as exchangeOfResponse,
  type GuardedServerOptions,
  type PolicyOrGuard,
} from './node/index.ts'

export { definePolicy, type PolicyDocument } from './node/index.ts'

/** The part of the options of `serve` that puts the policy under the app. */
export interface GuardedOptions {
  readonly createServer: typeof createHttpServer
}

/** What of a Hono context is needed: under @hono/node-server its `env` holds the response of node:http. */
export interface HonoContext {
  readonly env: unknown
}

/**
 * Hono on Node under a policy. The `serverOptions` of `serve` hold; where they are left out, safe ones do.
 *
 * @param options of node:http or node:https, laid over `serverOptions`
 * @throws PolicyError where the policy is wrong
 * @example
 * serve({ fetch: app.fetch, port: 3000, ...guarded({ extends: 'recommended' }) })
 */
export function guarded(policy: PolicyOrGuard, options: GuardedServerOptions = {}): GuardedOptions {
  expectPolicy('guarded', policy, 'write serve({ fetch: app.fetch, ...guarded({ extends: "recommended" }) })')
  expectOptions('guarded', options)
  const guard = compile(policy)
  const createGuarded = (own: object, handler: RequestListener) =>
    createServer(guard, handler, { ...own, ...options })
  // The package calls it with options and a listener, one of the ways of node:http's own.
  return { createServer: createGuarded as typeof createHttpServer }
}

/**
 * Wraps the handler of a sign-in. The guess is counted before the handler runs, and refused with 429 or 503 without it;
 * the status of its answer settles it. The route must be a sign-in in the policy: `lockout: { name: … }`.
 *
 * @param nameOf whose account is guessed at, as the handler will look it up; everything but a text is refused with 400
 * @example
 * app.post('/v1/sign-in', withLockout(async (context) => (await context.req.json()).email, signIn))
 */
export function withLockout<Context extends HonoContext, Rest extends readonly unknown[], Result>(
  nameOf: (context: Context) => unknown,
  handler: (context: Context, ...rest: Rest) => Result | Promise<Result>,
): (context: Context, ...rest: Rest) => Promise<Result | Response> {
  return async function countedHandler(context, ...rest) {
    return (await refusalOfGuess(exchangeOf(context), await nameOf(context))) ?? handler(context, ...rest)
  }
}

/** What the guard knows of a request: its cell, client, request id and nonce. */
export function exchangeOf(context: HonoContext): Exchange | undefined {
  const response = responseOf(context)
  return response && exchangeOfResponse(response)
}

/** Who calls, as keys, tokens or a session say it; `undefined` where nobody had to. */
export function principalOf(context: HonoContext): Principal | undefined {
  return exchangeOf(context)?.principal
}

/** The nonce of an answer's Content-Security-Policy. */
export function cspNonce(context: HonoContext): string {
  const response = responseOf(context)
  return response ? cspNonceOf(response) : ''
}

function responseOf(context: HonoContext): object | undefined {
  return (context.env as { readonly outgoing?: object } | undefined)?.outgoing
}
