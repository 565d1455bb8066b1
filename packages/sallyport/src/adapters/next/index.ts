// `sallyport/next`: the guard under `next start` and `next dev` by one change in next.config.ts; in the standalone
// server from instrumentation.ts; and as proxy.ts on hosts where no server is ours.

import { createGuard, type GuardOptions } from '../../guard/guard.ts'
import type { PolicyDocument } from '../../guard/policy.ts'
import { expectObject, expectPolicy } from '../arguments.ts'
import { type HeaderRoute, staticHeaders } from './headers.ts'
import { guardServers } from './serve.ts'

export { definePolicy, type PolicyDocument } from '../../guard/policy.ts'
export { type ProxyOptions, proxy } from './proxy.ts'

/** What we read and write of Next's own configuration. */
export interface NextConfigShape {
  headers?: (() => Promise<HeaderRoute[]> | HeaderRoute[]) | undefined
  poweredByHeader?: boolean | undefined
  basePath?: string | undefined
  i18n?: object | null | undefined
}

/** What next.config.ts may export: a configuration, or a function that makes it. */
export type NextConfigInput<Config, Context> =
  | Config
  | ((phase: string, context: Context) => Config | Promise<Config>)

// next/constants: PHASE_PRODUCTION_SERVER and PHASE_DEVELOPMENT_SERVER.
const SERVING = new Set(['phase-production-server', 'phase-development-server'])

/**
 * Puts a policy on a Next.js app: under every HTTP server of `next start` and `next dev`, and as `headers()` for
 * hosts that serve the build by themselves.
 *
 * @throws PolicyError where the policy is wrong; the build fails
 * @example
 * export default withSallyport(nextConfig, { extends: 'payments' })
 */
export function withSallyport<Config extends NextConfigShape, Context = { defaultConfig: Config }>(
  nextConfig: NextConfigInput<Config, Context>,
  policy: PolicyDocument,
  options: GuardOptions = {},
): (phase: string, context: Context) => Promise<Config> {
  expectObject('withSallyport', 'the configuration of Next', nextConfig, 'write {} for none')
  expectPolicy('withSallyport', policy, 'write withSallyport(nextConfig, { extends: "payments" })')
  // The place is Fetch, not Node: what `headers()` lists is for hosts whose sockets we never see. Nobody asks it.
  const listed = createGuard(policy, 'fetch', { trial: {} })
  return async function sallyportConfig(phase, context) {
    const config = typeof nextConfig === 'function' ? await nextConfig(phase, context) : nextConfig
    if (SERVING.has(phase)) guardServers(createGuard(policy, 'node', options))
    const own = config.headers
    const guarded = {
      ...config,
      // Only where the policy strips it: a policy that leaves it alone changes nothing of the app.
      ...(listed.cells.every((cell) => cell.compiled.names('x-powered-by') !== 0) && {
        poweredByHeader: false,
      }),
      headers: async () =>
        staticHeaders(listed, own === undefined ? [] : await own.call(config), {
          basePath: Boolean(config.basePath),
          locales: Boolean(config.i18n),
        }),
    }
    // Every field is the app's own, but for the two above, whose types are Next's.
    return guarded as Config
  }
}

/**
 * Puts a policy under the servers of this process, for instrumentation.ts: the standalone build's `node server.js`
 * does not run next.config.ts.
 *
 * @throws PolicyError where the policy is wrong
 * @example
 * export async function register() {
 *   if (process.env.NEXT_RUNTIME !== 'nodejs') return
 *   const sallyport = await import('sallyport/next')
 *   sallyport.register({ extends: 'payments' })
 * }
 */
export function register(policy: PolicyDocument, options: GuardOptions = {}): void {
  expectPolicy('register', policy, 'write register({ extends: "payments" })')
  guardServers(createGuard(policy, 'node', options))
}
