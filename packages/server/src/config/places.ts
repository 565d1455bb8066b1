// The places where a gateway makes files of its own: what is wrong with one is said before the system's error number would
// have to be understood.

import { accessSync, constants, type Stats, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { PolicyError, PolicyFileError, type PolicyProblem, problem, sentence } from 'sallyport/settings'
import { checkReach } from '../admin/reach.ts'
import type { GatewayOptions } from '../contract.ts'
import type { LoadedConfiguration } from './load.ts'

/** A file that can't be made where it was asked for. */
export class PlaceFault extends Error {
  readonly code = 'ERR_PLACE'
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'PlaceFault'
  }
}

/** What is made, and which settings name its place. */
interface Made {
  readonly kind: 'file' | 'socket'
  /** In a sentence: `the access log`. */
  readonly noun: string
  readonly setting: string
  readonly option: string
}

const ACCESS_LOG: Made = {
  kind: 'file',
  noun: 'the access log',
  setting: 'accessLog.file',
  option: '--access-log',
}
const ADMIN_SOCKET: Made = {
  kind: 'socket',
  noun: "the admin listener's socket",
  setting: 'admin.path',
  option: '--admin',
}

function checkPlace(made: Made, path: string): void {
  const fault = faultOf(made, path)
  if (fault === undefined) return
  const [what, mend] = fault
  throw new PlaceFault(
    `${made.noun} can't be made at ${path}: ${what}; ${mend}, or name another place with ${made.option} or ${made.setting}`,
  )
}

/**
 * Looks at what a gateway will listen on and write to, before anything of it is open.
 *
 * @throws PolicyError where other machines can reach the admin listener and nobody said that they may; PlaceFault
 */
export function checkOwnPlaces(given: Pick<GatewayOptions, 'admin' | 'accessLog'>): void {
  const { admin, accessLog } = given
  checkReach(admin)
  if (admin && admin.path !== undefined) checkPlace(ADMIN_SOCKET, admin.path)
  if (typeof accessLog === 'object' && accessLog.file !== undefined) checkPlace(ACCESS_LOG, accessLog.file)
}

/**
 * Looks at the places of a configuration as they are on this machine now.
 *
 * @throws PolicyFileError with a line for each that can't be used
 */
export function checkPlaces({ name, configuration: { accessLog, admin } }: LoadedConfiguration): void {
  const problems: PolicyProblem[] = []
  const look = (made: Made, path: string) => {
    const fault = faultOf(made, path)
    if (fault === undefined) return
    const [what, mend] = fault
    problems.push(problem(made.setting, 'value', what, path, mend))
  }
  if (typeof accessLog === 'object' && accessLog.file !== undefined) look(ACCESS_LOG, accessLog.file)
  if (admin && admin.path !== undefined) look(ADMIN_SOCKET, admin.path)
  if (problems.length === 0) return
  const lines = problems.map((found) => `${name}: ${sentence(found)}`)
  throw new PolicyFileError(name, lines.join('\n'), { cause: new PolicyError(problems) })
}

function faultOf({ kind }: Made, path: string): readonly [what: string, mend: string] | undefined {
  const folder = dirname(path)
  const parent = statOf(folder)
  if (parent === undefined) return [`there is no folder ${folder}`, 'make it']
  if (!parent.isDirectory()) return [`${folder} is no folder`, 'make it one']
  const found = statOf(path)
  if (found === undefined)
    return may(folder, constants.W_OK | constants.X_OK)
      ? undefined
      : [`this user may make nothing in ${folder}`, 'let it write there']
  if (kind === 'socket')
    return found.isSocket() ? undefined : ['something else than a socket is there', 'move it away']
  if (found.isDirectory()) return ['there is a folder of that name', 'write the name of a file']
  return may(path, constants.W_OK) ? undefined : ['this user may not write to it', 'let it']
}

// What can't be looked at can't be used either.
function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false })
  } catch {
    return undefined
  }
}

function may(path: string, mode: number): boolean {
  try {
    accessSync(path, mode)
    return true
  } catch {
    return false
  }
}
