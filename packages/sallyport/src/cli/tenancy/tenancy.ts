// `sallyport tenancy init` and `check`: row-level security for an application's own tables, and whether it holds.

import { show } from '../../policy/problem.ts'
import type { Invocation, Terminal } from '../command.ts'
import { Failure } from '../failure.ts'
import { checkTenancy } from './check.ts'
import { initTenancy } from './init.ts'

const INIT_ONLY = ['tables', 'tenant-type', 'key-column', 'out'] as const
const CHECK_ONLY = ['schema', 'tenant-setting', 'record', 'sarif', 'junit', 'json'] as const

/** Runs the command. */
export async function tenancyCommand(invocation: Invocation, terminal: Terminal): Promise<number> {
  const [action] = invocation.operands
  if (action !== 'init' && action !== 'check')
    throw new Failure(
      `tenancy: expected init or check, received ${show(action)}; see "sallyport tenancy --help"`,
    )
  for (const name of action === 'init' ? CHECK_ONLY : INIT_ONLY)
    if (invocation.given(name))
      throw new Failure(
        `${invocation.nameOf(name)}: goes with ${action === 'init' ? 'check' : 'init'}; leave it out`,
      )
  return action === 'init' ? initTenancy(invocation, terminal) : checkTenancy(invocation, terminal)
}
