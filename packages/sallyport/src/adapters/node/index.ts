// `sallyport/node`: the guard under node:http.

import {
  createServer as createHttpServer,
  type RequestListener,
  type Server,
  type ServerOptions,
} from 'node:http'
import { createServer as createHttpsServer, type ServerOptions as TlsOptions } from 'node:https'
import type { Exchange } from '../../guard/exchange.ts'
import { createGuard, type Guard } from '../../guard/guard.ts'
import type { PolicyDocument } from '../../guard/policy.ts'
import { attach } from './attach.ts'
import { exchangeOf as exchangeOfResponse } from './response.ts'

export type { ErrorCode } from '../../errors/catalogue.ts'
export type { Exchange } from '../../guard/exchange.ts'
export type { Guard } from '../../guard/guard.ts'
export { definePolicy, type PolicyDocument } from '../../guard/policy.ts'
export { attach, respondWithCode } from './attach.ts'
export { isBodyReplaced } from './response.ts'

/** A policy, or a guard that is already compiled. */
export type PolicyOrGuard = PolicyDocument | Guard

/** Compiles a policy for Node. */
export function compile(policy: PolicyOrGuard): Guard {
  return 'admit' in policy ? (policy as Guard) : createGuard(policy as PolicyDocument, 'node')
}

/**
 * Settings of node:http that its defaults leave open: slow heads live up to 90 s, headers are counted up to 1,000.
 * Milliseconds and bytes.
 */
export const SAFE_SERVER_OPTIONS = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  connectionsCheckingInterval: 1_000,
  keepAliveTimeout: 65_000,
  maxHeaderSize: 16_384,
  requireHostHeader: true,
  joinDuplicateHeaders: false,
  insecureHTTPParser: false,
  rejectNonStandardBodyWrites: true,
} as const satisfies ServerOptions & TlsOptions

/**
 * A server of node:http (or node:https, where a certificate is given) under a policy.
 *
 * @example
 * createServer({ extends: 'recommended' }, (request, response) => response.end('{}')).listen(3000)
 */
export function createServer(
  policy: PolicyOrGuard,
  handler?: RequestListener,
  options: ServerOptions & Pick<TlsOptions, 'key' | 'cert' | 'minVersion'> = {},
): Server {
  const settings = { ...SAFE_SERVER_OPTIONS, ...options }
  const server: Server = 'cert' in options ? createHttpsServer(settings) : createHttpServer(settings)
  // Node drops headers over this count without a word; the `request` control counts and refuses them first.
  server.maxHeadersCount = 0
  attach(server, compile(policy))
  if (handler) server.on('request', handler)
  return server
}

/** What the guard knows of a request: its cell, client, request id and nonce. */
export function exchangeOf(response: object): Exchange | undefined {
  return exchangeOfResponse(response)
}
