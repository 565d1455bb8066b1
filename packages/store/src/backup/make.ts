// Makes a backup: everything as of one moment, signed, compressed, encrypted, on the disk under its own name, and then
// proved with what only its maker knows.

import { createPublicKey, type KeyObject, randomBytes } from 'node:crypto'
import { mkdirSync, renameSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createZstdCompress } from 'node:zlib'
import { syncPath } from '../embedded/durable-files.ts'
import { StoreFault } from '../fault.ts'
import { openStore, type Store } from '../open.ts'
import { exportStore } from '../transfer/export.ts'
import { sealed } from './envelope.ts'
import { type BackupRecord, backupName, writeRecord } from './record.ts'
import { inScratch } from './scratch.ts'
import { type Tally, tallying } from './tally.ts'
import { verifyBackup } from './verify.ts'

/** What a backup needs. */
export interface BackupSettings {
  /** Where backups are kept. */
  readonly folder: string
  /** X25519: only its private half opens the file again. */
  readonly recipient: KeyObject
  /** Ed25519. */
  readonly signer: KeyObject
  /** Where stores may be made for a moment: a local disk, and the owner's alone. */
  readonly scratch: string
  readonly now: () => Date
}

/**
 * Makes a backup and proves it. An embedded store is held for no longer than copying its files takes.
 *
 * @throws StoreFault; the file then stands under a name that ends in `.failed`
 */
export async function makeBackup(store: Store, settings: BackupSettings): Promise<BackupRecord> {
  if (store.copyTo === undefined) return backUp(store, settings)
  const { copyTo } = store
  return inScratch(settings.scratch, async (folder) => {
    const directory = join(folder, 'copy')
    await copyTo(directory)
    const copy = await openStore({ directory })
    try {
      return await backUp(copy, settings)
    } finally {
      await copy.close()
    }
  })
}

async function backUp(store: Store, settings: BackupSettings): Promise<BackupRecord> {
  const { folder, recipient, signer, scratch, now } = settings
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const at = now()
  const file = join(folder, backupName(at))
  const fileKey = randomBytes(32)
  try {
    const expected = await write(store, `${file}.new`, { recipient, signer, fileKey, at })
    const { rows, bytes, sha256 } = await verifyBackup({
      file: `${file}.new`,
      opener: { fileKey },
      publicKey: createPublicKey(signer),
      scratch,
      expected,
    }).catch((error: unknown) => {
      // For a person to look at; only the last one, so that failures don't fill the disk.
      renameSync(`${file}.new`, join(folder, 'sallyport.failed'))
      throw error
    })
    renameSync(`${file}.new`, file)
    syncPath(folder)
    const record: BackupRecord = {
      format: 'sallyport-backup-record/1',
      file: basename(file),
      at: at.toISOString(),
      verifiedAt: now().toISOString(),
      rows,
      bytes,
      sha256,
    }
    writeRecord(file, record)
    return record
  } catch (error) {
    rmSync(`${file}.new`, { force: true })
    throw (error as NodeJS.ErrnoException).code === 'ENOSPC'
      ? new StoreFault('full', 'the disk of the backups is full; free space, or keep fewer', { cause: error })
      : error
  } finally {
    fileKey.fill(0)
  }
}

interface Writing {
  readonly recipient: KeyObject
  readonly signer: KeyObject
  readonly fileKey: Uint8Array
  readonly at: Date
}

async function write(
  store: Store,
  path: string,
  { recipient, signer, fileKey, at }: Writing,
): Promise<Tally> {
  const tally = tallying()
  const lines = createZstdCompress()
  const out = await open(path, 'w', 0o600)
  try {
    const writing = pipeline(
      lines,
      (content: AsyncIterable<Uint8Array>) => sealed(content, recipient, fileKey),
      async (parts: AsyncIterable<Buffer>) => {
        for await (const part of parts) await out.writeFile(part)
      },
    )
    writing.catch(() => {})
    try {
      await exportStore(store, {
        async write(line) {
          tally.add(line)
          // Not faster than the disk takes it.
          if (!lines.write(`${line}\n`)) await Promise.race([drained(lines), writing])
        },
        privateKey: signer,
        now: at,
      })
      lines.end()
    } catch (error) {
      lines.destroy()
      await writing.catch(() => {})
      throw error
    }
    await writing
    await out.sync()
    return tally.result()
  } finally {
    await out.close()
  }
}

function drained(stream: NodeJS.WritableStream): Promise<void> {
  return new Promise((resolve) => void stream.once('drain', resolve))
}
