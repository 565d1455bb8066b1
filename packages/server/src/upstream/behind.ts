// What stands behind the gateway now, and how a reload replaces it.

import type { Behind } from '../contract.ts'
import { type GivenUpstreams, upstreamOptions } from './defaults.ts'
import type { Forwarder } from './forward.ts'
import type { UpstreamOptions } from './upstream.ts'

/** The upstreams of a running gateway. */
export interface BehindNow {
  /** As an operator is shown them. */
  readonly shown: Behind
  /**
   * Makes others ready. They take over when what is returned is called, which says what is new and what takes a restart.
   *
   * @throws PolicyError where the settings are wrong, TypeError where a file of theirs can't be used
   */
  configure(next: Behind): Promise<() => readonly string[]>
}

/** @param opened what the gateway has begun with */
export function behindNow(
  given: GivenUpstreams,
  opened: readonly UpstreamOptions[],
  forwarder: () => Forwarder,
): BehindNow {
  let shown: Behind = {
    upstreams: given.upstreams ?? { [opened[0]!.name]: { urls: [opened[0]!.urls[0]!.origin] } },
    ...(given.routes ? { routes: given.routes } : {}),
  }
  return {
    get shown() {
      return shown
    },
    async configure({ upstreams, routes, takesRestart = [] }) {
      const notes = takesRestart.map((name) => `${name} has changed, which takes a restart`)
      if (upstreams === undefined) return () => notes
      const { limits, upstreamKeepAlive } = given
      const next: Behind = { upstreams, ...(routes ? { routes } : {}) }
      const options = await upstreamOptions({
        ...next,
        ...(limits ? { limits } : {}),
        ...(upstreamKeepAlive ? { upstreamKeepAlive } : {}),
      })
      const takeOver = forwarder().reconfigure(options, routes)
      return () => {
        shown = next
        return [...takeOver(), ...notes]
      }
    },
  }
}
