// Makes a new store from a backup. What nodes and callers hold from before must not outlive it: whatever was ended after
// the backup was made would be forgotten, so everything that is cached or signed in is ended with it.

import type { KeyObject } from 'node:crypto'
import type pg from 'pg'
import type { Store } from '../open.ts'
import type { Header } from '../transfer/format.ts'
import { importStore } from '../transfer/import.ts'
import type { Opener } from './envelope.ts'
import { linesIn } from './lines.ts'

/** What restoring needs. */
export interface RestoreSettings {
  readonly file: string
  readonly opener: Opener
  /** Ed25519: of who signed the backup. */
  readonly publicKey: KeyObject
}

/** What was restored. */
export interface Restored {
  /** RFC 3339: the moment whose records the store now holds. */
  readonly at: string
  readonly rows: number
}

/** Beyond every number that was given after the backup was made. */
const LEAP = 2 ** 32
const REASON = 'restored from a backup'

/**
 * Fills an empty store, all or nothing.
 *
 * @throws StoreFault `refused` where the backup can't be trusted, or the store holds something
 */
export async function restoreBackup(store: Store, settings: RestoreSettings): Promise<Restored> {
  const { file, opener, publicKey } = settings
  let at = ''
  const rows = await importStore(store, {
    async *lines() {
      let isFirst = true
      for await (const line of linesIn(file, opener)) {
        if (isFirst) at = (JSON.parse(line) as Header).exportedAt
        isFirst = false
        yield line
      }
    },
    publicKey,
    async finish(client) {
      await endWhatWasBefore(client)
    },
  })
  return { at, rows }
}

// Nodes that know a later number forget what they hold of each organisation; whoever keeps sessions ends them all.
async function endWhatWasBefore(client: pg.ClientBase): Promise<void> {
  await client.query(
    `with begun as (update revocation_head set seq = seq + ${LEAP} returning seq),
     subjects as (
       select 'session' as kind, '*' as id union all select 'organisation', id from organisations
     ), numbered as (select kind, id, row_number() over (order by kind desc, id) as n from subjects)
     insert into revocations (seq, subject_kind, subject_id, reason)
     select begun.seq + numbered.n, numbered.kind, numbered.id, $1 from begun, numbered`,
    [REASON],
  )
  await client.query('update revocation_head set seq = (select max(seq) from revocations)')
}
