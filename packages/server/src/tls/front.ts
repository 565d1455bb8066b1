// TLS at the listener: which certificate a connection gets, what a client must bring, and how all of it is replaced while
// connections are open. New connections get the new; those that are open keep what they began with.

import type { Server, ServerOptions as TlsOptions } from 'node:https'
import type { SecureContext, TLSSocket } from 'node:tls'
import { clientCertificateOf, forwardClientCertificate } from 'sallyport/node'
import { certificateWatch } from '../admin/certificate-state.ts'
import { contextOptions, followKeys, type MinVersion, makeContext } from './contexts.ts'
import { type ListenerCertificate, type Material, readMaterial, type Served } from './material.ts'
import { type NameTable, nameTable } from './names.ts'
import type { TlsSetting } from './setting.ts'
import { freshSecret, keepTicketFile, openTicketFile } from './ticket-file.ts'
import { createTicketKeys, type DaySecret, dayOf, type TicketKeys } from './ticket-keys.ts'

/** What TLS at a listener is made with. */
export interface TlsFrontOptions {
  /** PEM texts, or files; the local certificate where there is neither. */
  readonly given: ListenerCertificate | TlsSetting | undefined
  /** Where the local certificate is kept. */
  readonly folder: string
  readonly minVersion: MinVersion
  readonly clock: () => number
  /** The secret of the tickets of several processes, where a parent gives it; 32 bytes. */
  readonly ticketSecret?: DaySecret | undefined
  /** Hears of connections that were closed. */
  readonly onRefused: (why: string) => void
  /** Takes a sentence for the operator: work in the background that failed, a certificate that ends soon. */
  readonly onFault: (sentence: string) => void
}

/** TLS at a listener. */
export interface TlsFront {
  /** What a server is made with. */
  serverOptions(http2: boolean): TlsOptions
  /** Keeps a server that was made with these options up to date. */
  keep(server: Server): void
  /** Whether a connection whose handshake is done may go on; one that may not is told of. */
  admits(socket: TLSSocket): boolean
  /**
   * Reads all files anew, aside; what it returns lets new connections have it.
   *
   * @throws TlsMaterialFault
   */
  prepare(): Promise<() => readonly string[]>
  /** What is done once in a while: the local certificate is renewed, and the secret of the tickets is kept. */
  tend(): Promise<void>
  readonly served: readonly Served[]
}

const HANDSHAKE_TIMEOUT_MS = 10_000

interface Active {
  readonly material: Material
  readonly keys: TicketKeys
  readonly contexts: readonly SecureContext[]
  readonly byName: NameTable<SecureContext>
}

