// Who may ask the admin listener. It has no password, so a browser on the same machine must not be made to ask it for a
// foreign page: neither by a name that points here (DNS rebinding) nor by a form or a script (cross-site requests).

import { isIP } from 'node:net'

/** The parts of a request that decide. */
export interface Asked {
  readonly method: string
  header(name: string): string | undefined
}

/** Whom the listener takes for itself. */
export interface GateOptions {
  /** Host names besides localhost and addresses. */
  readonly hosts: readonly string[]
  /** True on a Unix socket: no browser can reach it, and its clients send any Host. */
  readonly isSocket: boolean
}

/** The header that a request which changes something must carry. */
export const CHANGE_HEADER = 'x-sallyport-admin'

/** Why a request is refused; `undefined` lets it in. */
export type GateFault = 'host' | 'origin' | 'header'

/**
 * A name that a foreign page was loaded from is in no list; an address is what no foreign page has for its name. A page
 * of another origin can't set a header of its own choosing without asking first (Fetch standard, CORS-preflight), and no
 * preflight is answered here.
 */
export function gateFault(asked: Asked, { hosts, isSocket }: GateOptions): GateFault | undefined {
  const host = asked.header('host') ?? ''
  if (!isSocket && !isOwnHost(host, hosts)) return 'host'
  const origin = asked.header('origin')
  if (origin !== undefined && !isSameOrigin(origin, host)) return 'origin'
  const site = asked.header('sec-fetch-site')
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return 'origin'
  if (asked.method !== 'GET' && asked.method !== 'HEAD' && asked.header(CHANGE_HEADER) === undefined)
    return 'header'
  return undefined
}

function isOwnHost(host: string, hosts: readonly string[]): boolean {
  const name = hostName(host)
  return name === 'localhost' || isIP(name) !== 0 || hosts.includes(name)
}

// `[::1]:9901` → `::1`, `Name:9901` → `name`.
function hostName(host: string): string {
  if (host.startsWith('[')) return host.slice(1, Math.max(1, host.indexOf(']')))
  const colon = host.indexOf(':')
  return (colon < 0 ? host : host.slice(0, colon)).toLowerCase()
}

function isSameOrigin(origin: string, host: string): boolean {
  return origin.toLowerCase() === `http://${host.toLowerCase()}`
}
