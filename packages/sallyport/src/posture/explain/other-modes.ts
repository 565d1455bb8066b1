// What would be different in another mode: the same request once more, one control at a time set from enforcing to
// reporting or back.

import type { Mode } from '../../guard/control.ts'
import { type ResolvedPolicy, rules, strictlyBoth } from '../../guard/resolve.ts'
import type { Ask, Pair } from './ask.ts'
import { type Passage, trial } from './pass.ts'

/** One control in another mode, where that changes anything. */
export interface OtherMode {
  readonly control: string
  readonly id: string
  /** The mode that it does not have. */
  readonly mode: 'enforce' | 'report'
  /** Sentences. */
  readonly changes: readonly string[]
}

/** @param policy few cells: it is compiled once for each control */
export function otherModes(policy: ResolvedPolicy, ask: Ask, now: Passage): readonly OtherMode[] {
  return rules.flatMap(({ name, id }): readonly OtherMode[] => {
    const setting = now.exchange.cell.settings[name] as { readonly mode?: Mode }
    const mode = (setting.mode ?? 'enforce') === 'enforce' ? 'report' : 'enforce'
    const cells = policy.cells.slice(0, -1).map((cell) => ({
      ...cell,
      settings: { ...cell.settings, [name]: { ...(cell.settings[name] as object), mode } },
    }))
    // The strict cell is made from the default one, and some controls have no other mode there.
    cells.push(strictlyBoth(cells.at(-1)!, cells.at(-1)!))
    const then = trial({ ...policy, cells }, ask.place, ask.as).pass(ask)
    const changes = differences(now, then)
    return changes.length === 0 ? [] : [{ control: name, id, mode, changes }]
  })
}

function differences(now: Passage, then: Passage): readonly string[] {
  const changes: string[] = []
  if (outcome(now) !== outcome(then)) changes.push(`${outcome(then)} instead of ${outcome(now)}`)
  if (now.exchange.cookiesIgnored !== then.exchange.cookiesIgnored)
    changes.push(
      then.exchange.cookiesIgnored
        ? 'the application would not see the cookies'
        : 'the application would see the cookies',
    )
  // Of two answers that come from different places every line may differ; that says nothing of the mode.
  if ((now.verdict === undefined) !== (then.verdict === undefined)) return changes
  const [a, b] = [byName(now), byName(then)]
  for (const [name, value] of a)
    if (!b.has(name)) changes.push(`without ${name}`)
    else if (b.get(name) !== value) changes.push(`${name}: ${b.get(name)}`)
  for (const [name, value] of b) if (!a.has(name)) changes.push(`${name}: ${value}, the application's own`)
  return changes
}

function outcome({ verdict, status, bodyReplaced }: Passage): string {
  if (verdict === undefined)
    return bodyReplaced
      ? 'a problem document in place of the application’s body'
      : 'the application’s own answer'
  return verdict.kind === 'deny' ? `${status} ${verdict.code}` : `an answer of the guard with ${status}`
}

function byName({ policyLines, otherLines }: Passage): ReadonlyMap<string, string> {
  const all = new Map<string, string>()
  for (const [name, value] of [...policyLines, ...otherLines] as readonly Pair[]) {
    const known = all.get(name)
    all.set(name, known === undefined ? value : `${known}, ${value}`)
  }
  return all
}
