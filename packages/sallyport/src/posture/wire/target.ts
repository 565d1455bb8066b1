// Where requests go: scheme, host and port of a URL, and the addresses behind the name where several servers answer.

import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'

/** A server to send requests to. */
export interface WireTarget {
  readonly scheme: 'https' | 'http'
  /** A name or an address, IPv6 without brackets; what certificates and Host are about. */
  readonly host: string
  readonly port: number
  /** Where the connection goes, if not to `host`: one replica of several. */
  readonly address?: string
  readonly addressPort?: number
  /** PEM; trusted instead of the system's roots. */
  readonly ca?: string
  /** Goes on where the certificate is not trusted; TlsFacts says that it is not. */
  readonly insecure?: boolean
}

/** Reads a URL. @throws TypeError where it is none, or has a part that can't be meant */
export function parseTarget(url: string): { readonly target: WireTarget; readonly path: string } {
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(url) ? url : `https://${url}`
  const parsed = URL.parse(text)
  if (parsed === null || (parsed.protocol !== 'https:' && parsed.protocol !== 'http:'))
    throw new TypeError(
      `expected a URL such as https://api.example.com, received ${JSON.stringify(url.slice(0, 200))}`,
    )
  if (parsed.username !== '' || parsed.password !== '')
    throw new TypeError(
      'a URL with a name or password is not taken, since URLs end up in logs; use --credential',
    )
  const scheme = parsed.protocol === 'https:' ? 'https' : 'http'
  const port = parsed.port === '' ? (scheme === 'https' ? 443 : 80) : Number(parsed.port)
  const host = parsed.hostname.replace(/^\[(.*)\]$/, '$1')
  return { target: { scheme, host, port }, path: parsed.pathname + parsed.search }
}

/** `api.example.com`, `[::1]:8443`: the value of Host, without the scheme's own port. */
export function authorityOf({ scheme, host, port }: Pick<WireTarget, 'scheme' | 'host' | 'port'>): string {
  const name = isIP(host) === 6 ? `[${host}]` : host
  return port === (scheme === 'https' ? 443 : 80) ? name : `${name}:${port}`
}

/** `https://api.example.com:8443` */
export function originOf(target: Pick<WireTarget, 'scheme' | 'host' | 'port'>): string {
  return `${target.scheme}://${authorityOf(target)}`
}

/** Where a target's connection really goes, for a reader: `192.0.2.1:443`. */
export function replicaName({ host, port, address, addressPort }: WireTarget): string {
  const name = address ?? host
  return `${isIP(name) === 6 ? `[${name}]` : name}:${addressPort ?? port}`
}

/** True where the requests stay on this machine. */
export function isLoopback({ host, address }: WireTarget): boolean {
  const name = address ?? host
  return /^127\.|^::1$|^localhost$|\.localhost$/.test(name)
}

/** The name or address to connect to. RFC 6761, section 6.3: names under `localhost` are this machine, resolver or not. */
export function connectHost({ host, address }: WireTarget): string {
  return address ?? (host.endsWith('.localhost') ? '127.0.0.1' : host)
}

/** One target for each address of the host. @throws the system's error where the name is not known */
export async function replicasOf(target: WireTarget): Promise<readonly WireTarget[]> {
  if (isIP(target.host) !== 0) return [target]
  const found = await lookup(target.host, { all: true })
  return [...new Set(found.map(({ address }) => address))].map((address) => ({ ...target, address }))
}

/** Reads `host:port` or `[::1]:8443` of a replica. @throws TypeError where it is none */
export function replicaAt(target: WireTarget, text: string): WireTarget {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^[\]:]+))(?::(\d{1,5}))?$/i.exec(text)
  if (!match || Number(match[3] ?? 1) > 65_535)
    throw new TypeError(`expected host:port of a replica, received ${JSON.stringify(text.slice(0, 200))}`)
  return {
    ...target,
    address: match[1] ?? match[2]!,
    addressPort: match[3] === undefined ? target.port : Number(match[3]),
  }
}
