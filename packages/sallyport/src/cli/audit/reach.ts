// How the commands of the log reach it: the store, also where a gateway has it open, and the key that signs.

import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { logSigner, parseVerifierKey, type Signer, type Verifier, verifierOf } from '../../audit/index.ts'
import type { AuditEvent } from '../../ports/audit.ts'
import type { Invocation, Terminal } from '../command.ts'
import { Failure } from '../failure.ts'
import { placeOf, type StorePlace, storeFailure } from '../store-package.ts'

/** The part of @sallyport/store that these commands use. */
export interface LogPackage {
  reachStore(place: StorePlace): Promise<ReachedStore>
  checkLog(
    store: ReachedStore,
    options: { readonly verifier?: Verifier; readonly notes?: readonly string[] },
  ): Promise<LogCheck>
  proveEntry(store: ReachedStore, index: number): Promise<unknown>
  holds(proof: unknown, verifier: Verifier): boolean
  searchLog(
    store: ReachedStore,
    filter: LogFilter,
    limit: number,
    below?: number,
  ): Promise<readonly LogLine[]>
  readLog(store: ReachedStore, from: number, limit: number): Promise<readonly LogLine[]>
  logSize(store: ReachedStore): Promise<number>
  pruneLog(store: ReachedStore, signer: Signer, before: number): Promise<number>
  openAuditLog(options: { readonly database: ReachedStore; readonly origin: string }): Promise<{
    append(event: AuditEvent): Promise<void>
    close(): Promise<void>
  }>
}

/** A store that can be asked. */
export interface ReachedStore {
  close(): Promise<void>
}

/** What a check of the whole log found. */
interface LogCheck {
  readonly entries: number
  readonly pruned: number
  readonly checkpoints: number
  readonly faults: readonly { readonly kind: string; readonly index: number; readonly what: string }[]
}

/** Which entries. */
export interface LogFilter {
  readonly organisation?: string
  readonly action?: string
  readonly actor?: string
  readonly from?: number
  readonly to?: number
  readonly minRisk?: number
}

/** An entry. */
export interface LogLine {
  readonly index: number
  readonly entry: string
}

const PACKAGE: string = '@sallyport/store'

/** @throws Failure where the package is not installed */
export async function loadLog(): Promise<LogPackage> {
  try {
    return { ...(await import(PACKAGE)), ...(await import(`${PACKAGE}/audit`)) } as LogPackage
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new Failure(`the log is kept by a package of its own; install it: npm install ${PACKAGE}`, {
      cause: error,
    })
  }
}

/** Does something with the log. @throws Failure where the store can't be reached */
export async function withLog<T>(
  invocation: Invocation,
  terminal: Terminal,
  work: (log: LogPackage, store: ReachedStore) => Promise<T>,
): Promise<T> {
  const log = await loadLog()
  try {
    const store = await log.reachStore(placeOf(invocation, terminal))
    try {
      return await work(log, store)
    } finally {
      await store.close()
    }
  } catch (error) {
    throw storeFailure(error)
  }
}

/** The folder of the gateway's own state. */
export function stateFolder(invocation: Invocation, terminal: Terminal): string {
  return resolve(terminal.directory, invocation.text('state')!)
}

/**
 * The key against which signatures are checked: `--key`, as a verifier key or a file that holds one; else that of the
 * gateway's own state.
 *
 * @throws Failure where there is none
 */
export async function verifierFor(invocation: Invocation, terminal: Terminal): Promise<Verifier> {
  const given = invocation.text('key')
  if (given !== undefined) {
    const text = given.includes('+')
      ? given
      : await readFile(resolve(terminal.directory, given), 'utf8').catch(unreadable(invocation))
    const verifier = parseVerifierKey(text.trim())
    if (verifier) return verifier
    throw new Failure(
      `${invocation.nameOf('key')}: no verifier key; "sallyport audit key" prints the one of this gateway`,
    )
  }
  const signer = await ownSigner(invocation, terminal)
  if (signer === undefined)
    throw new Failure(
      'there is no key here to check signatures with; give the verifier key that "sallyport audit key" prints where the gateway runs: --key NAME+ID+KEY',
    )
  return verifierOf(signer)
}

/** The key of the gateway's own state. @throws Failure where there is none */
export async function signerFor(invocation: Invocation, terminal: Terminal): Promise<Signer> {
  const signer = await ownSigner(invocation, terminal)
  if (signer) return signer
  throw new Failure(
    `${invocation.nameOf('state')}: there is no key of a log in this folder; name the state folder of a gateway, or let the gateway do it, by audit.retentionDays of the policy`,
  )
}

async function ownSigner(invocation: Invocation, terminal: Terminal): Promise<Signer | undefined> {
  const file = join(stateFolder(invocation, terminal), 'secrets', 'audit')
  const secret = await readFile(file, 'utf8').catch(() => undefined)
  return secret === undefined ? undefined : logSigner(secret.trim())
}

function unreadable(invocation: Invocation) {
  return (error: unknown): never => {
    throw new Failure(
      `${invocation.nameOf('key')}: can't be read (${(error as NodeJS.ErrnoException).code})`,
      {
        cause: error,
      },
    )
  }
}
