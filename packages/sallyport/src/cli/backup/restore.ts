// `sallyport restore`: a new store from a backup.

import { mkdir } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { show } from '../../policy/problem.ts'
import { tell, untold } from '../audit/tell.ts'
import type { Invocation, Terminal } from '../command.ts'
import { Failure } from '../failure.ts'
import { loadStore, placeOf, storeFailure } from '../store-package.ts'
import { openingOf } from './verify.ts'

/** Runs the command. */
export async function restoreCommand(invocation: Invocation, terminal: Terminal): Promise<number> {
  const [named, ...more] = invocation.operands
  if (more.length > 0) throw new Failure(`restore takes one backup, received ${show(more[0])} too`)
  if (!invocation.given('store'))
    throw new Failure('restore needs the place of the new store; name an empty one with --store')
  const { backup, opening } = await openingOf(named, invocation, terminal)
  const place = placeOf(invocation, terminal)
  if ('url' in place && place.ownerUrl === undefined)
    throw new Failure('a restore writes as the owner of the tables; name it with --owner')
  try {
    const { openStore } = await loadStore()
    if ('directory' in place) await mkdir(dirname(place.directory), { recursive: true, mode: 0o700 })
    const store = await openStore(place)
    try {
      const { at, rows } = await backup.restoreBackup(store, opening)
      // Behind the last entry that came with it, so that the log goes on from where the backup was made.
      await tell(store, 'SP-BACKUP-01', {
        action: 'backup.restored',
        outcome: 'success',
        target: basename(opening.file),
        details: { at, rows },
      }).catch(untold('the store was restored'))
      if (invocation.flag('json')) terminal.out(JSON.stringify({ at, rows }))
      else
        for (const line of [
          `restored ${rows} rows as of ${at}; every session has ended, and every node asks anew about every key`,
          'What was revoked or changed after that moment is not known here: look into the log of the old store if you have it.',
          'directory' in place
            ? `Next: put the pepper that the old store had beside this one as ${basename(place.directory)}.pepper, and the secrets into the state folder.`
            : 'Next: set SALLYPORT_PEPPER_… to the peppers of the old store, and put the secrets into the state folder.',
          'If the old machine may be in other hands, rotate: sallyport keys rotate, sallyport secrets rotate.',
        ])
          terminal.out(line)
      return 0
    } finally {
      await store.close()
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      throw new Failure(`${named}: is not there`, { cause: error })
    throw storeFailure(error, 'restore')
  }
}
