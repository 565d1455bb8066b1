// Who can reach the admin listener. It has no password (decision 12), so an address that other machines can reach must be
// wished for in so many words.

import { isIP } from 'node:net'
import { PolicyError, type PolicyProblem, problem } from 'sallyport/settings'
import type { AdminSetting } from './setting.ts'

/** True where only this machine can connect: a Unix socket, `localhost`, 127.0.0.0/8, `::1`. */
export function isLocal(setting: Exclude<AdminSetting, false>): boolean {
  const { path, host = '127.0.0.1' } = setting
  if (path !== undefined || host.toLowerCase() === 'localhost') return true
  // Any other name is what a resolver makes of it.
  return isIP(host) === 4 ? host.startsWith('127.') : /^(?:0{0,4}:)+0{0,3}1$/.test(host)
}

/** What is wrong with where it is; `undefined` where nothing is. */
export function reachProblem(setting: AdminSetting | undefined): PolicyProblem | undefined {
  if (!setting || setting.allowNonLoopback === true || isLocal(setting)) return undefined
  return problem(
    'admin.host',
    'insecure',
    'other machines can reach this address, and the admin listener has no password',
    setting.host,
    'write "127.0.0.1", or a path for a Unix socket; where a network of your own guards it, write allowNonLoopback: true beside it in the gateway configuration',
  )
}

/** @throws PolicyError where other machines can reach it and nobody said that they may */
export function checkReach(setting: AdminSetting | undefined): void {
  const found = reachProblem(setting)
  if (found !== undefined) throw new PolicyError([found])
}
