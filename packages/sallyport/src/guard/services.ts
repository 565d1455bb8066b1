// What a guard is given from outside, made whole, and the policy held against it.

import { memoryCounters } from '../counters/memory.ts'
import { PolicyError, type PolicyProblem } from '../policy/problem.ts'
import { problem } from '../policy/schema.ts'
import type { Counters } from '../ports/counters.ts'
import type { Services } from '../ports/services.ts'
import type { Judgement, Mode, Place, Verdict } from './control.ts'
import { type ResolvedPolicy, rules } from './resolve.ts'

/** The services, with counters in this process where none are given: they are laid out when the first request counts. */
export function servicesFor(given: Services): Services & { readonly counters: Counters } {
  let own: Counters | undefined
  const {
    keys,
    keyAdministrator,
    lockouts,
    challenges,
    sessions,
    tokens,
    audit,
    risk,
    load,
    fetch,
    secret,
    identitySeed,
  } = given
  return {
    ...(keys && { keys }),
    ...(keyAdministrator && { keyAdministrator }),
    ...(lockouts && { lockouts }),
    ...(challenges && { challenges }),
    ...(sessions && { sessions }),
    ...(tokens && { tokens }),
    ...(audit && { audit }),
    ...(risk && { risk }),
    ...(load && { load }),
    ...(fetch && { fetch }),
    ...(secret && { secret }),
    ...(identitySeed && { identitySeed }),
    get counters() {
      if (given.counters) return given.counters
      own ??= memoryCounters()
      return own
    },
  }
}

const NAME_A_STORE =
  'name a store in the gateway configuration, such as { "store": { "folder": ".sallyport/store" } } in sallyport.gateway.json'

/** @throws PolicyError where a control could not do what the policy says, each with what to give */
export function requireServices(policy: ResolvedPolicy, services: Services, place: Place): void {
  const problems = new Map<string, PolicyProblem>()
  for (const cell of policy.cells)
    for (const rule of rules) {
      const setting = cell.settings[rule.name] as { readonly mode?: Mode }
      if (setting.mode === 'off') continue
      const found = rule.missing?.(setting, cell, services)
      const mend =
        found && place === 'gateway' && rule.keptAs && services[rule.keptAs] === undefined
          ? NAME_A_STORE
          : found
      if (mend !== undefined)
        problems.set(
          `${rule.name} ${mend}`,
          problem(rule.name, 'missing', 'the policy asks for what this guard was not given', undefined, mend),
        )
    }
  if (problems.size > 0) throw new PolicyError([...problems.values()])
}

/** The verdict of a guard that only tries a policy, and so answers at once. */
export function verdictNow(judgement: Judgement): Verdict {
  if (judgement instanceof Promise)
    throw new Error('a control looked something up in a guard that only tries a policy')
  return judgement
}
