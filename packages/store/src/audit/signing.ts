// Signs how far a log has come, and never what contradicts a signature of before: what others wrote in between is held
// against the last checkpoint first.

import {
  type Frontier,
  openCheckpoint,
  rootAt,
  rootOf,
  type Signer,
  signCheckpoint,
  verifierOf,
} from 'sallyport/audit'
import type { Database } from '../database.ts'
import { auditCheckpointPut } from '../statements/audit.ts'
import { type Anchor, contradiction, missing } from './anchor.ts'
import { nodesOf } from './tree.ts'

/** Signs the states of one log. */
export interface Signing {
  /** Why nothing is signed, where nothing is. */
  readonly problem: string | undefined
  /** The last note. */
  readonly checkpoint: string | undefined
  /**
   * Signs for a state.
   *
   * @param isOurs true where every entry since the last checkpoint was written by this process
   * @throws StoreFault, or the error of the anchor
   */
  sign(frontier: Frontier, isOurs: boolean): Promise<void>
}

/** What is signed with, where it is kept and who hears of it. */
export interface SigningOptions {
  readonly database: Database
  readonly origin: string
  readonly signer?: Signer | undefined
  readonly anchor?: Anchor | undefined
  readonly onCheckpoint?: ((note: string) => void) | undefined
}

/** Begins to sign where the anchor stands. */
export async function openSigning(options: SigningOptions): Promise<Signing> {
  const { database, origin, signer, anchor, onCheckpoint } = options
  let checkpoint: string | undefined
  let signedSize = 0
  let problem: string | undefined
  if (signer) {
    const note = anchor?.read()
    problem = await contradiction(database, note, signer)
    if (problem === undefined && note !== undefined) {
      checkpoint = note
      signedSize = openCheckpoint(note, verifierOf(signer))!.size
    }
  } else problem = 'there is no key to sign checkpoints with'

  async function objectionTo(frontier: Frontier): Promise<string | undefined> {
    const objection = await contradiction(database, checkpoint, signer!)
    if (objection !== undefined) return objection
    const root = await rootAt(frontier.size, nodesOf(database)).catch(missing)
    return root?.equals(rootOf(frontier))
      ? undefined
      : `the head of ${frontier.size} entries does not belong to the entries`
  }

  return {
    get problem() {
      return problem
    },
    get checkpoint() {
      return checkpoint
    },
    async sign(frontier, isOurs) {
      if (!signer || problem !== undefined || frontier.size === signedSize) return
      if (!isOurs) problem = await objectionTo(frontier)
      if (problem !== undefined) return
      const { size } = frontier
      const note = signCheckpoint({ origin, size, root: rootOf(frontier) }, signer)
      // Outside first: the database must never know more than what contradicts it.
      anchor?.write(note)
      checkpoint = note
      signedSize = size
      await database.query(auditCheckpointPut, [size, note])
      onCheckpoint?.(note)
    },
  }
}
