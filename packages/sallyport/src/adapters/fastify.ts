// `sallyport/fastify`: gives Fastify a server that stands under the policy. Fastify itself is not imported.

import type { RequestListener, Server } from 'node:http'
import type { Exchange } from '../guard/exchange.ts'
import type { Principal } from '../guard/principal.ts'
import { expectOptions, expectPolicy } from './arguments.ts'
import {
  compile,
  createServer,
  cspNonce as cspNonceOf,
  exchangeOf as exchangeOfResponse,
  type GuardedServerOptions,
  type PolicyOrGuard,
} from './node/index.ts'

export { definePolicy, type PolicyDocument, withLockout } from './node/index.ts'

/** The part of Fastify's options that puts the policy under it. */
export interface GuardedOptions {
  serverFactory(handler: RequestListener, options: FastifyOptions): Server
}

/** The options of Fastify that concern its server; milliseconds. */
export interface FastifyOptions {
  readonly http?: object | null
  readonly https?: object | boolean | null
  readonly http2?: boolean
  readonly keepAliveTimeout?: number
  readonly requestTimeout?: number
  readonly connectionTimeout?: number
  readonly maxRequestsPerSocket?: number
}

/** What of a Fastify reply is needed. */
export interface FastifyReply {
  readonly raw: object
}

/**
 * Fastify under a policy. Fastify's own `http`, `https` and timeouts hold; where they are left out, safe ones do.
 *
 * @param options of node:http or node:https, laid over Fastify's
 * @throws PolicyError where the policy is wrong
 * @example
 * const app = Fastify({ ...guarded({ extends: 'recommended' }) })
 */
export function guarded(policy: PolicyOrGuard, options: GuardedServerOptions = {}): GuardedOptions {
  expectPolicy('guarded', policy, 'write Fastify({ ...guarded({ extends: "recommended" }) })')
  expectOptions('guarded', options)
  const guard = compile(policy)
  return {
    serverFactory(handler, fastify) {
      if (fastify.http2)
        throw new Error('guarded: http2 is true, but the guard speaks HTTP/1.1 only; leave http2 out')
      const server = createServer(guard, handler, { ...optionsOf(fastify), ...options })
      if (isSet(fastify.maxRequestsPerSocket)) server.maxRequestsPerSocket = fastify.maxRequestsPerSocket
      if (isSet(fastify.connectionTimeout)) server.setTimeout(fastify.connectionTimeout)
      return server
    },
  }
}

// Fastify writes 0 for "not said".
function isSet(value: number | undefined): value is number {
  return value !== undefined && value > 0
}

function optionsOf(fastify: FastifyOptions): GuardedServerOptions {
  return {
    ...fastify.http,
    ...(typeof fastify.https === 'object' ? fastify.https : {}),
    ...(isSet(fastify.keepAliveTimeout) ? { keepAliveTimeout: fastify.keepAliveTimeout } : {}),
    ...(isSet(fastify.requestTimeout) ? { requestTimeout: fastify.requestTimeout } : {}),
  }
}

/** What the guard knows of a request: its cell, client, request id and nonce. */
export function exchangeOf(reply: FastifyReply): Exchange | undefined {
  return exchangeOfResponse(reply.raw)
}

/** Who calls, as keys, tokens or a session say it; `undefined` where nobody had to. */
export function principalOf(reply: FastifyReply): Principal | undefined {
  return exchangeOf(reply)?.principal
}

/** The nonce of an answer's Content-Security-Policy. */
export function cspNonce(reply: FastifyReply): string {
  return cspNonceOf(reply.raw)
}
