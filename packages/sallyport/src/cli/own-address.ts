// Whether an upstream is the very address on which the gateway will listen: every request would come back to it, until
// its connections are used up.

import { isIPv6 } from 'node:net'
import { networkInterfaces } from 'node:os'

/** Every address of this machine, loopback included. */
function machineAddresses(): readonly string[] {
  return Object.values(networkInterfaces()).flatMap((each) => (each ?? []).map(({ address }) => address))
}

/**
 * True where connections to `upstream` would arrive at a listener on `host` and `port`. Port 0 is a free one, where
 * nothing else can have been meant.
 *
 * @param upstream an origin
 * @param own the addresses of this machine; for a listener on all of them
 */
export function isOwnAddress(
  upstream: string,
  { host, port }: { readonly host: string; readonly port: number },
  own: readonly string[] = machineAddresses(),
): boolean {
  const url = new URL(upstream)
  if (Number(url.port || (url.protocol === 'https:' ? 443 : 80)) !== port) return false
  const listener = canonical(host)
  const targets = addressesOf(url.hostname)
  // A listener on `::` takes IPv4 too.
  const isEverywhere = (target: string) => listener === '[::]' || (listener === '0.0.0.0' && !isV6(target))
  const mine = new Set(own.map(canonical))
  return targets.some(
    (target) =>
      addressesOf(listener).includes(target) ||
      (isEverywhere(target) && (target.startsWith('127.') || mine.has(target))),
  )
}

const isV6 = (host: string): boolean => host.startsWith('[')

// What a URL makes of it: lower case, addresses in their shortest form, IPv6 in brackets.
function canonical(host: string): string {
  const text = `http://${isIPv6(host) ? `[${host}]` : host}/`
  return URL.canParse(text) ? new URL(text).hostname : host
}

// To connect to "any address" is to connect to loopback.
function addressesOf(host: string): readonly string[] {
  if (host === 'localhost' || host.endsWith('.localhost')) return ['127.0.0.1', '[::1]']
  if (host === '0.0.0.0') return ['127.0.0.1']
  return host === '[::]' ? ['127.0.0.1', '[::1]'] : [host]
}
