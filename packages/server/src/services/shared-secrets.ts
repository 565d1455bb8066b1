// All gateways of one store must have the same secrets: with another pepper of its own each would give an account a budget
// of guesses of its own, and with another key of the log none could check what the others sign.

import { createHmac } from 'node:crypto'
import { type Queries, sharedSecretPut } from '@sallyport/store'
import { PlaceFault } from '../config/places.ts'
import type { Secrets } from './secrets.ts'

const SHARED = ['lockout', 'audit'] as const

/** @throws PlaceFault where another gateway of the store has another secret */
export async function expectSharedSecrets(store: Queries, secrets: Secrets): Promise<void> {
  for (const name of SHARED) {
    const label = createHmac('sha256', secrets.get(name)!)
      .update('sallyport shared secret')
      .digest('hex')
      .slice(0, 16)
    const [row] = await store.query(sharedSecretPut, [name, label])
    if (row === undefined)
      throw new PlaceFault(
        `secrets.${name}: the gateways of this store work with another secret${secrets.own.has(name) ? ', and this one was made here' : ''}; give all of them the same under "secrets" (the first one keeps its own in secrets/${name} of its state folder)`,
      )
  }
}