/** @throws TlsMaterialFault; Error where the file of the ticket keys can't be used */
export async function createTlsFront(options: TlsFrontOptions): Promise<TlsFront> {
  const { given, folder, minVersion, clock } = options
  const setting: TlsSetting = given !== undefined && !('cert' in given) ? given : {}
  const clients = setting.clientCertificates
  const mode = clients && (clients.mode ?? 'require')
  const ticketFile = setting.ticketKeys?.file
  const servers: Server[] = []
  let secret =
    ticketFile === undefined
      ? (options.ticketSecret ?? freshSecret(clock()))
      : await openTicketFile(ticketFile, clock())
  let keptDay = secret.day
  let followsKeys = true
  let keysDay = dayOf(clock())
  let active = activate(await readMaterial(given, folder, clock))
  warn(active.material)

  function activate(material: Material): Active {
    // A session that was let in by other authorities must not be resumed.
    const keys = createTicketKeys(secret, clock, `${minVersion} ${material.trust}`)
    const contexts = material.served.map((one) => makeContext(optionsOf(one, material, keys), keys))
    const byName = nameTable(material.served.map(({ names }, index) => [names, contexts[index]!]))
    return { material, keys, contexts, byName }
  }

  function warn({ served }: Material): void {
    for (const sentence of certificateWatch(() => served, clock)().warnings) options.onFault(sentence)
  }

  function optionsOf(one: Served, { ca }: Material, keys: TicketKeys) {
    return contextOptions({ ...one, ...(ca === undefined ? {} : { ca }) }, minVersion, keys)
  }

  function apply(server: Server): void {
    const { material, keys } = active
    server.setSecureContext(optionsOf(material.served[0], material, keys))
    // The server makes the context of those who ask for no name by itself, and hides it.
    const own = (server as { readonly _sharedCreds?: SecureContext })._sharedCreds
    followsKeys = own !== undefined && followKeys(own, keys)
    keysDay = dayOf(clock())
  }

  function use(material: Material): void {
    secret = active.keys.kept()
    active = activate(material)
    warn(material)
    for (const server of servers) apply(server)
  }

  return {
    serverOptions: (http2) => ({
      ...optionsOf(active.material.served[0], active.material, active.keys),
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      // Whoever speaks neither is refused by an alert (RFC 7301, section 3.2).
      ALPNProtocols: http2 ? ['h2', 'http/1.1'] : ['http/1.1'],
      SNICallback(serverName, done) {
        const found = active.byName.find(serverName)
        if (found === undefined && setting.unknownNames === 'refuse') {
          options.onRefused('tls: no certificate for the name')
          done(new Error('no certificate for this name'))
        } else done(null, found)
      },
      // Whether it holds is judged when the handshake is done: Node closes without a word to anybody.
      ...(clients ? { requestCert: true, rejectUnauthorized: false } : {}),
    }),
    keep(server) {
      servers.push(server)
      apply(server)
    },
    admits(socket) {
      if (mode === undefined) return true
      const why = faultOf(socket, mode === 'require', clock())
      if (why !== undefined) {
        options.onRefused(`client-certificate: ${why}`)
        return false
      }
      if (clients?.forward === true) forwardClientCertificate(socket)
      return true
    },
    async prepare() {
      const next = await readMaterial(given, folder, clock)
      const changed = next.served.filter(
        ({ cert }) => !active.material.served.some((one) => one.cert === cert),
      )
      const isSame =
        changed.length === 0 &&
        next.served.length === active.material.served.length &&
        next.trust === active.material.trust
      return () => {
        if (isSame) return []
        const isTrustNew = next.trust !== active.material.trust
        use(next)
        return [
          ...changed.map(
            ({ label, validTo }) =>
              `the certificate for ${label} is new, and valid until ${new Date(validTo).toISOString()}`,
          ),
          ...(isTrustNew ? ['the authorities of clients are new'] : []),
        ]
      }
    },
    async tend() {
      const kept = active.keys.kept()
      if (!followsKeys && keysDay !== dayOf(clock())) use(active.material)
      if (ticketFile !== undefined && kept.day !== keptDay) {
        keptDay = kept.day
        await keepTicketFile(ticketFile, kept).catch((error: Error) =>
          options.onFault(`tls.ticketKeys.file: can’t be written: ${error.message}`),
        )
      }
      if (given !== undefined && ('cert' in given || setting.certificates !== undefined)) return
      const { material } = active
      await readMaterial(given, folder, clock).then(
        (next) => next.served[0].cert !== material.served[0].cert && use(next),
        (error: Error) => options.onFault(`the local certificate can’t be renewed: ${error.message}`),
      )
    },
    get served() {
      return active.material.served
    },
  }
}

// RFC 8446, section 4.4.2.4.
function faultOf(socket: TLSSocket, isRequired: boolean, now: number): string | undefined {
  const certificate = socket.getPeerX509Certificate()
  if (certificate === undefined) return isRequired ? 'none' : undefined
  if (clientCertificateOf(socket) === undefined) return String(socket.authorizationError ?? 'not verified')
  // A session may outlive the certificate by which it was let in.
  if (certificate.validToDate.getTime() <= now) return 'CERT_HAS_EXPIRED'
  return undefined
}
