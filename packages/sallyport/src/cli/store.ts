// `sallyport store export` and `import`: everything a store holds as one signed file, and a new store from it.

import { createReadStream } from 'node:fs'
import { access, open, rename, rm } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { show } from '../policy/problem.ts'
import { checkingKey, signingKey } from './attest-keys.ts'
import { tell, untold } from './audit/tell.ts'
import type { Invocation, Terminal } from './command.ts'
import { Failure } from './failure.ts'
import { loadStore, placeOf, storeFailure } from './store-package.ts'

/** Runs the command. */
export async function storeCommand(invocation: Invocation, terminal: Terminal): Promise<number> {
  const [action] = invocation.operands
  if (action !== 'export' && action !== 'import')
    throw new Failure(
      `store: expected export or import, received ${show(action)}; see "sallyport store --help"`,
    )
  const name = invocation.text('file')
  if (name === undefined) throw new Failure(`store ${action} needs the file; write --file store.jsonl`)
  if (invocation.text('key') === undefined)
    throw new Failure(
      action === 'export'
        ? 'an export is signed; name a private Ed25519 key with --key: openssl genpkey -algorithm ed25519'
        : 'an import is checked against the public key of who signed the export; name it with --key',
    )
  const file = resolve(terminal.directory, name)
  try {
    const rows =
      action === 'export'
        ? await exportTo(file, invocation, terminal)
        : await importFrom(file, invocation, terminal)
    if (invocation.flag('json')) terminal.out(JSON.stringify({ action, file: name, rows }))
    else terminal.out(`${action}ed ${rows} rows ${action === 'export' ? 'to' : 'from'} ${name}`)
    return 0
  } catch (error) {
    throw storeFailure(error)
  }
}

async function exportTo(file: string, invocation: Invocation, terminal: Terminal): Promise<number> {
  const privateKey = await signingKey(invocation, terminal)
  const { openStore, exportStore } = await loadStore()
  const store = await openStore(placeOf(invocation, terminal))
  try {
    // It holds digests and names of customers: for its owner's eyes.
    const out = await open(`${file}.new`, 'w', 0o600)
    try {
      const rows = await exportStore(store, {
        write: async (line) => void (await out.write(`${line}\n`)),
        privateKey,
        now: new Date(),
      })
      await out.sync()
      // First: what the log does not know of is not handed out.
      await tell(store, 'SP-BACKUP-01', {
        action: 'store.exported',
        outcome: 'success',
        target: basename(file),
        details: { rows },
      })
      await rename(`${file}.new`, file)
      return rows
    } catch (error) {
      await rm(`${file}.new`, { force: true })
      throw error
    } finally {
      await out.close()
    }
  } finally {
    await store.close()
  }
}

async function importFrom(file: string, invocation: Invocation, terminal: Terminal): Promise<number> {
  const publicKey = await checkingKey(invocation, terminal)
  try {
    await access(file)
  } catch (error) {
    throw new Failure(
      `${invocation.nameOf('file')}: can’t be read (${(error as NodeJS.ErrnoException).code})`,
      {
        cause: error,
      },
    )
  }
  const { openStore, importStore } = await loadStore()
  const store = await openStore(placeOf(invocation, terminal))
  try {
    const rows = await importStore(store, {
      lines: () => createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY }),
      publicKey,
    })
    await tell(store, 'SP-BACKUP-01', {
      action: 'store.imported',
      outcome: 'success',
      target: basename(file),
      details: { rows },
    }).catch(untold('the store was filled'))
    return rows
  } finally {
    await store.close()
  }
}
