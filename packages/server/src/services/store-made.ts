// Remembers in the state folder that a store was made, where that is another place than the store's: a volume that is not
// mounted takes the store and its own marker away together, and an empty store would be begun without a word.

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { PlaceFault } from '../config/places.ts'

const NAME = 'store-made'

/**
 * Looks before the store is opened; what it returns remembers, once the store is open.
 *
 * @throws PlaceFault where a store was made that is not there any more
 */
export function expectStore(directory: string, stateFolder: string): () => void {
  const place = resolve(directory)
  if (dirname(place) === resolve(stateFolder)) return () => {}
  const file = join(stateFolder, NAME)
  const isMade = existsSync(file) && readFileSync(file, 'utf8').trim() === place
  // Where its marker is, the store itself says that its folder is gone.
  if (isMade && !existsSync(place) && !existsSync(`${place}.marker`))
    throw new PlaceFault(
      `store: a store was made in this place, and nothing of it is there; mount its volume, or restore it (sallyport restore); to begin anew and lose it, delete the file ${NAME} in the state folder`,
    )
  return () => {
    if (!isMade) writeFileSync(file, `${place}\n`, { mode: 0o600 })
  }
}
