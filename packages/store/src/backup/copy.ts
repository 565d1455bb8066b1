// A copy of an embedded store's folder, as of one moment. The database has one session: an export would hold it for as long
// as it runs, and whoever asks about a key meanwhile would be refused. Copying the files takes a moment.

import { constants } from 'node:fs'
import { cp, rm } from 'node:fs/promises'
import { basename } from 'node:path'
import type pg from 'pg'

/**
 * Copies the folder while nothing is written to it.
 *
 * @param client the only session, reset to the owner
 */
export async function copyFolder(client: pg.ClientBase, from: string, to: string): Promise<void> {
  // From here on every page is in the files; no query comes between, and no checkpoint runs inside a transaction.
  await client.query('checkpoint')
  await client.query('begin')
  try {
    await client.query('select 1')
    await cp(from, to, {
      recursive: true,
      errorOnExist: true,
      force: false,
      mode: constants.COPYFILE_FICLONE,
      filter: (source) => basename(source) !== 'postmaster.pid',
    })
  } catch (error) {
    await rm(to, { recursive: true, force: true })
    throw error
  } finally {
    await client.query('rollback').catch(() => {})
  }
}
