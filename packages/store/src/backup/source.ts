// Opens what is to be backed up: a store that is free, a server, or the copy of a store that a gateway of this machine has
// open and goes on with.

import { existsSync, rmSync } from 'node:fs'
import { StoreFault } from '../fault.ts'
import { neighbourCopy } from '../neighbour/client.ts'
import { openStore, type Store, type StoreSettings } from '../open.ts'

/**
 * Opens it.
 *
 * @throws StoreFault; `refused` where there is no store yet: an empty one would be made and backed up
 */
export async function openSource(settings: StoreSettings): Promise<Store> {
  if (!('directory' in settings)) return openStore(settings)
  if (!existsSync(settings.directory))
    throw new StoreFault('refused', 'there is no store in this folder; name that of the gateway')
  try {
    const store = await openStore(settings)
    const { copyTo: _, ...alone } = store
    // Nobody else asks this process, so nothing is gained by a copy.
    return { ...alone, ready: store.ready }
  } catch (error) {
    if (!(error instanceof StoreFault) || error.code !== 'held') throw error
    const directory = await neighbourCopy(settings.directory).catch((cause: unknown) => {
      throw cause instanceof StoreFault ? cause : error
    })
    return ownCopy(directory)
  }
}

async function ownCopy(directory: string): Promise<Store> {
  const remove = (): void => {
    for (const ending of ['', '.lock', '.holder', '.marker'])
      rmSync(`${directory}${ending}`, { recursive: true, force: true })
  }
  try {
    const { copyTo: _, ...store } = await openStore({ directory })
    return {
      ...store,
      async close() {
        await store.close()
        remove()
      },
    }
  } catch (error) {
    remove()
    throw error
  }
}
