// `sallyport backup verify`: restores a backup into an empty store and compares, as when it was made, but with the key
// that will be needed on the day.

import { tmpdir } from 'node:os'
import { basename, resolve } from 'node:path'
import { checkingKey } from '../attest-keys.ts'
import { type Done, tellAt } from '../audit/tell.ts'
import type { Invocation, Terminal } from '../command.ts'
import { Failure } from '../failure.ts'
import { placeOf } from '../store-package.ts'
import { type BackupPackage, loadPart, pemOf } from './package.ts'
import { sizeOf } from './words.ts'

// It is often done on a machine without a store: the log is told where one is named.
async function told(
  invocation: Invocation,
  terminal: Terminal,
  file: string,
  outcome: 'success' | 'failure',
  details: Done['details'] & object,
): Promise<void> {
  if (!invocation.given('store')) return
  await tellAt(placeOf(invocation, terminal), 'SP-BACKUP-01', {
    action: 'backup.verified',
    outcome,
    target: basename(file),
    details,
  })
}

/** Opens a file as its recipient: `backup verify` and `restore`. */
export async function openingOf(named: string | undefined, invocation: Invocation, terminal: Terminal) {
  if (named === undefined) throw new Failure('name the backup, such as backups/sallyport-….backup')
  const { pem, name } = await pemOf(
    'identity',
    'a backup is opened with the private key of its recipient; name it with --identity',
    invocation,
    terminal,
  )
  if (invocation.text('key') === undefined)
    throw new Failure(
      'a backup is checked against the public key of who made it: backup.pub of the state folder; name it with --key',
    )
  const backup = await loadPart<BackupPackage>('backup')
  return {
    backup,
    opening: {
      file: resolve(terminal.directory, named),
      opener: { identity: backup.identityIn(pem, name) },
      publicKey: await checkingKey(invocation, terminal),
    },
  }
}

/** Runs it: 0 where it holds, 1 where not. */
export async function verify(invocation: Invocation, terminal: Terminal): Promise<number> {
  const [, named] = invocation.operands
  const { backup, opening } = await openingOf(named, invocation, terminal)
  try {
    const found = await backup.verifyBackup({ ...opening, scratch: tmpdir() })
    const before = backup.recordIn(opening.file)
    // One that was made elsewhere gets no record: it would count as one of this folder's schedule.
    if (before?.sha256 === found.sha256)
      backup.writeRecord(opening.file, { ...before, verifiedAt: new Date().toISOString() })
    const { at, rows, bytes, sha256 } = found
    await told(invocation, terminal, opening.file, 'success', { at, rows, sha256 })
    if (invocation.flag('json'))
      terminal.out(JSON.stringify({ ok: true, file: basename(opening.file), at, rows, bytes, sha256 }))
    else
      terminal.out(
        `✓ ${basename(opening.file)}: signed, decrypted, restored and compared: ${rows} rows as of ${at}, ${sizeOf(bytes)}`,
      )
    return 0
  } catch (error) {
    const { name, code, message } = error as Error & { readonly code?: string }
    if (code === 'ENOENT') throw new Failure(`${named}: is not there`, { cause: error })
    if (name !== 'StoreFault' || code !== 'refused') throw error
    await told(invocation, terminal, opening.file, 'failure', { because: message })
    if (invocation.flag('json')) terminal.out(JSON.stringify({ ok: false, why: message }))
    else terminal.out(`✗ ${basename(opening.file)}: ${message}`)
    return 1
  }
}
