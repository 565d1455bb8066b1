// `sallyport/node`: the guard under node:http.

import type { RequestListener, Server, ServerOptions } from 'node:http'
import type { ServerOptions as TlsOptions } from 'node:https'
import type { TransportSetting } from '../../controls/transport/setting.ts'
import { createGuard, type Guard } from '../../guard/guard.ts'
import type { PolicyDocument } from '../../guard/policy.ts'
import type { Principal } from '../../guard/principal.ts'
import { answerCrash, attach } from './attach.ts'
import { http, https } from './http.ts'
import { exchangeOf, guardPrototype } from './response.ts'

export type { ErrorCode } from '../../errors/catalogue.ts'
export type { Denial } from '../../guard/control.ts'
export type { ClientCertificate, Exchange } from '../../guard/exchange.ts'
export type { Guard } from '../../guard/guard.ts'
export { definePolicy, type PolicyDocument } from '../../guard/policy.ts'
export { attach, respondWithCode } from './attach.ts'
export { clientCertificateOf, forwardClientCertificate } from './client-certificate.ts'
export { enterHttp2, type Http2Entry } from './http2.ts'
export type { Http2Peer } from './http2-request.ts'
export { withLockout } from './lockout.ts'
export { exchangeOf, isBodyReplaced } from './response.ts'
export { mayOpenWebSocket, upgradeResponse } from './upgrade.ts'

/** A policy, or a guard that is already compiled. */
export type PolicyOrGuard = PolicyDocument | Guard

/** Options of node:http, and of node:https where a certificate is given. */
export type GuardedServerOptions = ServerOptions & TlsOptions

/** Compiles a policy for Node. */
export function compile(policy: PolicyOrGuard): Guard {
  if (typeof policy !== 'object' || policy === null)
    throw new TypeError(
      `the policy: expected an object, received ${policy === null ? 'null' : typeof policy}; pass a policy such as { extends: "recommended" }`,
    )
  return 'admit' in policy ? (policy as Guard) : createGuard(policy as PolicyDocument, 'node')
}

/**
 * Settings of node:http that its defaults leave open: slow heads live up to 90 s, headers are counted up to 1,000.
 * Milliseconds and bytes. `rejectNonStandardBodyWrites` is not among them: with it, a HEAD request to a handler that
 * writes a body throws, and ends the process.
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
} as const satisfies GuardedServerOptions

/**
 * A server of node:http (or node:https, where a certificate is given) under a policy. A handler that throws or rejects
 * is answered for with 500; its error goes on to the process as without a guard.
 *
 * @throws PolicyError where the policy is wrong
 * @example
 * createServer({ extends: 'recommended' }, (request, response) => response.end('{}')).listen(3000)
 */
export function createServer(
  policy: PolicyOrGuard,
  handler?: RequestListener,
  options: GuardedServerOptions = {},
): Server {
  const guard = compile(policy)
  const settings = { ...SAFE_SERVER_OPTIONS, ...shorterHead(options), ...options }
  const server: Server = speaksTls(options)
    ? https().createServer({ minVersion: minVersionOf(guard), ...settings })
    : http().createServer(settings)
  // Node drops headers over this count without a word; the `request` control counts and refuses them first.
  server.maxHeadersCount = 0
  attach(server, guard)
  if (handler) server.on('request', answered(handler))
  return server
}

/** Who calls, as keys, tokens or a session say it; `undefined` where nobody had to. */
export function principalOf(response: object): Principal | undefined {
  return exchangeOf(response)?.principal
}

/** The nonce of an answer's Content-Security-Policy, for the `nonce` attributes of a page; '' without a guard. */
export function cspNonce(response: object): string {
  return exchangeOf(response)?.nonce ?? ''
}

const TLS_MATERIAL = ['cert', 'key', 'pfx', 'SNICallback', 'secureContext'] as const

// Node refuses a head that may take longer than the whole request.
function shorterHead({ requestTimeout }: GuardedServerOptions): GuardedServerOptions {
  return requestTimeout && requestTimeout < SAFE_SERVER_OPTIONS.headersTimeout
    ? { headersTimeout: requestTimeout }
    : {}
}

function speaksTls(options: object): boolean {
  return TLS_MATERIAL.some((name) => (options as Record<string, unknown>)[name] !== undefined)
}

// A listener has one version for all its paths: that of the policy's top level, which stands before the strict cell.
function minVersionOf(guard: Guard): 'TLSv1.2' | 'TLSv1.3' {
  const setting = guard.policy.cells.at(-2)!.settings.transport as TransportSetting
  return setting.minVersion ?? 'TLSv1.3'
}

function answered(handler: RequestListener): RequestListener {
  // Express gives each response a prototype of its own.
  const { response } = handler as { readonly response?: unknown }
  if (typeof response === 'object' && response !== null) guardPrototype(response)
  return function answeredHandler(request, response) {
    const result = handler(request, response) as unknown
    if (result instanceof Promise)
      result.catch((error: unknown) => {
        answerCrash(request, response)
        throw error
      })
  }
}
