// Whose bucket a request takes from: a principal by the policy's choice, an address by its prefix. The first character
// tells the kinds apart, so no organisation can be named after an address.

import type { Principal } from '../../guard/principal.ts'
import { parseAddress } from '../../policy/address.ts'
import type { LimitsSetting } from './setting.ts'

/** The key of a principal's buckets. */
export function principalKey(principal: Principal, by: LimitsSetting['by'] = 'organisation'): string {
  const { organisation, subject, credential } = principal
  if (by === 'organisation') return `o:${organisation}`
  // A token's id is new with every token, so it is no caller: whoever asks for tokens would have a bucket for each.
  if (by === 'key' && credential.kind === 'key') return `k:${credential.id}`
  return `u:${organisation.length}:${organisation}:${subject ?? ''}`
}

/** The key of an address's buckets; `undefined` where it is not known. @param prefix bits of an IPv6 address */
export function addressKey(address: string | undefined, prefix: number): string | undefined {
  if (address === undefined) return undefined
  // As it is, since it begins with a digit: text that is put together is copied again before it is hashed.
  if (!address.includes(':')) return address
  const parsed = parseAddress(address)
  if (parsed === undefined) return undefined
  let key = `a${prefix}`
  for (let at = 0; at * 32 < prefix; at++) {
    const bits = Math.min(32, prefix - at * 32)
    key += `:${(bits === 32 ? parsed.words[at]! : (parsed.words[at]! & (0xffffffff << (32 - bits))) >>> 0).toString(36)}`
  }
  return key
}
