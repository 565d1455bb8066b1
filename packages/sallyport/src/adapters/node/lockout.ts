// Counts guesses inside an application of node:http, Express or Fastify, by the policy's own numbers: the application says
// whose name it is, the status of its answer says how the guess ended.

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Denial } from '../../guard/control.ts'
import { expectFunction } from '../arguments.ts'
import { respondWithCode } from './attach.ts'
import { exchangeOf } from './response.ts'

/** A response of node:http or Express, or Fastify's reply round one. */
type Answering = object | { readonly raw: object; hijack?(): unknown }

/**
 * Wraps the handler of a sign-in. The guess is counted before the handler runs, and refused with 403, 429 or 503 without it;
 * the handler's status settles it. The route must be a sign-in in the policy: `lockout: { name: … }`.
 *
 * @param nameOf whose account is guessed at, as the handler will look it up; everything but a text is refused with 400
 * @throws TypeError where one of the two is no function; at a request, Error where the policy has no sign-in there
 * @example
 * app.post('/v1/sign-in', express.json(), withLockout((request) => request.body.email, signIn))
 */
export function withLockout<Request extends object, Rest extends readonly unknown[]>(
  nameOf: (request: Request) => unknown,
  handler: (request: Request, response: never, ...rest: Rest) => unknown,
): (request: Request, response: Answering, ...rest: Rest) => Promise<unknown> {
  expectFunction(
    'withLockout',
    'a function that gives the name',
    nameOf,
    'write withLockout((request) => request.body.email, handler)',
  )
  expectFunction(
    'withLockout',
    'a handler',
    handler,
    'write withLockout((request) => request.body.email, handler)',
  )
  return async function countedHandler(request, response, ...rest) {
    const raw = ('raw' in response ? response.raw : response) as ServerResponse
    const incoming = ('raw' in request ? request.raw : request) as IncomingMessage
    const exchange = exchangeOf(raw)
    if (exchange?.signIn === undefined)
      throw new Error(
        `withLockout: the policy has no sign-in at ${exchange?.cell.id ?? 'this server, which has no guard'}; write routes: { "POST /v1/sign-in": { lockout: { name: { from: "json", field: "email" } } } }`,
      )
    const name = await nameOf(request)
    const denial: Denial | undefined =
      typeof name === 'string'
        ? await exchange.signIn.attempt(name)
        : ({ kind: 'deny', code: 'malformed_request' } as const)
    if (denial === undefined) return handler(request, response as never, ...rest)
    // Fastify would answer a second time.
    if ('hijack' in response) (response as { hijack(): unknown }).hijack()
    if (!raw.headersSent && !raw.destroyed)
      respondWithCode(incoming, raw, exchange, denial.code, denial.headers?.pairs, denial.challenge)
    return undefined
  }
}
