// Finds and reads the gateway configuration, and makes its paths absolute: they are seen from the file.

import { stat } from 'node:fs/promises'
import { dirname, relative, resolve } from 'node:path'
import { type FileKind, loadFresh, PolicyError, PolicyFileError, sentence } from 'sallyport/settings'
import type { PlacesSetting } from '../services/setting.ts'
import { absoluteTls } from '../tls/setting.ts'
import type { UpstreamsSetting } from '../upstream/setting.ts'
import { type GatewayConfiguration, readConfiguration } from './setting.ts'

const NAMES = ['ts', 'mts', 'js', 'mjs', 'json'].map((ending) => `sallyport.gateway.${ending}`)

const KIND: FileKind = {
  noun: 'a gateway configuration',
  whenMissing: 'name another',
  example: 'export default { … }',
}

/** A configuration and the file it came from. */
export interface LoadedConfiguration {
  readonly configuration: GatewayConfiguration
  readonly file: string
  /** As the operator knows it. */
  readonly name: string
}

/**
 * Reads the configuration at `path`, or the one of the directory; `undefined` where there is none. Always from the file
 * as it is now.
 *
 * @throws PolicyFileError, with a line for each mistake as `sallyport check` writes it
 */
export async function loadConfiguration(
  path: string | undefined,
  directory: string,
): Promise<LoadedConfiguration | undefined> {
  const file = path === undefined ? await find(directory) : resolve(directory, path)
  if (file === undefined) return undefined
  const name = path ?? (relative(directory, file) || file)
  const value = await loadFresh(file, name, KIND)
  try {
    return { configuration: absolute(readConfiguration(value), dirname(file)), file, name }
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error
    const lines = error.problems.map((problem) => `${name}: ${sentence(problem)}`)
    throw new PolicyFileError(name, lines.join('\n'), { cause: error })
  }
}

async function find(directory: string): Promise<string | undefined> {
  const found: string[] = []
  for (const name of NAMES)
    if ((await stat(resolve(directory, name)).catch(() => undefined))?.isFile()) found.push(name)
  if (found.length > 1)
    throw new PolicyFileError(
      undefined,
      `there are ${found.join(' and ')} here; keep one of them, or name the one meant`,
    )
  return found[0] === undefined ? undefined : resolve(directory, found[0])
}

function absolute(configuration: GatewayConfiguration, folder: string): GatewayConfiguration {
  const { tls, upstreams, admin, accessLog } = configuration
  const at = (path: string | undefined) => (path === undefined ? {} : { path: resolve(folder, path) })
  return {
    ...configuration,
    ...(tls ? { tls: absoluteTls(tls, folder) } : {}),
    ...(upstreams ? { upstreams: absoluteUpstreams(upstreams, folder) } : {}),
    ...(admin ? { admin: { ...admin, ...at(admin.path) } } : {}),
    ...absolutePlaces(configuration, folder),
    ...(typeof accessLog === 'object' ? { accessLog: { file: resolve(folder, accessLog.file ?? '') } } : {}),
  }
}

// A bare name is looked for in the PATH; a path is seen from the file.
function absoluteCommand([program, ...words]: readonly string[], folder: string): readonly string[] {
  return [program!.includes('/') ? resolve(folder, program!) : program!, ...words]
}

function absolutePlaces(
  { store, secrets, alerts, backups }: GatewayConfiguration,
  folder: string,
): PlacesSetting {
  return {
    ...(backups
      ? {
          backups: {
            folder: resolve(folder, backups.folder!),
            recipient: resolve(folder, backups.recipient!),
          },
        }
      : {}),
    ...(alerts
      ? {
          alerts: alerts.map((alert) =>
            alert.command ? { ...alert, command: absoluteCommand(alert.command, folder) } : alert,
          ),
        }
      : {}),
    ...(store
      ? {
          store: {
            ...store,
            ...(store.folder === undefined ? {} : { folder: resolve(folder, store.folder) }),
          },
        }
      : {}),
    ...(secrets
      ? {
          secrets: Object.fromEntries(
            Object.entries(secrets).map(([name, secret]) => [
              name,
              secret.file === undefined ? secret : { ...secret, file: resolve(folder, secret.file) },
            ]),
          ),
        }
      : {}),
  }
}

function absoluteUpstreams(upstreams: UpstreamsSetting, folder: string): UpstreamsSetting {
  return Object.fromEntries(
    Object.entries(upstreams).map(([name, setting]) => {
      if (setting.tls === undefined) return [name, setting]
      const { serverName, ...files } = setting.tls
      const named = Object.entries(files).map(([what, path]) => [what, resolve(folder, path!)])
      return [
        name,
        {
          ...setting,
          tls: { ...Object.fromEntries(named), ...(serverName === undefined ? {} : { serverName }) },
        },
      ]
    }),
  )
}
