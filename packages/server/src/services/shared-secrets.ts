// All gateways of one store must have the same secrets: with another pepper of its own each would give an account a budget
// of guesses of its own, and with another key of the log none could check what the others sign.

import { createHmac } from 'node:crypto'
import { type Queries, sharedSecretPut } from '@sallyport/store'
import { PlaceFault } from '../config/places.ts'
import type { Secrets } from './secrets.ts'

/** @throws PlaceFault where the guesses of another gateway of the store are counted under another secret */
export async function expectSharedLockout(store: Queries, secrets: Secrets): Promise<void> {
  const fault = await faultOf(store, secrets, 'lockout', secrets.get('lockout')!)
  if (fault !== undefined) throw new PlaceFault(fault)
}

/** The secret by which the log is signed, or why there is none: events are kept all the same, so the API need not wait. */
export async function logSecret(
  store: Queries,
  secrets: Secrets,
): Promise<{ readonly secret: string } | { readonly problem: string }> {
  try {
    const secret = secrets.get('audit')!
    const fault = await faultOf(store, secrets, 'audit', secret)
    return fault === undefined ? { secret } : { problem: fault }
  } catch (error) {
    if (error instanceof PlaceFault) return { problem: error.message }
    throw error
  }
}

async function faultOf(
  store: Queries,
  secrets: Secrets,
  name: 'lockout' | 'audit',
  secret: string,
): Promise<string | undefined> {
  const label = createHmac('sha256', secret).update('sallyport shared secret').digest('hex').slice(0, 16)
  const [row] = await store.query(sharedSecretPut, [name, label])
  return row !== undefined
    ? undefined
    : `secrets.${name}: the gateways of this store work with another secret${secrets.own.has(name) ? ', and this one was made here' : ''}; give all of them the same under "secrets" (the first one keeps its own in secrets/${name} of its state folder)`
}
