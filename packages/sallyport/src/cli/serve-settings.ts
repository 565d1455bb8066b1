// What `sallyport serve` runs with: the options of the command line and the environment over the gateway configuration,
// over what holds where nobody says anything.

import { resolve } from 'node:path'
import { show } from '../policy/problem.ts'
import type { NamedFile } from './certificate-files.ts'
import type { Invocation, Terminal } from './command.ts'
import { portOf } from './command-line.ts'
import { Failure } from './failure.ts'
import type {
  AccessLog,
  Admin,
  GatewayOptions,
  Listen,
  LoadedConfiguration,
  Places,
  TlsFiles,
} from './server.ts'
import { wholeNumber } from './whole-number.ts'

/** The APIs behind. */
interface Behind {
  readonly options: Pick<GatewayOptions, 'upstream' | 'upstreams' | 'routes'>
  /** Every address of them; the first stands for all where one is shown. */
  readonly origins: readonly [string, ...string[]]
  /** By name, where the configuration names them. */
  readonly named: readonly { readonly name: string; readonly origins: readonly string[] }[]
}

/** Everything but the policy. */
export interface ServeSettings {
  readonly behind: Behind
  readonly listen: Listen
  readonly http2: boolean
  /** That of the command line; it wins over the certificates of the configuration. */
  readonly certificate: { readonly cert: NamedFile; readonly key: NamedFile } | undefined
  readonly tls: TlsFiles | undefined
  readonly admin: Admin
  /** True where nobody chose the admin listener: then it is no reason not to start. */
  readonly isAdminByDefault: boolean
  readonly accessLog: AccessLog
  readonly status: boolean
  readonly places: Places
  readonly workers: number
  readonly waitMs: number
  readonly graceMs: number
}

const ADMIN: Admin = { host: '127.0.0.1', port: 9901 }
const GRACE_SECONDS = 10

/** @throws Failure where an option is wrong or the upstream is missing */
export function serveSettings(
  invocation: Invocation,
  { directory }: Terminal,
  loaded: LoadedConfiguration | undefined,
): ServeSettings {
  const configuration = loaded?.configuration ?? {}
  const listener = configuration.listeners?.[0]
  const hasPort = invocation.given('port') || listener?.port === undefined
  const adminText = invocation.text('admin')
  const logText = invocation.text('access-log')
  return {
    behind: behindOf(invocation, loaded),
    listen: {
      host: (invocation.given('host') ? undefined : listener?.host) ?? invocation.text('host')!,
      port: hasPort ? portOf(invocation, 'port') : listener.port!,
      ...(listener?.proxyProtocol ? { proxyProtocol: listener.proxyProtocol } : {}),
    },
    http2: listener?.http2 ?? true,
    certificate: certificateFiles(invocation, directory),
    tls: configuration.tls,
    admin:
      adminText === undefined ? (configuration.admin ?? ADMIN) : adminOf(adminText, invocation, directory),
    isAdminByDefault: adminText === undefined && configuration.admin === undefined,
    accessLog: logText === undefined ? (configuration.accessLog ?? false) : logOf(logText, directory),
    status: configuration.status ?? false,
    places: {
      ...(configuration.store ? { store: configuration.store } : {}),
      ...(configuration.counters ? { counters: configuration.counters } : {}),
      ...(configuration.secrets ? { secrets: configuration.secrets } : {}),
      ...(configuration.alerts ? { alerts: configuration.alerts } : {}),
      ...(configuration.backups ? { backups: configuration.backups } : {}),
    },
    workers: wholeNumber(invocation, 'workers', 1, 256) ?? configuration.workers ?? 1,
    waitMs: 1_000 * (wholeNumber(invocation, 'drain-wait', 0, 600) ?? configuration.drain?.waitSeconds ?? 0),
    graceMs: 1_000 * (configuration.drain?.graceSeconds ?? GRACE_SECONDS),
  }
}

function behindOf(invocation: Invocation, loaded: LoadedConfiguration | undefined): Behind {
  const text = invocation.text('upstream')
  if (text === undefined) {
    const { upstreams = {}, routes } = loaded?.configuration ?? {}
    const named = Object.entries(upstreams).map(([name, { urls = [] }]) => ({
      name,
      origins: urls.map((url) => new URL(url).origin),
    }))
    const [first, ...others] = new Set(named.flatMap(({ origins }) => origins))
    if (first !== undefined)
      return { options: { upstreams, ...(routes ? { routes } : {}) }, origins: [first, ...others], named }
    throw new Failure(
      'serve needs the API to stand before; write --upstream http://127.0.0.1:9000, or name upstreams in a gateway configuration',
    )
  }
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isOrigin = url !== undefined && url.pathname === '/' && url.search === '' && url.hash === ''
  if (!isOrigin || !['http:', 'https:'].includes(url.protocol) || url.username !== '' || url.password !== '')
    // The text is not shown where it may hold a password.
    throw new Failure(
      `${invocation.nameOf('upstream')}: expected an http or https origin without user, path and query${text.includes('@') ? '' : `, received ${show(text)}`}; write http://127.0.0.1:9000`,
    )
  return { options: { upstream: url.origin }, origins: [url.origin], named: [] }
}

function certificateFiles(invocation: Invocation, directory: string): ServeSettings['certificate'] {
  const cert = invocation.text('cert')
  const key = invocation.text('key')
  if (cert === undefined && key === undefined) return undefined
  if (cert === undefined || key === undefined)
    throw new Failure(
      `${cert === undefined ? '--key' : '--cert'} stands alone; give --cert and --key together`,
    )
  const named = (option: string, path: string): NamedFile => ({
    path: resolve(directory, path),
    option: invocation.nameOf(option),
    shown: path,
  })
  return { cert: named('cert', cert), key: named('key', key) }
}

function adminOf(text: string, invocation: Invocation, directory: string): Admin {
  if (text === 'off') return false
  if (text.startsWith('unix:')) return { path: resolve(directory, text.slice(5)) }
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9.-]+)):(\d{1,5})$/.exec(text)
  const port = Number(match?.[3])
  if (!match || !(port <= 65_535))
    throw new Failure(
      `${invocation.nameOf('admin')}: expected HOST:PORT, unix:PATH or off, received ${show(text)}; write 127.0.0.1:9901`,
    )
  return { host: match[1] ?? match[2]!, port }
}

function logOf(text: string, directory: string): AccessLog {
  if (text === 'off') return false
  return text === 'stdout' ? 'stdout' : { file: resolve(directory, text) }
}
