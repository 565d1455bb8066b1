// The only place that knows @sallyport/store, and it is loaded when it is needed: the library works without it.

import type { KeyObject } from 'node:crypto'
import { resolve } from 'node:path'
import type { Invocation, Terminal } from './command.ts'
import { Failure } from './failure.ts'

/** The part of @sallyport/store that the command uses. */
export interface StorePackage {
  openStore(settings: StorePlace): Promise<OpenStore>
  exportStore(
    store: OpenStore,
    settings: {
      readonly write: (line: string) => Promise<void>
      readonly privateKey: KeyObject
      readonly now: Date
    },
  ): Promise<number>
  importStore(
    store: OpenStore,
    settings: { readonly lines: () => AsyncIterable<string>; readonly publicKey: KeyObject },
  ): Promise<number>
  diagnose(
    settings: StorePlace,
  ): Promise<readonly { readonly check: string; readonly ok: boolean; readonly says: string }[]>
}

/** A store that is open. */
interface OpenStore {
  close(): Promise<void>
}

/** Where a store is: a folder, or a PostgreSQL server. */
export type StorePlace = { readonly directory: string } | { readonly url: string; readonly ownerUrl?: string }

const PACKAGE: string = '@sallyport/store'

/**
 * Loads the package.
 *
 * @throws Failure where it is not installed
 */
export async function loadStore(): Promise<StorePackage> {
  try {
    return (await import(PACKAGE)) as StorePackage
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ERR_MODULE_NOT_FOUND' && message.includes(PACKAGE))
      throw new Failure(`the records are kept by a package of its own; install it: npm install ${PACKAGE}`, {
        cause: error,
      })
    throw error
  }
}

/** Reads `--store` and `--owner`: a postgres URL, or a folder. */
export function placeOf(invocation: Invocation, terminal: Terminal): StorePlace {
  const where = invocation.text('store')!
  const ownerUrl = invocation.text('owner')
  if (/^postgres(?:ql)?:\/\//.test(where))
    return { url: where, ...(ownerUrl === undefined ? {} : { ownerUrl }) }
  if (ownerUrl !== undefined)
    throw new Failure(`${invocation.nameOf('owner')}: goes with a store on a server; a folder has no owner`)
  return { directory: resolve(terminal.directory, where) }
}

/** A fault of the store as a sentence; anything else is thrown on as it is. */
export function storeFailure(error: unknown, option = '--store'): unknown {
  // SQLSTATE insufficient_privilege: the application's role may not do what only the owner may.
  if ((error as { code?: string }).code === '42501')
    return new Failure(
      `${option}: the role that logs in may not do this; name the owner of the tables with --owner postgres://OWNER@HOST/DATABASE`,
      { cause: error },
    )
  return error instanceof Error && error.name === 'StoreFault'
    ? new Failure(`${option}: ${error.message}`, { cause: error })
    : error
}
