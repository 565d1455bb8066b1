// Which policy a command is about: its operand, or --policy, and never two.

import { show } from '../policy/problem.ts'
import type { Invocation } from './command.ts'
import { Failure } from './failure.ts'

/**
 * The name of the policy file, or `undefined` for the one of the directory.
 *
 * @param at which operand names it
 */
export function namedPolicy(invocation: Invocation, at = 0): string | undefined {
  const operand = invocation.operands[at]
  const option = invocation.text('policy')
  // What the environment says is a default, which an operand overrules.
  if (operand !== undefined && option !== undefined && invocation.nameOf('policy') === '--policy')
    throw new Failure(`--policy: the policy is named already, by ${show(operand)}; name it once`)
  return operand ?? option
}
