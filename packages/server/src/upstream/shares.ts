// What all requests share, counted so that no single client has all of it: a total, and a part for each network.

import type { Exchange } from 'sallyport/node'

/** Units of one resource, given out and taken back. */
export interface Shares {
  /** False where the total, or the part of this client, is used up; then nothing was taken. */
  take(client: string | undefined, units: number): boolean
  give(client: string | undefined, units: number): void
}

const NAMES_KEPT = 1_024

/** @param perClient units that one client may hold; clients without a name have only the total */
export function createShares(total: number, perClient: number): Shares {
  // Those who have taken something, which is as bounded as the total is, and some who had: a name that comes and goes
  // with each request costs more than one that stays.
  const held = new Map<string, number>()
  let taken = 0
  return {
    take(client, units) {
      const own = client === undefined ? 0 : (held.get(client) ?? 0)
      if (taken + units > total || (client !== undefined && own + units > perClient)) return false
      taken += units
      if (client !== undefined && units > 0) held.set(client, own + units)
      return true
    },
    give(client, units) {
      taken -= units
      if (client === undefined || units === 0) return
      const left = (held.get(client) ?? 0) - units
      if (left > 0 || held.size <= NAMES_KEPT) held.set(client, left)
      else held.delete(client)
    },
  }
}

/**
 * The name by which a client's share is counted: its IPv4 address, or the /64 of its IPv6 address, since whoever has
 * one address of it has all. `undefined` where the address is that of a front rather than of a client: its share would
 * be everybody's.
 */
export function shareKey(exchange: Exchange): string | undefined {
  const { client, incoming } = exchange
  const { address } = client
  if (address === undefined) return undefined
  if (client.viaProxy ? address === incoming.peer?.replace(/^::ffff:/, '') : client.scheme === 'unknown')
    return undefined
  return network(address)
}

/** The /64 of an IPv6 address in canonical text; any other address as it is. */
export function network(address: string): string {
  if (!address.includes(':')) return address
  const [head = '', tail] = address.split('::')
  const groups = head === '' ? [] : head.split(':')
  if (tail !== undefined) {
    const after = tail === '' ? [] : tail.split(':')
    while (groups.length + after.length < 8) groups.push('0')
    groups.push(...after)
  }
  return `${groups.slice(0, 4).join(':')}::/64`
}
