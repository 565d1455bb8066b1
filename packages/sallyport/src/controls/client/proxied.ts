// Who called, behind the declared proxies: from our own peer leftwards through what trusted addresses have appended,
// until the first address that is not trusted. What a caller sends stands left of that, and is never believed.

import { type Client, DirectClient, type Exchange, type Incoming, type Scheme } from '../../guard/exchange.ts'
import { type Address, formatAddress, peerAddress } from '../../policy/address.ts'
import type { CidrSet } from '../../policy/cidr.ts'
import { type ForwardedElement, parseForwardedElement } from './forwarded.ts'
import { entriesFromRight, headerLines, parseHop, withoutSpaces } from './lists.ts'

/** Which header the declared proxies write, as compiled. */
export type ForwardedBy =
  | { readonly kind: 'x-forwarded-for' | 'forwarded' | 'none' }
  | { readonly kind: 'single'; readonly header: string }

export interface ProxyRules {
  readonly trusted: CidrSet
  readonly by: ForwardedBy
  readonly forwardedHost: boolean
}

type Said = 'proto' | 'host'

/** What the declared proxies have written of the request. */
interface Found {
  readonly address: Address
  /** Read only where it is asked for. */
  said(what: Said): string | undefined
}

/** Works out the client of a request. */
export function clientBehind(rules: ProxyRules, exchange: Exchange): Client {
  const { incoming } = exchange
  const peer = peerAddress(incoming.peer)
  if (!peer || !rules.trusted.has(peer)) return new DirectClient(incoming)
  return new ProxiedClient(rules, incoming, peer)
}

class ProxiedClient implements Client {
  readonly viaProxy = true
  private readonly rules: ProxyRules
  private readonly incoming: Incoming
  private readonly peer: Address
  private foundValue: Found | undefined = undefined

  constructor(rules: ProxyRules, incoming: Incoming, peer: Address) {
    this.rules = rules
    this.incoming = incoming
    this.peer = peer
  }

  private get found(): Found {
    this.foundValue ??= find(this.rules, this.incoming, this.peer)
    return this.foundValue
  }

  get address(): string {
    return formatAddress(this.found.address)
  }

  get scheme(): Scheme {
    const scheme = this.found.said('proto')?.toLowerCase()
    return scheme === 'https' || scheme === 'http' ? scheme : 'unknown'
  }

  get host(): string | undefined {
    const forwarded = this.rules.forwardedHost ? this.found.said('host') : undefined
    return forwarded !== undefined && HOST.test(forwarded) ? forwarded : this.incoming.header('host')
  }
}

const HOST = /^(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?$/

function find(rules: ProxyRules, incoming: Incoming, peer: Address): Found {
  switch (rules.by.kind) {
    case 'none':
      return { address: peer, said: () => undefined }
    case 'single':
      return single(incoming, peer, rules.by.header)
    case 'forwarded':
      return byForwarded(rules.trusted, incoming, peer)
    case 'x-forwarded-for':
      return byXForwardedFor(rules.trusted, incoming, peer)
  }
}

// An edge overwrites its header; two lines, or what is no address, did not come from it.
function single(incoming: Incoming, peer: Address, header: string): Found {
  const lines = headerLines(incoming, header)
  const address = lines.length === 1 ? parseHop(withoutSpaces(lines[0]!)) : undefined
  return { address: address ?? peer, said: (what) => beside(incoming, what) }
}

function byXForwardedFor(trusted: CidrSet, incoming: Incoming, peer: Address): Found {
  const entries = entriesFromRight(headerLines(incoming, 'x-forwarded-for'), false)
  let address = peer
  let at = 0
  for (; at < entries.length; at++) {
    const hop = parseHop(entries[at]!)
    // What can't be read ends the chain: the last trusted hop counts.
    if (!hop) break
    address = hop
    if (!trusted.has(hop)) break
  }
  const hop = Math.min(at, entries.length - 1)
  return { address, said: (what) => beside(incoming, what, entries.length, hop) }
}

// The value that belongs to the hop, where every proxy has appended to both headers; else the rightmost, which the
// peer wrote.
function beside(incoming: Incoming, what: Said, length = -1, hop = 0): string | undefined {
  const values = entriesFromRight(headerLines(incoming, `x-forwarded-${what}`), false)
  return values.length === length ? values[hop] : values[0]
}

function byForwarded(trusted: CidrSet, incoming: Incoming, peer: Address): Found {
  let address = peer
  let last: ForwardedElement | undefined
  for (const entry of entriesFromRight(headerLines(incoming, 'forwarded'), true)) {
    const element = parseForwardedElement(entry)
    if (!element) break
    // Written by a trusted hop, so its scheme and host hold even where it hides the address.
    last = element
    if (!element.address) break
    address = element.address
    if (!trusted.has(address)) break
  }
  return { address, said: (what) => last?.[what] }
}
