// What `sallyport serve` is reloaded with: the policy, and of the configuration the upstreams and the routes to them. The
// rest of the configuration takes a restart, and a reload says so.

import type { PolicyDocument } from '../guard/policy.ts'
import { POLICY_FILE, PolicyFileError } from '../policy/load.ts'
import { loadFresh } from '../policy/load-fresh.ts'
import { isOwnAddress } from './own-address.ts'
import type { PolicyChoice } from './policy-choice.ts'
import type { GatewayOptions, Listen, LoadedConfiguration, ServerPackage } from './server.ts'

type Source = NonNullable<GatewayOptions['source']>
type Configuration = LoadedConfiguration['configuration']

/** What it is made of. */
export interface SourceOptions {
  readonly server: ServerPackage
  readonly chosen: PolicyChoice
  readonly loaded: LoadedConfiguration | undefined
  /** False where the command line names the upstream, which wins. */
  readonly areUpstreamsConfigured: boolean
  readonly listen: Listen
  readonly directory: string
}

/** Where everything is read anew; `undefined` where there is no file. */
export function sourceOf(options: SourceOptions): Source | undefined {
  const { chosen, loaded } = options
  const files = [chosen.file, loaded?.file].filter((file) => file !== undefined)
  if (files.length === 0) return undefined
  const { file, source: name, policy } = chosen
  return {
    name,
    files,
    load: async () => ({
      policy: file === undefined ? policy : ((await loadFresh(file, name, POLICY_FILE)) as PolicyDocument),
      ...(loaded ? { configuration: await behindOf(loaded, options) } : {}),
    }),
  }
}

async function behindOf(
  { name, configuration: before }: LoadedConfiguration,
  { server, areUpstreamsConfigured, listen, directory }: SourceOptions,
): Promise<NonNullable<Awaited<ReturnType<Source['load']>>['configuration']>> {
  const next = (await server.loadConfiguration(name, directory))!.configuration
  const takesRestart = changed(before, next)
  if (!areUpstreamsConfigured) return { takesRestart }
  const { upstreams, routes } = next
  const origins = Object.values(upstreams ?? {}).flatMap(({ urls = [] }) => urls)
  if (upstreams === undefined || origins.length === 0)
    throw new PolicyFileError(name, `${name}: upstreams: there are none any more; name the API behind`)
  const own = origins.find((origin) => isOwnAddress(origin, listen))
  if (own !== undefined)
    throw new PolicyFileError(
      name,
      `${name}: upstreams: ${own} is this gateway's own address, and requests would go round; name the API's`,
    )
  return { upstreams, ...(routes ? { routes } : {}), takesRestart }
}

const TAKEN_IN: ReadonlySet<string> = new Set(['$schema', 'upstreams', 'routes'])

// The settings that differ and are read only once.
function changed(before: Configuration, after: Configuration): readonly string[] {
  const [old, now] = [before, after].map((one) => one as Readonly<Record<string, unknown>>)
  const names = new Set([...Object.keys(old!), ...Object.keys(now!)])
  return [...names].filter(
    (name) => !TAKEN_IN.has(name) && JSON.stringify(old![name]) !== JSON.stringify(now![name]),
  )
}
