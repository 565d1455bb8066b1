// A sample organisation with two keys, for `sallyport start`: made anew at each start, since a key can't be shown twice.

import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { keyFormat } from 'sallyport/keys'

/** The keys of the sample organisation. */
export interface SampleKeys {
  readonly secret: string
  readonly publishable: string
}

const NAME = 'Harbour Pilots'
const DAY_MS = 86_400_000
const ACTOR = 'sample'

/**
 * Makes the organisation where it is missing, ends the keys of the start before and makes new ones.
 *
 * @param folder of an embedded store that no process has open
 * @throws StoreFault where it can't be opened
 */
export async function sampleKeys(options: {
  readonly folder: string
  readonly vendor: string
  readonly plan: string
  readonly scopes: readonly string[]
}): Promise<SampleKeys> {
  const { folder, vendor, plan, scopes } = options
  const { keyAdministration, openPeppers, openStore } = await import('@sallyport/store')
  mkdirSync(dirname(folder), { recursive: true, mode: 0o700 })
  const random = (bytes: Uint8Array) => crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>)
  const store = await openStore({ directory: folder })
  try {
    const peppers = await openPeppers(store, { directory: folder }, random)
    const keys = keyAdministration(store, { format: keyFormat(vendor), peppers, random, clock: Date.now })
    const organisation =
      (await keys.organisation(NAME))?.id ?? (await keys.createOrganisation(NAME, plan, ACTOR))
    for (const { id, revoked_at } of await keys.list(organisation, 1_000))
      if (revoked_at === null) await keys.revoke(organisation, id, ACTOR, 'a new start')
    const make = async (kind: 'secret' | 'publishable', allowed: readonly string[]) => {
      const { key } = await keys.create({
        organisation,
        name: `the sample's ${kind} key`,
        kind,
        environment: 'live',
        scopes: allowed,
        origins: kind === 'publishable' ? ['https://app.example.com'] : [],
        createdBy: ACTOR,
        expiresAt: Date.now() + DAY_MS,
      })
      return key
    }
    return {
      secret: await make('secret', scopes),
      publishable: await make(
        'publishable',
        scopes.filter((scope) => scope.endsWith(':read')),
      ),
    }
  } finally {
    await store.close()
  }
}
