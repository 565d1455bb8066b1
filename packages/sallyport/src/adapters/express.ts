// `sallyport/express`: finds the server under an Express app and puts the guard under that server, before the first
// byte of the first connection is read. Express itself is not imported.

import { subscribe } from 'node:diagnostics_channel'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { OWNED } from '../guard/compile.ts'
import { expectFunction, expectPolicy } from './arguments.ts'
import { attach, enter } from './node/attach.ts'
import { compile, type Guard, type PolicyOrGuard } from './node/index.ts'
import { guardOf, guardPrototype } from './node/response.ts'

export {
  cspNonce,
  definePolicy,
  exchangeOf,
  type PolicyDocument,
  principalOf,
  withLockout,
} from './node/index.ts'

/** What is needed of an Express app, version 4 or 5. */
export interface ExpressApp {
  (request: never, response: never, ...rest: never[]): unknown
  /** The prototype that Express gives to each response. */
  readonly response: object
  disable?(setting: string): unknown
}

/** A guarded app. */
export interface GuardedApp {
  readonly guard: Guard
  /** Puts the guard under a server now; needed only where the app stands behind a listener of your own. */
  attach(server: Server): void
}

const guardsOfApps = new WeakMap<object, Guard>()
let watching = false

/**
 * Puts a policy under an Express app: `app.listen()` and `createServer(app)`, of node:http and node:https, are found by
 * themselves. Call it once, on the outermost app, before or after the routes.
 *
 * @throws PolicyError where the policy is wrong
 * @throws Error where the app has a guard already
 * @example
 * const app = express()
 * guard(app, { extends: 'recommended' })
 * app.get('/v1/things', (request, response) => response.json({ things: [] }))
 * app.listen(3000)
 */
export function guard(app: ExpressApp, policy: PolicyOrGuard): GuardedApp {
  expectFunction('guard', 'an Express app', app, 'write guard(express(), policy)')
  expectResponse(app)
  expectPolicy('guard', policy, 'write guard(app, { extends: "recommended" })')
  if (guardsOfApps.has(app))
    throw new Error('guard: this app already has a guard; lay one policy over the other with "extends"')
  const compiled = compile(policy)
  guardsOfApps.set(app, compiled)
  guardPrototype(app.response)
  // What no answer may carry need not be set on each to be taken away again.
  if (compiled.cells.every((cell) => cell.compiled.names('x-powered-by') === OWNED))
    app.disable?.('x-powered-by')
  watchServers()
  enterLate(app, compiled)
  return {
    guard: compiled,
    attach: (server) => attachOnce(server, compiled),
  }
}

// A router is a function too, and has no server; so is the `express` that makes apps, whose `listen` is missing.
function expectResponse(app: ExpressApp): void {
  if (typeof app.response === 'object' && typeof (app as { listen?: unknown }).listen === 'function') return
  throw new TypeError(
    'guard: expected an Express app, received another function; write guard(express(), policy), with the outermost app',
  )
}

function attachOnce(server: Server, compiled: Guard): void {
  if (guardOf(server) !== compiled) attach(server, compiled)
}

// Node tells of each connection when it is accepted, before anything is read from it: the one moment at which the
// server is known and no answer has been given, not even the parser's.
function watchServers(): void {
  if (watching) return
  watching = true
  subscribe('net.server.socket', function attachToServer(message) {
    const { server } = (message as { readonly socket: { readonly server?: Server } }).socket
    if (!server || guardOf(server)) return
    for (const listener of server.listeners('request')) {
      const compiled = guardsOfApps.get(listener)
      if (compiled) return attach(server, compiled)
    }
  })
}

type Handle = (request: IncomingMessage, response: ServerResponse, ...rest: unknown[]) => unknown

// An app behind a listener of someone else's meets its server with the first request.
function enterLate(app: ExpressApp, compiled: Guard): void {
  const owner = app as unknown as { handle: Handle }
  const { handle } = owner
  owner.handle = function handleGuarded(request, response, ...rest) {
    const { server } = request.socket as unknown as { readonly server?: Server }
    if (server && !guardOf(server)) attach(server, compiled)
    return enter(compiled, request, response, () => handle.call(this, request, response, ...rest))
  }
}
