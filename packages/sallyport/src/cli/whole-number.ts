// Whole numbers among the options of a command.

import { show } from '../policy/problem.ts'
import type { Invocation } from './command.ts'
import { Failure } from './failure.ts'

/** @throws Failure where it is no whole number within the bounds */
export function wholeNumber(
  invocation: Invocation,
  option: string,
  min: number,
  max: number,
): number | undefined {
  const text = invocation.text(option)
  if (text === undefined) return undefined
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= min && value <= max) return value
  throw new Failure(
    `${invocation.nameOf(option)}: expected a whole number from ${min} to ${max}, received ${show(text)}; write ${Math.max(min, 2)}`,
  )
}
