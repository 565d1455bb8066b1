// `sallyport audit`: the log of what happened, read, checked, proved and handed on.

import { show } from '../../policy/problem.ts'
import type { Invocation, Terminal } from '../command.ts'
import { Failure } from '../failure.ts'
import { exportLog } from './export.ts'
import { prune } from './prune.ts'
import { search, tail } from './read.ts'
import { printKey, prove, verifyLog } from './verify.ts'

const ACTIONS: Readonly<Record<string, (invocation: Invocation, terminal: Terminal) => Promise<number>>> = {
  search,
  tail,
  verify: verifyLog,
  proof: prove,
  export: exportLog,
  prune,
  key: printKey,
}

/** Runs the command. */
export async function auditCommand(invocation: Invocation, terminal: Terminal): Promise<number> {
  const [action] = invocation.operands
  const run = action === undefined || !Object.hasOwn(ACTIONS, action) ? undefined : ACTIONS[action]
  if (!run)
    throw new Failure(
      `audit: expected ${Object.keys(ACTIONS).join(', ')}, received ${show(action)}; see "sallyport audit --help"`,
    )
  if (action !== 'proof' && invocation.operands.length > 1)
    throw new Failure(`audit ${action} takes nothing more, received ${show(invocation.operands[1])}`)
  return run(invocation, terminal)
}
