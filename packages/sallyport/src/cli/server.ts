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
    /** The directory of state. */
    readonly state?: string
  }): Promise<Gateway>
  startSampleUpstream(options: { readonly port: number }): Promise<Sample>
  localCertificate(stateDirectory: string): Promise<Certificate & { readonly caPath: string }>
}

/** A certificate chain and its key, PEM. */
export interface Certificate {
  readonly cert: string
  readonly key: string
}

/** A gateway that listens. */
export interface Gateway {
  readonly url: string
  close(options: { readonly graceMs: number }): Promise<void>
}

/** The sample API. */
export interface Sample {
  readonly url: string
  close(): Promise<void>
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
