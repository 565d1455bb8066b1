// `sallyport audit verify`, `proof` and `key`: that nothing in the log was changed, for whoever has its key.

import { readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { openCheckpoint, verifierKey } from '../../audit/index.ts'
import { show } from '../../policy/problem.ts'
import type { Invocation, Terminal } from '../command.ts'
import { Failure } from '../failure.ts'
import { loadLog, stateFolder, verifierFor, withLog } from './reach.ts'

/** Checks the whole log, or one proof. Ends with 1 where something does not hold. */
export async function verifyLog(invocation: Invocation, terminal: Terminal): Promise<number> {
  const verifier = await verifierFor(invocation, terminal)
  const proofFile = invocation.text('proof')
  if (proofFile !== undefined) {
    const { holds } = await loadLog()
    const proof = await readJson(resolve(terminal.directory, proofFile), proofFile)
    const isHeld = holds(proof, verifier)
    if (invocation.flag('json')) terminal.out(JSON.stringify({ proof: proofFile, holds: isHeld }))
    else
      terminal.out(
        isHeld
          ? `the proof holds: entry ${(proof as { index: number }).index} is in the log that ${verifier.name} signed for`
          : 'the proof does not hold: the entry, its place or the signature is another one',
      )
    return isHeld ? 0 : 1
  }
  const notes = await notesOf(invocation, terminal)
  const check = await withLog(invocation, terminal, (log, store) => log.checkLog(store, { verifier, notes }))
  await keepLast(invocation, terminal, check.faults.length === 0 ? notes : [])
  if (invocation.flag('json')) terminal.out(JSON.stringify(check))
  else {
    for (const { index, what } of check.faults) terminal.out(`✗ ${index}: ${what}`)
    terminal.out(
      check.faults.length === 0
        ? `✓ ${check.entries} entries, ${check.checkpoints} signed checkpoints: all hold${check.pruned > 0 ? `; of the first ${check.pruned}, whose time was over, the hashes` : ''}`
        : `${check.faults.length === 1 ? 'one fault' : `${check.faults.length} faults`} in ${check.entries} entries`,
    )
  }
  return check.faults.length === 0 ? 0 : 1
}

// The checkpoint outside the database, and the one that an auditor has kept: what contradicts a database as a whole.
async function notesOf(invocation: Invocation, terminal: Terminal): Promise<readonly string[]> {
  const kept = invocation.text('checkpoint')
  const anchor = await readFile(join(stateFolder(invocation, terminal), 'audit-checkpoint'), 'utf8').catch(
    () => undefined,
  )
  if (kept === undefined) return anchor === undefined ? [] : [anchor]
  const note = await readFile(resolve(terminal.directory, kept), 'utf8').catch(
    (error: NodeJS.ErrnoException) => {
      // The first time there is nothing to hold the log against.
      if (error.code === 'ENOENT') return undefined
      throw new Failure(`${invocation.nameOf('checkpoint')}: can't be read (${error.code})`, { cause: error })
    },
  )
  return [anchor, note].filter((each) => each !== undefined)
}

async function keepLast(invocation: Invocation, terminal: Terminal, notes: readonly string[]): Promise<void> {
  const kept = invocation.text('checkpoint')
  if (kept === undefined || notes.length === 0) return
  const sizeOf = (note: string) => Number(note.split('\n')[1])
  const newest = [...notes].sort((a, b) => sizeOf(b) - sizeOf(a))[0]!
  await writeFile(resolve(terminal.directory, kept), newest)
}

async function readJson(file: string, shown: string): Promise<unknown> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new Failure(`--proof: ${shown} can't be read (${error.code})`, { cause: error })
  })
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new Failure(`--proof: ${shown} is no JSON; write it with "sallyport audit proof INDEX"`, {
      cause: error,
    })
  }
}

/** Prints the proof of one entry. */
export async function prove(invocation: Invocation, terminal: Terminal): Promise<number> {
  const text = invocation.operands[1]
  if (text === undefined || !/^\d{1,15}$/.test(text))
    throw new Failure(
      `audit proof: expected the number of an entry, received ${show(text)}; "audit search" shows them`,
    )
  const proof = await withLog(invocation, terminal, (log, store) =>
    log.proveEntry(store, Number(text)).catch((error: unknown) => {
      if (error instanceof RangeError) throw new Failure(`audit proof: ${error.message}`, { cause: error })
      throw error
    }),
  )
  terminal.out(JSON.stringify(proof, null, 2))
  return 0
}

/** Prints the key that auditors check with, and the last checkpoint. */
export async function printKey(invocation: Invocation, terminal: Terminal): Promise<number> {
  const verifier = await verifierFor(invocation, terminal)
  const note = await readFile(join(stateFolder(invocation, terminal), 'audit-checkpoint'), 'utf8').catch(
    () => undefined,
  )
  const checkpoint = note === undefined ? undefined : openCheckpoint(note, verifier)
  if (invocation.flag('json'))
    terminal.out(JSON.stringify({ key: verifierKey(verifier), ...(checkpoint ? { checkpoint: note } : {}) }))
  else terminal.out(verifierKey(verifier))
  return 0
}
