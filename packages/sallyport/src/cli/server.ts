// The only place that knows @sallyport/server, and it is loaded when it is needed: the library works without it.

import { readdirSync } from 'node:fs'
import type { PolicyDocument } from '../guard/policy.ts'
import { Failure } from './failure.ts'

/** The part of @sallyport/server that the command uses. */
export interface ServerPackage {
  startGateway(options: GatewayOptions): Promise<Gateway>
  startFleet(options: GatewayOptions & { readonly workers: number }): Promise<Fleet>
  loadConfiguration(path: string | undefined, directory: string): Promise<LoadedConfiguration | undefined>
  checkPlaces(loaded: LoadedConfiguration): void
  startSampleUpstream(options: { readonly port: number }): Promise<Sample>
  sampleKeys(options: SampleKeysWish): Promise<SampleKeys>
  localCertificate(options: { readonly folder: string }): Promise<Certificate & { readonly caFile: string }>
}

/** What a gateway is started with. */
export interface GatewayOptions {
  readonly policy: PolicyDocument
  readonly upstream?: string
  readonly upstreams?: Upstreams
  readonly routes?: Readonly<Record<string, string>>
  readonly listen: Listen
  readonly http2?: boolean
  readonly tls?: Certificate | TlsFiles
  /** Where the local certificate is kept. */
  readonly stateFolder?: string
  /** The folder with what stands beside the policy on its page. */
  readonly postureFolder?: string
  /** Serves /v1/status and its stream. */
  readonly status?: boolean
  readonly admin?: Admin
  readonly accessLog?: AccessLog
  readonly places?: Places
  readonly source?: {
    readonly name: string
    readonly files: readonly string[]
    load(): Promise<{
      readonly policy: PolicyDocument
      readonly configuration?: {
        readonly upstreams?: Upstreams
        readonly routes?: Readonly<Record<string, string>>
        /** Names of settings that have changed and take a restart. */
        readonly takesRestart: readonly string[]
      }
    }>
  }
  readonly onDrain?: () => void
  readonly log?: (event: GatewayEvent) => void
}

/** Where requests are taken. */
export interface Listen {
  readonly host: string
  readonly port: number
  readonly proxyProtocol?: ProxyProtocol
}

/** Which peers begin their connections with a PROXY protocol header. */
interface ProxyProtocol {
  readonly from?: readonly string[]
}

/** The APIs behind, by name; what else is said of each is the server's to read. */
type Upstreams = Readonly<Record<string, { readonly urls?: readonly string[] }>>

/** Where records, counters and secrets are; what is said of each is the server's to read. */
export interface Places {
  readonly store?: { readonly folder?: string; readonly urlFrom?: string }
  readonly counters?: object
  readonly secrets?: object
  readonly alerts?: readonly object[]
  readonly backups?: object
}

/** Where the operator's listener is. */
export type Admin =
  | false
  | {
      readonly host?: string
      readonly port?: number
      readonly path?: string
      readonly hosts?: readonly string[]
      readonly allowNonLoopback?: boolean
    }

/** Where the access log goes. */
export type AccessLog = false | 'stdout' | { readonly file?: string }

/** A gateway configuration, checked, its paths absolute. */
export interface LoadedConfiguration {
  readonly name: string
  readonly file: string
  readonly configuration: {
    readonly listeners?: readonly {
      readonly host?: string
      readonly port?: number
      readonly http2?: boolean
      readonly proxyProtocol?: ProxyProtocol
    }[]
    readonly tls?: TlsFiles
    readonly upstreams?: Upstreams
    readonly routes?: Readonly<Record<string, string>>
    readonly admin?: Admin
    readonly accessLog?: AccessLog
    readonly store?: Places['store']
    readonly counters?: object
    readonly secrets?: object
    readonly alerts?: readonly object[]
    readonly backups?: object
    readonly status?: boolean
    readonly workers?: number
    readonly drain?: { readonly waitSeconds?: number; readonly graceSeconds?: number }
  }
}

/** `tls` of a gateway configuration, as the server reads it; here only the files of the certificates matter. */
export interface TlsFiles {
  readonly certificates?: readonly { readonly cert?: string; readonly key?: string }[]
}

/** A certificate chain and its key, PEM. */
export interface Certificate {
  readonly cert: string
  readonly key: string
}

/** Something that an operator should know; nothing of it is secret. */
export interface GatewayEvent {
  readonly event: string
  readonly requestId: string
  readonly route: string
  readonly reason: string
}

/** Milliseconds: how long requests are still taken, how long they may take, how long idle connections may ask once more. */
export interface CloseOptions {
  readonly waitMs?: number
  readonly graceMs?: number
  readonly lingerMs?: number
}

/** A gateway that listens. */
export interface Gateway {
  /** By address: `https://127.0.0.1:8443`. */
  readonly url: string
  readonly adminUrl: string | undefined
  reload(): Promise<unknown>
  reopenLog(): Promise<void>
  close(options: CloseOptions): Promise<{ readonly brokenOff: number }>
}

/** Several processes as one gateway. */
export interface Fleet extends Gateway {
  restart(): Promise<void>
  readonly socketsAreHeld: boolean
}

/** The keys of the sample organisation to make. */
interface SampleKeysWish {
  readonly folder: string
  readonly vendor: string
  readonly plan: string
  readonly scopes: readonly string[]
}

/** The keys of the sample organisation. */
export interface SampleKeys {
  readonly secret: string
  readonly publishable: string
}

/** The sample API. */
export interface Sample {
  readonly url: string
  close(): Promise<void>
}

/**
 * The local certificate of a state folder.
 *
 * @throws Failure where the folder can't be used
 */
export async function certificateIn(
  server: ServerPackage,
  folder: string,
): Promise<Certificate & { readonly caFile: string }> {
  try {
    return await server.localCertificate({ folder })
  } catch (error) {
    throw new Failure(
      `--state: no certificate can be kept in ${folder}: ${(error as Error).message}; name another folder`,
      {
        cause: error,
      },
    )
  }
}

/** Whether a gateway configuration stands in a directory; the package may be missing where none does. */
export function hasConfiguration(directory: string): boolean {
  return readdirSync(directory).some((file) => /^sallyport\.gateway\./.test(file))
}

const PACKAGE: string = '@sallyport/server'

/**
 * Loads the package.
 *
 * @throws Failure where it is not installed
 */
export async function loadServer(): Promise<ServerPackage> {
  try {
    return (await import(PACKAGE)) as ServerPackage
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ERR_MODULE_NOT_FOUND' && message.includes(PACKAGE))
      throw new Failure(`the gateway is a package of its own; install it: npm install ${PACKAGE}`, {
        cause: error,
      })
    throw error
  }
}
