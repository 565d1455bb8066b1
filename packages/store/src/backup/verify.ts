// Proves a backup: opens it, checks its signature, restores it into an empty store, and holds what that store then has
// against what the file says. What was never restored is only hoped to be a backup.

import { createHash, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { StoreFault } from '../fault.ts'
import { openStore, type Store } from '../open.ts'
import { exportStore } from '../transfer/export.ts'
import type { Header } from '../transfer/format.ts'
import { importStore } from '../transfer/import.ts'
import type { Opener } from './envelope.ts'
import { linesIn } from './lines.ts'
import { inScratch } from './scratch.ts'
import { difference, rowsOf, type Tally, tallying } from './tally.ts'

/** What proving needs. */
export interface VerifySettings {
  readonly file: string
  readonly opener: Opener
  /** Ed25519: of who signed it. */
  readonly publicKey: KeyObject
  /** Where a store may be made for a moment: a local disk, and the owner's alone. */
  readonly scratch: string
  /** What the store held when the backup was made, where that is known. */
  readonly expected?: Tally
}

/** What was proved. */
export interface Proved {
  /** RFC 3339: the moment whose records it holds. */
  readonly at: string
  readonly rows: number
  readonly tables: Tally
  readonly bytes: number
  /** Of the file, in hex. */
  readonly sha256: string
}

/**
 * Proves a backup.
 *
 * @throws StoreFault `refused`, saying what is wrong with it
 */
export async function verifyBackup(settings: VerifySettings): Promise<Proved> {
  const { file, opener, publicKey, scratch, expected } = settings
  return inScratch(scratch, async (folder) => {
    const store = await openStore({ directory: join(folder, 'restored') })
    try {
      let said = tallying()
      let at = ''
      await importStore(store, {
        async *lines() {
          said = tallying()
          let isFirst = true
          for await (const line of linesIn(file, opener)) {
            if (isFirst) at = (JSON.parse(line) as Header).exportedAt
            isFirst = false
            said.add(line)
            yield line
          }
        },
        publicKey,
      })
      const tables = said.result()
      agree('was not restored as it was written', tables, await tallyOf(store))
      if (expected) agree('does not hold what the store held', expected, tables)
      return { at, rows: rowsOf(tables), tables, ...(await digestOf(file)) }
    } finally {
      await store.close()
    }
  })
}

function agree(what: string, expected: Tally, found: Tally): void {
  const differs = difference(expected, found)
  if (differs !== undefined) throw new StoreFault('refused', `the backup ${what}: ${differs}`)
}

async function tallyOf(store: Store): Promise<Tally> {
  const tally = tallying()
  // Nobody will read this signature: it is the form of an export alone that is wanted.
  const { privateKey } = generateKeyPairSync('ed25519')
  await exportStore(store, { write: tally.add, privateKey, now: new Date() })
  return tally.result()
}

async function digestOf(file: string): Promise<{ readonly bytes: number; readonly sha256: string }> {
  const hash = createHash('sha256')
  let bytes = 0
  for await (const part of createReadStream(file)) {
    hash.update(part as Buffer)
    bytes += (part as Buffer).length
  }
  return { bytes, sha256: hash.digest('hex') }
}
