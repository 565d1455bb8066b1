// The parts of @sallyport/store that back up, restore and encrypt fields, loaded when they are needed.

import type { KeyObject } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Invocation, Terminal } from '../command.ts'
import { Failure } from '../failure.ts'
import type { StorePlace } from '../store-package.ts'

/** A backup that was proved. */
export interface BackupRecord {
  readonly format: string
  readonly file: string
  readonly at: string
  readonly verifiedAt: string
  readonly rows: number
  readonly bytes: number
  readonly sha256: string
}

/** One thing that is wrong with a server. */
export interface ServerFinding {
  readonly id: string
  readonly detail: string
  readonly mend: string
}

interface OpenStore {
  close(): Promise<void>
}

interface Opening {
  readonly file: string
  readonly opener: { readonly identity: KeyObject }
  readonly publicKey: KeyObject
}

/** What the commands use of the package. */
export interface BackupPackage {
  recipientIn(pem: string, name: string): KeyObject
  identityIn(pem: string, name: string): KeyObject
  backupSigner(folder: string): KeyObject
  openSource(place: StorePlace): Promise<OpenStore>
  takeTurn(
    store: OpenStore,
    settings: {
      readonly folder: string
      readonly recipient: KeyObject
      readonly signer: KeyObject
      readonly scratch: string
      readonly now: () => Date
      readonly keep: number
      readonly everySeconds: number
    },
  ): Promise<{ readonly made: BackupRecord | undefined; readonly pruned: readonly string[] }>
  provedBackups(folder: string): readonly BackupRecord[]
  recordIn(file: string): BackupRecord | undefined
  writeRecord(file: string, record: BackupRecord): void
  verifyBackup(settings: Opening & { readonly scratch: string }): Promise<{
    readonly at: string
    readonly rows: number
    readonly bytes: number
    readonly sha256: string
  }>
  restoreBackup(
    store: OpenStore,
    settings: Opening & { readonly directory?: string },
  ): Promise<{ readonly at: string; readonly rows: number }>
  checkServer(
    url: string,
    settings: {
      readonly baseBackup?: string
      readonly archive?: string
      readonly maxBaseSeconds: number
      readonly now: () => number
    },
  ): Promise<readonly ServerFinding[]>
}

const PACKAGE: string = '@sallyport/store'

/**
 * Loads a part of the package.
 *
 * @throws Failure where it is not installed
 */
export async function loadPart<T>(part: 'backup' | 'secrets'): Promise<T> {
  try {
    return (await import(`${PACKAGE}/${part}`)) as T
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ERR_MODULE_NOT_FOUND' && message.includes(PACKAGE))
      throw new Failure(`this needs a package of its own; install it: npm install ${PACKAGE}`, {
        cause: error,
      })
    throw error
  }
}

/**
 * Reads the PEM file that an option names.
 *
 * @param mend what to write where the option is missing
 */
export async function pemOf(
  option: string,
  mend: string,
  invocation: Invocation,
  terminal: Terminal,
): Promise<{ readonly pem: string; readonly name: string }> {
  const name = invocation.text(option)
  if (name === undefined) throw new Failure(mend)
  try {
    return { pem: await readFile(resolve(terminal.directory, name), 'utf8'), name: `--${option}` }
  } catch (error) {
    throw new Failure(
      `${invocation.nameOf(option)} ${name}: can’t be read (${(error as NodeJS.ErrnoException).code}); name a PEM file`,
      { cause: error },
    )
  }
}
