// A Request as the guard reads it. Its host has already joined repeated headers and resolved dot segments, so the
// raw list is empty and the target is the URL's.

import type { Incoming } from '../../guard/exchange.ts'

type PeerOption = ((request: Request, ...rest: unknown[]) => string | undefined) | undefined

export class FetchIncoming implements Incoming {
  readonly method: string
  readonly target: string
  readonly rawHeaders: readonly string[] = []
  // Fetch hosts hide the version; only a request that they could read comes here.
  readonly httpVersion = '1.1'
  readonly encrypted: boolean
  private readonly request: Request
  private readonly rest: readonly unknown[]
  private readonly peerOption: PeerOption
  private readonly authority: string

  constructor(request: Request, rest: readonly unknown[], peer: PeerOption) {
    this.request = request
    this.rest = rest
    this.peerOption = peer
    this.method = request.method
    const { url } = request
    this.encrypted = url.startsWith('https:')
    const scheme = url.indexOf('://')
    // Bun shows the bare target where it could make no URL of it: no Host line, or one that is no host.
    const bare = url.startsWith('/') || scheme < 0
    const host = bare ? 0 : scheme + 3
    const path = bare ? 0 : afterAuthority(url, host)
    const hash = url.indexOf('#', path)
    const target = url.slice(path, hash < 0 ? undefined : hash)
    this.authority = url.slice(host, path)
    this.target = target.startsWith('/') ? target : `/${target}`
  }

  get peer(): string | undefined {
    return this.peerOption
      ? this.peerOption(this.request, ...this.rest)
      : hostPeer(this.request, this.rest[0])
  }

  header(name: string): string | undefined {
    const value = this.request.headers.get(name)
    if (value !== null) return value
    // HTTP/2 has no Host line, and some hosts show none; the URL was made from what took its place.
    return name === 'host' && this.authority !== '' ? this.authority : undefined
  }

  async body(maxBytes: number): Promise<Uint8Array | 'too-large' | 'cut'> {
    const chunks: Uint8Array[] = []
    let length = 0
    try {
      const reader = this.request.body?.getReader()
      if (reader === undefined) return new Uint8Array()
      for (let part = await reader.read(); !part.done; part = await reader.read()) {
        length += part.value.length
        if (length > maxBytes) {
          reader.cancel().catch(() => {})
          return 'too-large'
        }
        chunks.push(part.value)
      }
    } catch {
      return 'cut'
    }
    const whole = new Uint8Array(length)
    let at = 0
    for (const chunk of chunks) {
      whole.set(chunk, at)
      at += chunk.length
    }
    return whole
  }
}

function afterAuthority(url: string, from: number): number {
  for (let i = from; i < url.length; i++) {
    const c = url.charCodeAt(i)
    if (c === 47 || c === 63 || c === 35) return i
  }
  return url.length
}

interface BunServer {
  requestIP(request: Request): { address: string } | null
}

// What the hosts hand over beside the request: Bun its server, Deno its info, Hono's Node server its bindings.
function hostPeer(request: Request, info: unknown): string | undefined {
  if (typeof info !== 'object' || info === null) return undefined
  const host = info as {
    requestIP?: unknown
    remoteAddr?: { hostname?: unknown }
    incoming?: { socket?: { remoteAddress?: unknown } }
  }
  const address =
    typeof host.requestIP === 'function'
      ? (info as BunServer).requestIP(request)?.address
      : (host.remoteAddr?.hostname ?? host.incoming?.socket?.remoteAddress)
  return typeof address === 'string' ? address : undefined
}
