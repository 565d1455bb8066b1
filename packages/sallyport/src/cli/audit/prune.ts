// `sallyport audit prune`: entries that are old enough go, and every proof about the rest still holds.

import type { Invocation, Terminal } from '../command.ts'
import { Failure } from '../failure.ts'
import { durationOf } from '../keys/words.ts'
import { signerFor, withLog } from './reach.ts'
import { tell } from './tell.ts'

const DAY_SECONDS = 86_400

/** Removes entries in whole tiles of 256; says how many. The log says so too. */
export async function prune(invocation: Invocation, terminal: Terminal): Promise<number> {
  const seconds = durationOf(invocation, 'older-than')
  if (seconds === undefined || seconds < DAY_SECONDS)
    throw new Failure(
      `${invocation.nameOf('older-than')}: says how old entries must be to go, at least a day; write --older-than 365d`,
    )
  const signer = await signerFor(invocation, terminal)
  const gone = await withLog(invocation, terminal, async (log, store) => {
    const count = await log.pruneLog(store, signer, Date.now() - seconds * 1_000)
    if (count === 0) return 0
    await tell(store, 'SP-AUDIT-01', {
      action: 'audit.pruned',
      outcome: 'success',
      details: { entries: count, olderThanDays: Math.floor(seconds / DAY_SECONDS) },
    })
    return count
  })
  if (invocation.flag('json')) terminal.out(JSON.stringify({ pruned: gone }))
  else
    terminal.out(
      gone === 0
        ? 'nothing went: entries go in whole tiles of 256, once all of them are older and a checkpoint covers them'
        : `${gone} entries went; their hashes stay, so every proof about the rest holds`,
    )
  return 0
}
