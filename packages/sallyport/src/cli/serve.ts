// `sallyport serve`: the gateway before an API that is already there.

import { join, relative, resolve } from 'node:path'
import { readCertificate } from './certificate-files.ts'
import type { Invocation, Terminal } from './command.ts'
import { Failure } from './failure.ts'
import { isOwnAddress } from './own-address.ts'
import { choosePolicy, endsTlsHere, type PolicyChoice } from './policy-choice.ts'
import { listenFailure, stopSignal, untilStopped } from './running.ts'
import { type ServeSettings, serveSettings } from './serve-settings.ts'
import { sourceOf } from './serve-source.ts'
import { eventLine, startedAsJson, startedInWords } from './serve-words.ts'
import {
  certificateIn,
  type Fleet,
  type Gateway,
  type GatewayOptions,
  loadServer,
  type ServerPackage,
  type TlsFiles,
} from './server.ts'
import { openAdmin, policyWarnings } from './warnings.ts'

// How long an idle connection may still send its next request when the gateway goes.
const LINGER_MS = 1_000

const BUILT_IN = {
  policy: { extends: 'recommended', transport: { tls: 'here' } },
  source: 'the preset "recommended"',
} as const

/** Runs the command. */
export async function serve(invocation: Invocation, terminal: Terminal): Promise<number> {
  const server = await loadServer()
  const loaded = await server.loadConfiguration(invocation.text('config'), terminal.directory)
  const settings = serveSettings(invocation, terminal, loaded)
  const { behind, waitMs, graceMs } = settings
  const { host } = settings.listen
  const own = behind.origins.find((origin) => isOwnAddress(origin, settings.listen))
  if (own !== undefined)
    throw new Failure(
      `${invocation.nameOf('upstream')}: ${own} is this gateway's own address, and requests would go round; name the API's, or choose another port with --port`,
    )
  const chosen = await choosePolicy(invocation, terminal, BUILT_IN)
  const state = resolve(terminal.directory, invocation.text('state')!)
  const { tls, caFile } = await tlsOf(settings, chosen, server, join(state, 'tls'))
  const source = sourceOf({
    server,
    chosen,
    loaded,
    areUpstreamsConfigured: behind.named.length > 0,
    listen: settings.listen,
    directory: terminal.directory,
  })
  // Before anything is said to run: a signal right after that must drain already.
  const stop = stopSignal()
  const gateway = await start(server, settings, terminal, {
    policy: chosen.policy,
    ...behind.options,
    listen: settings.listen,
    http2: settings.http2,
    ...(tls ? { tls } : {}),
    stateFolder: state,
    accessLog: settings.accessLog,
    status: settings.status,
    postureFolder: terminal.directory,
    places: settings.places,
    ...(source ? { source } : {}),
    onDrain: () => stop.wish(),
    log: (event) => terminal.err(eventLine(event)),
  })
  hearSignals(gateway, terminal)
  const warnings = policyWarnings(chosen.resolved, Date.now(), host)
  for (const warning of warnings) terminal.err(`warning: ${warning}`)
  if (settings.admin !== false && settings.admin.allowNonLoopback === true)
    terminal.err(`warning: ${openAdmin(gateway.adminUrl)}`)
  if ('socketsAreHeld' in gateway && !gateway.socketsAreHeld)
    terminal.err(
      'warning: this Node has no net.BoundSocket (26.4), so a rolling restart may cost connections that are just being opened',
    )
  const started = {
    url: gateway.url,
    admin: gateway.adminUrl,
    behind,
    workers: settings.workers,
    policy: chosen.source,
    digest: chosen.digest,
    configuration: loaded?.name,
    caFile: caFile && relative(terminal.directory, caFile),
  }
  terminal.out(invocation.flag('json') ? startedAsJson(started) : startedInWords(started))
  return untilStopped(stop, terminal, { waitMs, graceMs, lingerMs: LINGER_MS }, (how) => gateway.close(how))
}

// Faults of the server that are sentences for the operator already.
const OWN_FAULTS: ReadonlySet<string> = new Set(['ERR_PORT_NOT_SHARED', 'ERR_UPSTREAM_FILE', 'ERR_PLACE'])

async function start(
  server: ServerPackage,
  { admin, isAdminByDefault, workers }: ServeSettings,
  terminal: Terminal,
  options: GatewayOptions,
): Promise<Gateway | Fleet> {
  const run = (all: GatewayOptions) =>
    workers > 1 ? server.startFleet({ ...all, workers }) : server.startGateway(all)
  try {
    return await run({ ...options, admin })
  } catch (error) {
    const { code, message, name } = error as NodeJS.ErrnoException
    if (name === 'TlsMaterialFault') throw new Failure(message, { cause: error })
    if (code !== undefined && OWN_FAULTS.has(code)) throw new Failure(message, { cause: error })
    if (!isOfAdmin(error, admin, options)) throw listenFailure(error, options.listen) ?? error
    const where = admin !== false && admin.path !== undefined ? admin.path : `port ${admin ? admin.port : ''}`
    if (!isAdminByDefault)
      throw new Failure(
        `the admin listener can't have ${where} (${code}); choose another with --admin HOST:PORT`,
        { cause: error },
      )
    terminal.err(
      `warning: ${where} is taken, so there is no admin listener; choose another with --admin HOST:PORT, or say --admin off`,
    )
    return run({ ...options, admin: false })
  }
}

// The system names the address that it refused.
function isOfAdmin(error: unknown, admin: ServeSettings['admin'], { listen }: GatewayOptions): boolean {
  const { syscall, address, port } = error as { syscall?: string; address?: string; port?: number }
  if (admin === false || syscall !== 'listen') return false
  if (admin.path !== undefined) return address === admin.path
  return port === admin.port && port !== listen.port
}

// The conventions of daemons: read the files anew, and replace the processes.
function hearSignals(gateway: Gateway | Fleet, terminal: Terminal): void {
  process.on('SIGHUP', () => {
    void gateway.reopenLog()
    void gateway.reload()
  })
  if ('restart' in gateway)
    process.on('SIGUSR2', () => {
      terminal.err('Replacing the processes one by one.')
      gateway.restart().then(
        () => terminal.err('Every process is a new one.'),
        (error: Error) => terminal.err(`The restart stopped: ${error.message}; what ran goes on.`),
      )
    })
}

// Where TLS ends is the policy's to say; the command line only brings the certificate.
async function tlsOf(
  { certificate, tls }: ServeSettings,
  chosen: PolicyChoice,
  server: ServerPackage,
  folder: string,
): Promise<{ readonly tls?: TlsFiles; readonly caFile?: string }> {
  if (!endsTlsHere(chosen)) {
    if (certificate || tls)
      throw new Failure(
        `${chosen.source} says that TLS ends in front of this listener, and ${certificate ? 'a certificate' : '"tls"'} is given; write transport: { tls: "here" } in the policy, or leave ${certificate ? '--cert and --key' : 'it'} out`,
      )
    return {}
  }
  if (certificate) {
    const { cert, key } = certificate
    // Tried here as well, so that what is wrong names its option.
    await readCertificate(cert, key)
    return { tls: { ...tls, certificates: [{ cert: cert.path, key: key.path }] } }
  }
  if (tls?.certificates) return { tls }
  const { caFile } = await certificateIn(server, folder)
  return { ...(tls ? { tls } : {}), caFile }
}
