// What an upstream is opened with: its setting over what holds where nothing is said.

import { type PeerTls, readPeerTls } from './peer-tls.ts'
import { upstreamOrigin } from './pool.ts'
import { checkUpstreams, type RoutesSetting, type UpstreamSetting, type UpstreamsSetting } from './setting.ts'
import type { UpstreamKeepAlive } from './transfer-site.ts'
import type { ForwardLimits, UpstreamOptions } from './upstream.ts'

const CONNECTIONS = 1_024
const EJECTION = { failures: 5, firstMs: 10_000, longestMs: 300_000 } as const
const TIMES = {
  connectMs: 5_000,
  headMs: 30_000,
  bodyIdleMs: 60_000,
  uploadStartMs: 30_000,
  tunnelIdleMs: 300_000,
} as const

/** The name of the upstream where it was given without one. */
const ONLY = 'upstream'

// A quarter; of a few connections more, so that one page with its parallel requests is served.
function share(connections: number): number {
  return Math.max(Math.ceil(connections / 4), Math.min(8, Math.ceil(connections / 2)))
}

function options(
  name: string,
  setting: UpstreamSetting,
  tls: PeerTls,
  overrides: Partial<ForwardLimits>,
): UpstreamOptions {
  const { urls = [], connections = CONNECTIONS, ejection = {} } = setting
  const { connectionsPerClient = share(connections), queue = 0, queueMs = 1_000 } = setting
  return {
    name,
    urls: urls.map(upstreamOrigin),
    limits: {
      ...TIMES,
      uploadBytesPerSecond: 1_024,
      connections,
      slotsPerClient: connectionsPerClient,
      queue,
      queueMs,
      ...setting.timeouts,
      ...overrides,
    },
    keepAlive: setting.keepAlive ?? 'clean',
    retries: setting.retries === 0 ? 0 : 1,
    ejection: ejection === false ? undefined : { ...EJECTION, ...ejection },
    tls,
  }
}

/** The upstreams as a gateway is given them. */
export interface GivenUpstreams {
  readonly upstream?: string | URL
  readonly upstreams?: UpstreamsSetting
  readonly routes?: RoutesSetting
  readonly limits?: Partial<ForwardLimits>
  readonly upstreamKeepAlive?: UpstreamKeepAlive
}

/**
 * Works out what to open.
 *
 * @throws TypeError where there is none, or a file can't be used; PolicyError where the settings are wrong
 */
export async function upstreamOptions(given: GivenUpstreams): Promise<readonly UpstreamOptions[]> {
  const { upstream, upstreams, routes, limits = {}, upstreamKeepAlive = 'clean' } = given
  if ((upstream === undefined) === (upstreams === undefined))
    throw new TypeError(
      `upstream: ${upstream === undefined ? 'neither' : 'both'} upstream and upstreams are given; write upstream: "http://127.0.0.1:9000"`,
    )
  if (upstreams === undefined) {
    const { origin } = upstreamOrigin(upstream!)
    return [options(ONLY, { urls: [origin], keepAlive: upstreamKeepAlive }, {}, limits)]
  }
  checkUpstreams(upstreams, routes)
  const all: UpstreamOptions[] = []
  for (const [name, setting] of Object.entries(upstreams))
    all.push(options(name, setting, await readPeerTls(setting.tls, `upstreams.${name}.tls`), limits))
  return all
}
