// `sallyport backup`: makes a proved backup, lists them, proves one again, or looks at a PostgreSQL server.

import { rename, writeFile } from 'node:fs/promises'
import { dirname, relative, resolve } from 'node:path'
import { show } from '../../policy/problem.ts'
import { tellAt, untold } from '../audit/tell.ts'
import type { Invocation, Terminal } from '../command.ts'
import { Failure } from '../failure.ts'
import { placeOf, type StorePlace, storeFailure } from '../store-package.ts'
import { checkServer } from './check.ts'
import { type BackupPackage, type BackupRecord, loadPart, pemOf } from './package.ts'
import { verify } from './verify.ts'
import { recordLine, sizeOf } from './words.ts'

/** Runs the command. */
export async function backupCommand(invocation: Invocation, terminal: Terminal): Promise<number> {
  const [action = 'make'] = invocation.operands
  const actions: Readonly<Record<string, typeof make>> = { make, list, verify, check: checkServer }
  const chosen = Object.hasOwn(actions, action) ? actions[action] : undefined
  if (chosen === undefined)
    throw new Failure(
      `backup: expected nothing, list, verify or check, received ${show(action)}; see "sallyport backup --help"`,
    )
  try {
    return await chosen(invocation, terminal)
  } catch (error) {
    throw storeFailure(error, 'backup')
  }
}

async function make(invocation: Invocation, terminal: Terminal): Promise<number> {
  const { pem, name } = await pemOf(
    'recipient',
    'a backup is encrypted to a key that is not on this machine; make one elsewhere with openssl genpkey -algorithm x25519, and name its public half with --recipient',
    invocation,
    terminal,
  )
  const backup = await loadPart<BackupPackage>('backup')
  const place = placeOf(invocation, terminal)
  const folder = folderOf(invocation, terminal)
  const state = resolve(terminal.directory, invocation.text('state')!)
  const recipient = backup.recipientIn(pem, name)
  const keep = keepOf(invocation)
  const isFirst = backup.provedBackups(folder).length === 0
  const signer = backup.backupSigner(state)
  const store = await backup.openSource(place)
  const { made, pruned } = await backup
    .takeTurn(store, {
      folder,
      recipient,
      signer,
      // Beside what is in clear already.
      scratch: 'directory' in place ? dirname(place.directory) : state,
      now: () => new Date(),
      keep,
      everySeconds: 0,
    })
    .finally(() => store.close())
    .catch(failed(place))
  await record(invocation, terminal, made!)
  const { file, rows, bytes, sha256 } = made!
  if (invocation.flag('json')) terminal.out(JSON.stringify({ ...made, pruned }))
  else {
    terminal.out(
      `proved ${invocation.text('to')}/${file}: ${rows} rows, ${sizeOf(bytes)}, restored and compared`,
    )
    for (const old of pruned) terminal.out(`removed ${old}`)
  }
  if (isFirst) for (const line of apart(place, relative(terminal.directory, state) || '.')) terminal.err(line)
  await tellAt(place, 'SP-BACKUP-01', {
    action: 'backup.made',
    outcome: 'success',
    target: file,
    details: { rows, bytes, sha256, removed: pruned.length },
  }).catch(untold('the backup was made and proved'))
  return 0
}

// That it failed is what the command ends with, whether or not the log can be told.
function failed(place: StorePlace) {
  return async (error: unknown): Promise<never> => {
    const { name, code, message } = error as Error & { readonly code?: string }
    // Another process is at it, and tells of it.
    if (code !== 'held')
      await tellAt(place, 'SP-BACKUP-01', {
        action: 'backup.failed',
        outcome: 'failure',
        details: { because: name === 'StoreFault' ? message : (code ?? name) },
      }).catch(() => {})
    throw error
  }
}

// Said with the first backup of a folder: it is of no use without them, and they must not lie beside it.
function apart(place: ReturnType<typeof placeOf>, state: string): readonly string[] {
  return [
    'Not in the backup, and needed to use what is restored; keep them apart from it:',
    'directory' in place
      ? '  the file beside the store that ends in .pepper: without it no key of the store is accepted'
      : '  SALLYPORT_PEPPER_…: without them no key of the store is accepted',
    `  ${state}/secrets: the keys of the audit log and of device tokens`,
    '  SALLYPORT_FIELD_KEY_…: where fields are encrypted',
    `To restore: the private half of the recipient’s key, and ${state}/backup.pub, by which a backup is known to be yours.`,
  ]
}

function keepOf(invocation: Invocation): number {
  const text = invocation.text('keep')!
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text)
  throw new Failure(`${invocation.nameOf('keep')}: expected a number from 1 to 9999, received ${show(text)}`)
}

function folderOf(invocation: Invocation, terminal: Terminal): string {
  return resolve(terminal.directory, invocation.text('to')!)
}

async function record(invocation: Invocation, terminal: Terminal, made: BackupRecord): Promise<void> {
  const name = invocation.text('record')
  if (name === undefined) return
  const file = resolve(terminal.directory, name)
  try {
    await writeFile(`${file}.new`, `${JSON.stringify(made, undefined, 2)}\n`)
    await rename(`${file}.new`, file)
  } catch (error) {
    throw new Failure(
      `${invocation.nameOf('record')} ${name}: can’t be written (${(error as NodeJS.ErrnoException).code}); name a file in a folder that is there`,
      { cause: error },
    )
  }
}

async function list(invocation: Invocation, terminal: Terminal): Promise<number> {
  const { provedBackups } = await loadPart<BackupPackage>('backup')
  const found = provedBackups(folderOf(invocation, terminal))
  if (invocation.flag('json')) terminal.out(JSON.stringify(found, undefined, 2))
  else if (found.length === 0) terminal.out('no proved backup in this folder')
  else for (const each of found) terminal.out(recordLine(each))
  return 0
}
