// The only place that knows @sallyport/server, and it is loaded when it is needed: the library works without it.

import type { PolicyDocument } from '../guard/policy.ts'
import { Failure } from './failure.ts'

/** The part of @sallyport/server that the command uses. */
export interface ServerPackage {
  startGateway(options: {
    readonly policy: PolicyDocument
    readonly upstream: string
    readonly listen: { readonly host: string; readonly port: number }
    readonly tls?: Certificate
    /** Serves /v1/status and its stream. */
    readonly status?: boolean
    readonly log?: (event: GatewayEvent) => void
  }): Promise<Gateway>
  startSampleUpstream(options: { readonly port: number }): Promise<Sample>
  localCertificate(options: { readonly folder: string }): Promise<Certificate & { readonly caFile: string }>
}

/** A certificate chain and its key, PEM. */
export interface Certificate {
  readonly cert: string
  readonly key: string
}

/** Something that an operator should know; nothing of it is secret. */
interface GatewayEvent {
  readonly event: string
  readonly requestId: string
  readonly route: string
  readonly reason: string
}

/** A gateway that listens. */
export interface Gateway {
  /** By address: `https://127.0.0.1:8443`. */
  readonly url: string
  close(options: { readonly graceMs: number }): Promise<{ readonly brokenOff: number }>
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
